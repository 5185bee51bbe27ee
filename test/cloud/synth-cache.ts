/**
 * Keeps what was synthesized for as long as its sources are the same: every file of tests that runs the AWS shape needs the same stack,
 * and making it takes seconds. Kept among the packages' own caches; what nobody has used for a day is removed.
 */
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const cache = join(repository, 'node_modules', '.cache', 'gantry-synth');
/** Everything that a bundle or a template is made of. */
const sources = ['lambdas', 'lib', 'agent', 'control', 'core', 'bin', 'package-lock.json', 'test/cloud/synth.ts'];
const keptMs = 24 * 3_600_000;

/** The directory with what `make` wrote into the one that it was given. */
export async function cached(make: (directory: string) => Promise<void>): Promise<string> {
  const directory = join(cache, sourcesKey());
  if (!existsSync(directory)) {
    mkdirSync(cache, { recursive: true });
    const incoming = mkdtempSync(join(cache, 'incoming-'));
    await make(incoming);
    putInPlace(incoming, directory);
    removeOld();
  }
  const now = new Date();
  utimesSync(directory, now, now);
  return directory;
}

function putInPlace(incoming: string, directory: string): void {
  try {
    renameSync(incoming, directory);
  } catch (error) {
    // Another process was quicker, with the same.
    if (!existsSync(directory)) throw error;
    rmSync(incoming, { recursive: true });
  }
}

function removeOld(): void {
  for (const name of readdirSync(cache)) {
    const path = join(cache, name);
    const { mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { mtimeMs: Date.now() };
    if (mtimeMs < Date.now() - keptMs) rmSync(path, { recursive: true, force: true });
  }
}

function sourcesKey(): string {
  const hash = createHash('sha256');
  for (const path of sources.flatMap(filesBelow))
    hash.update(`\0${path}\0`).update(readFileSync(join(repository, path)));
  return hash.digest('hex').slice(0, 32);
}

function filesBelow(path: string): string[] {
  if (!statSync(join(repository, path)).isDirectory()) return [path];
  return readdirSync(join(repository, path), { withFileTypes: true })
    .map(({ name }) => join(path, name))
    .flatMap(filesBelow)
    .toSorted();
}
