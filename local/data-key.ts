/** The key that seals secrets in the store of one machine: a file beside it that only root reads, made once for a data directory. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dataKeyBytes } from '../control/keys/secret-box.ts';
import type { CloudPaths } from './options.ts';

/** Throws an Error where the file is none. */
export function readDataKey({ dataKey: file }: Pick<CloudPaths, 'dataKey'>): Uint8Array {
  if (!existsSync(file)) makeDataKey(file);
  const key = Buffer.from(readFileSync(file, 'utf8'), 'base64');
  if (key.length === dataKeyBytes) return key;
  throw new Error(
    `${file} is no data key: put back the one that sealed the keys of this store, or remove it and make keys anew.`,
  );
}

/** On the disk, and whole, before anything is sealed with it. */
function makeDataKey(file: string): void {
  const unfinished = `${file}.new`;
  writeFileSync(unfinished, `${randomBytes(dataKeyBytes).toString('base64')}\n`, { mode: 0o600, flush: true });
  renameSync(unfinished, file);
}
