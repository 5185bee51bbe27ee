/**
 * `npm run test:containerd`: the agent's container tests with a newer containerd than Debian's, which `npm test` runs them with. It
 * is built of Go's modules, kept in ~/.cache/gantry and installed nowhere. Needs Go and root. Not part of `npm test`, which uses no other
 * registry than npm's and Debian's.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { childPath, machineFacts } from './machine.mjs';
import { node24 } from './node24.mjs';
import { run } from './run.mjs';
import { main, setUp } from './setup.mjs';

const version = '2.4.2';
const module = 'github.com/containerd/containerd/v2';
const programs = ['containerd', 'containerd-shim-runc-v2', 'ctr'].map((name) => `${module}/cmd/${name}`);

await main(async () => {
  const facts = machineFacts();
  await setUp('test', { facts });
  const { status } = spawnSync(
    node24(facts),
    [join(facts.repository, 'node_modules/vitest/vitest.mjs'), 'run', '--project', 'host', 'test/agent'],
    {
      cwd: facts.repository,
      env: {
        ...process.env,
        PATH: [builtContainerd(), join(facts.repository, 'node_modules/.bin'), childPath(facts)].join(delimiter),
      },
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  process.exitCode = status ?? 1;
});

/** Answers the directory of its programs. */
function builtContainerd() {
  const home = join(homedir(), '.cache/gantry', `containerd-${version}`);
  if (existsSync(home)) return home;
  console.log(`set-up: building containerd ${version} of Go's modules into ${home}`);
  mkdirSync(dirname(home), { recursive: true });
  const work = mkdtempSync(`${home}-`);
  try {
    writeFileSync(join(work, 'go.mod'), 'module gantry.test/containerd\n\ngo 1.24\n');
    const go = { cwd: work, env: { ...process.env, CGO_ENABLED: '0' } };
    run('go', ['get', ...programs.map((program) => `${program}@v${version}`)], go);
    const flags = ['-mod=mod', '-ldflags', `-s -w -X ${module}/version.Version=${version}`, '-o', 'bin/'];
    run('go', ['build', ...flags, ...programs], go);
    renameSync(join(work, 'bin'), home);
  } finally {
    rmSync(work, { recursive: true });
  }
  return home;
}
