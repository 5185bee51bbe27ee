/**
 * `npm run test:emulator`: deploys, updates and destroys the stack on a third-party emulator of AWS, from PyPI, in an environment of
 * its own (kept in ~/.cache/gantry), and runs a real container through it. Not part of `npm test`, which uses no other registry than
 * npm's and Debian's.
 */
import { spawnSync } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { childPath, machineFacts } from './machine.mjs';
import { node24 } from './node24.mjs';
import { pythonEnvironment } from './python.mjs';
import { main, setUp } from './setup.mjs';

/** The emulator and what it needs for TLS. Another version is another directory. */
const requirements = ['ministack==1.5.33', 'cryptography==50.0.2'];

await main(async () => {
  const facts = machineFacts();
  await setUp('test', { facts });
  const python = join(pythonEnvironment('emulator', requirements), 'python');
  const { status } = spawnSync(
    node24(facts),
    [
      join(facts.repository, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--config',
      'test/emulator/vitest.config.ts',
      ...process.argv.slice(2),
    ],
    {
      cwd: facts.repository,
      env: {
        ...process.env,
        GANTRY_EMULATOR_PYTHON: python,
        PATH: [join(facts.repository, 'node_modules/.bin'), childPath(facts)].join(delimiter),
      },
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  process.exitCode = status ?? 1;
});
