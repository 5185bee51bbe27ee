/** What both versions share: groups are directories, and an empty one goes away by rmdir. */
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Killed processes leave their group within this; longer means that one hangs in the kernel. */
const emptyTimeoutMs = 5000;

/** Makes the directory and those above it. */
export async function makeGroup(path: string): Promise<void> {
  await mkdir(path, { recursive: true });
}

/** Writes a control file. Throws an Error that names file and value: the kernel's own says neither. */
export async function setControl(group: string, file: string, value: string | number): Promise<void> {
  try {
    await writeFile(join(group, file), String(value));
  } catch (error) {
    throw new Error(`The limit ${file}=${value} could not be set on ${group}: ${errorText(error)}`, { cause: error });
  }
}

/** A number from a file of `name value` lines; undefined without the file or the name. */
export async function readCounter(file: string, name: string): Promise<number | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined); // The group is gone.
  const value = text === undefined ? undefined : new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1];
  return value === undefined ? undefined : Number(value);
}

export async function childDirectories(path: string): Promise<string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Removes the group and all below it, the innermost first; what still runs in them is killed. Most often there is nothing below. */
export async function removeTree(path: string): Promise<void> {
  const deadline = Date.now() + emptyTimeoutMs;
  for (;;) {
    try {
      await rmdir(path);
      return;
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return;
      if (errorCode(error) !== 'EBUSY' || Date.now() > deadline) throw error;
    }
    const children = await childDirectories(path);
    for (const name of children) await removeTree(join(path, name));
    if (children.length > 0) continue;
    await killProcesses(path);
    await delay(5);
  }
}

async function killProcesses(group: string): Promise<void> {
  const procs = await readFile(join(group, 'cgroup.procs'), 'utf8').catch(() => ''); // Removed meanwhile.
  for (const pid of procs.split('\n').map(Number)) {
    if (!(pid > 0)) continue;
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if (errorCode(error) !== 'ESRCH') throw error;
    }
  }
}

function errorCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
