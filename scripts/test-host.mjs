/**
 * `npm run test:host`: boots a virtual machine (QEMU, in software) for the instance that the deployed control plane buys, with the very
 * user data of the synthesized launch template, and takes it through the life of a host. Installs QEMU and what makes the machine's disk
 * where they are missing; the first run makes that disk from Debian's packages (a minute) and keeps it in /var/cache/gantry. Needs root.
 * Not part of `npm test`, which installs no QEMU.
 */
import { spawnSync } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { childPath, machineFacts } from './machine.mjs';
import { node24 } from './node24.mjs';
import { SetupProblem } from './run.mjs';
import { main, setUp } from './setup.mjs';

await main(async () => {
  const facts = machineFacts();
  if (!facts.isRoot || facts.arch !== 'x64') {
    throw new SetupProblem({
      what: `test:host cannot run here: this is ${facts.isRoot ? 'root' : 'not root'} on ${facts.arch}.`,
      why: "It makes a disk with a distribution's files and their owners, and the machine's distribution is for x86-64.",
      todo: 'Run it as root on an x86-64 machine.',
    });
  }
  await setUp('test', { facts });
  await setUp('guest', { facts });
  const config = ['--config', 'test/guest/vitest.config.ts'];
  const { status } = spawnSync(
    node24(facts),
    [join(facts.repository, 'node_modules/vitest/vitest.mjs'), 'run', ...config, ...process.argv.slice(2)],
    {
      cwd: facts.repository,
      env: { ...process.env, PATH: [join(facts.repository, 'node_modules/.bin'), childPath(facts)].join(delimiter) },
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  process.exitCode = status ?? 1;
});
