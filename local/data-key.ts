/** The key that seals secrets in the store of one machine: a file beside it that only root reads, made once for a data directory. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dataKeyBytes } from '../control/keys/secret-box.ts';
import type { CloudPaths } from './options.ts';
import { writeWhole } from './whole-file.ts';

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
  writeWhole(file, `${randomBytes(dataKeyBytes).toString('base64')}\n`);
}
