/**
 * Reading a file of an image without being led out of it: a link in an image may point anywhere, and an absolute one means a place
 * in the image, not on the host. The tree must not be changed by anyone else meanwhile.
 */
import { constants } from 'node:fs';
import { lstat, open, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/** As many as the kernel follows. */
const maxLinks = 40;

/** Nothing that is looked up here is larger in an honest image. */
const maxFileBytes = 4 * 1024 * 1024;

/** The content of a regular file below `root`, or undefined where there is none. Throws an Error when it is unreasonably large. */
export async function readRootfsFile(root: string, path: string): Promise<string | undefined> {
  const found = await resolveInRootfs(root, path);
  if (found === undefined) return undefined;
  const file = await open(found, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { size } = await file.stat();
    if (size > maxFileBytes)
      throw new Error(`${path} of the image has ${size} bytes; more than ${maxFileBytes} are not read.`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

/** The path on the host of a regular file of the image, every link resolved inside `root`. */
async function resolveInRootfs(root: string, path: string): Promise<string | undefined> {
  let resolved: string[] = [];
  let pending = path.split('/');
  for (let links = 0; pending.length > 0; ) {
    const [name = '', ...rest] = pending;
    pending = rest;
    if (name === '' || name === '.') continue;
    if (name === '..') {
      resolved = resolved.slice(0, -1); // At the root it stays there.
      continue;
    }
    const candidate = join(root, ...resolved, name);
    const stats = await lstat(candidate).catch(() => undefined); // Missing, or below something that is no directory.
    if (stats === undefined) return undefined;
    if (stats.isSymbolicLink()) {
      if (++links > maxLinks) return undefined;
      const target = await readlink(candidate);
      if (target.startsWith('/')) resolved = [];
      pending = [...target.split('/'), ...pending];
    } else if (pending.some((next) => next !== '' && next !== '.')) {
      if (!stats.isDirectory()) return undefined;
      resolved = [...resolved, name];
    } else return stats.isFile() ? candidate : undefined;
  }
  return undefined;
}
