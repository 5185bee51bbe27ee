/**
 * `npm run test:clients`: takes boto3 the whole path of ECS, and lets tools that people start ECS tasks with run real containers, with only
 * endpoint and keys changed. They come from PyPI, into environments of their own (~/.cache/gantry). Not part of `npm test`, which uses no
 * other registry than npm's and Debian's.
 */
import { spawnSync } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { childPath, machineFacts } from './machine.mjs';
import { node24 } from './node24.mjs';
import { pythonEnvironment } from './python.mjs';
import { main, setUp } from './setup.mjs';

/** By environment, since what they need of each other's packages differs. */
const clients = {
  boto3: ['boto3==1.44.5', 'ecs-deploy==1.17.0'],
  airflow: ['apache-airflow==3.3.2', 'apache-airflow-providers-amazon==9.39.0'],
  dagster: ['dagster==1.13.27', 'dagster-aws==0.29.27'],
  prefect: ['prefect==3.9.1', 'prefect-aws==0.7.12'],
};

await main(async () => {
  const facts = machineFacts();
  await setUp('test', { facts });
  const programs = Object.entries(clients).map(([name, requirements]) => [
    `GANTRY_CLIENT_${name.toUpperCase()}`,
    pythonEnvironment(`client-${name}`, requirements),
  ]);
  const config = ['--config', 'test/clients/vitest.config.ts'];
  const { status } = spawnSync(
    node24(facts),
    [join(facts.repository, 'node_modules/vitest/vitest.mjs'), 'run', ...config, ...process.argv.slice(2)],
    {
      cwd: facts.repository,
      env: {
        ...process.env,
        ...Object.fromEntries(programs),
        PATH: [join(facts.repository, 'node_modules/.bin'), childPath(facts)].join(delimiter),
      },
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  process.exitCode = status ?? 1;
});
