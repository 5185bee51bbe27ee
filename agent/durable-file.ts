/**
 * Files that are whole or absent after a crash or a power cut: written beside, synced, renamed into place, directory synced.
 * Knows nothing of what is in them.
 */
import { mkdirSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Makes a directory that only root reads. */
export function makePrivateDirectory(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
}

/** Replaces the file's content (mode 0600). The new name is durable only after `syncDirectory`. */
export async function replaceFile(path: string, content: string): Promise<void> {
  const temporary = `${path}.tmp`;
  const file = await open(temporary, 'w', 0o600);
  try {
    await file.writeFile(content);
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

/** Makes renames and removals in the directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** `replaceFile` and `syncDirectory` in one: for single files. */
export async function writeDurably(path: string, content: string): Promise<void> {
  await replaceFile(path, content);
  await syncDirectory(dirname(path));
}
