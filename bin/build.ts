/** `npm run build`: makes `dist/` anew: the functions, the agent for hosts, and for packages the command line and both libraries. */
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildAgent } from './build-agent.ts';
import { buildCli } from './build-cli.ts';
import { buildLambdas } from './build-lambdas.ts';
import { buildLib } from './build-lib.ts';

const repository = fileURLToPath(new URL('..', import.meta.url));
const dist = join(repository, 'dist');

mkdirSync(dist, { recursive: true });
// Beside what is there, which others may be using, and in its place only once it is whole.
const fresh = mkdtempSync(join(dist, '.new-'));
const former = mkdtempSync(join(dist, '.old-'));
try {
  await Promise.all([
    buildLambdas(repository, fresh),
    buildAgent(repository, fresh),
    buildCli(repository, join(fresh, 'cli')),
    buildLib(repository, fresh),
  ]);
  for (const part of readdirSync(fresh)) exchange(part);
} finally {
  for (const directory of [fresh, former]) rmSync(directory, { recursive: true, force: true });
}

function exchange(part: string): void {
  const target = join(dist, part);
  if (readdirSync(dist).includes(part)) renameSync(target, join(former, part));
  renameSync(join(fresh, part), target);
}
