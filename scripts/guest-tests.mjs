/** Tests with virtual machines: what they need of this machine, and vitest with their own configuration. */
import { spawnSync } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { childPath, machineFacts } from './machine.mjs';
import { node24 } from './node24.mjs';
import { SetupProblem } from './run.mjs';
import { setUp } from './setup.mjs';

/**
 * Sets the machine up and runs them; arguments of the script go to vitest. Sets the process' exit code.
 *
 * @param {string} name of the npm script
 * @param {string} config of vitest, relative to the repository
 */
export async function runGuestTests(name, config) {
  const facts = machineFacts();
  if (!facts.isRoot || facts.arch !== 'x64') {
    throw new SetupProblem({
      what: `${name} cannot run here: this is ${facts.isRoot ? 'root' : 'not root'} on ${facts.arch}.`,
      why: "It makes a disk with a distribution's files and their owners, and the machine's distribution is for x86-64.",
      todo: 'Run it as root on an x86-64 machine.',
    });
  }
  await setUp('test', { facts });
  await setUp('guest', { facts });
  const vitest = join(facts.repository, 'node_modules/vitest/vitest.mjs');
  const { status } = spawnSync(node24(facts), [vitest, 'run', '--config', config, ...process.argv.slice(2)], {
    cwd: facts.repository,
    env: { ...process.env, PATH: [join(facts.repository, 'node_modules/.bin'), childPath(facts)].join(delimiter) },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  process.exitCode = status ?? 1;
}
