/** `npm run check`: types, format and lint, which read the code without running it. Used by `npm test` too. */
import { spawnSync } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { childPath, machineFacts } from './machine.mjs';
import { node24 } from './node24.mjs';
import { isStarted, main } from './setup.mjs';

const checks = [
  { name: 'types (tsc --noEmit)', script: 'node_modules/typescript/bin/tsc', args: ['--noEmit', '-p', '.'] },
  { name: 'types of the scripts', script: 'node_modules/typescript/bin/tsc', args: ['--noEmit', '-p', 'scripts'] },
  {
    name: 'format and lint (biome ci)',
    script: 'node_modules/@biomejs/biome/bin/biome',
    args: ['ci', '--colors=off', '.'],
  },
  {
    name: 'lint (oxlint --type-aware)',
    script: 'node_modules/oxlint/bin/oxlint',
    args: ['--type-aware', '--format=unix', '.'],
  },
];

/**
 * Runs all of them, whatever fails, and shows the output of those that do.
 *
 * @param {string} node
 * @param {Record<string, string | undefined>} env
 * @param {string} repository
 * @returns {{ name: string, ok: boolean }[]}
 */
export function runChecks(node, env, repository) {
  return checks.map(({ name, script, args }) => {
    const { status, stdout, stderr } = spawnSync(node, [join(repository, script), ...args], {
      cwd: repository,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      encoding: 'utf8',
      maxBuffer: 64 * 2 ** 20,
    });
    const ok = status === 0;
    console.log(ok ? `check: ${name}: ok` : `check: ${name}: FAILED\n${stdout}${stderr}`);
    return { name, ok };
  });
}

if (isStarted(import.meta.url)) {
  await main(async () => {
    const facts = machineFacts();
    const bin = join(facts.repository, 'node_modules/.bin');
    const env = { ...process.env, PATH: [bin, childPath(facts)].join(delimiter) };
    const failed = runChecks(node24(facts), env, facts.repository).filter(({ ok }) => !ok);
    process.exitCode = failed.length === 0 ? 0 : 1;
  });
}
