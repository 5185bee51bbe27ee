/** Where synth keeps what is costly to make again: one directory of the user's. What is in it can be deleted at any time. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

export const cacheDirectory = (): string => join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'gantry');

/** Writes the file whole or not at all: another synth may be reading it. */
export function keepFile(path: string, content: Buffer): void {
  const incoming = `${path}.${process.pid}`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(incoming, content);
    renameSync(incoming, path);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${path} cannot be written: ${why}. XDG_CACHE_HOME names another directory for caches.`, {
      cause: error,
    });
  }
}
