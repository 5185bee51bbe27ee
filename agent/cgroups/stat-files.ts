/**
 * Reads the kernel's accounting files. Synchronously: they are memory, a container has a dozen, and each is read in some ten
 * microseconds, a fifth of what a thread of the pool would cost.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Undefined where there is no such file, or no such group any more. */
export function readStat(...path: string[]): string | undefined {
  try {
    return readFileSync(join(...path), 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENODEV' || code === 'EOPNOTSUPP') return undefined;
    throw error;
  }
}

/** The value of a name in lines of `name value`; 0 where it does not stand there. */
export function countersOf(text: string): (name: string) => number {
  const values = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [name = '', value] = line.split(' ');
    values.set(name, Number(value));
  }
  return (name) => values.get(name) ?? 0;
}

/** The least of a limit's values in this group and those above it, below the hierarchy's root; undefined where none limits. */
export function leastLimit(root: string, path: string, file: string): number | undefined {
  let least = Infinity;
  for (let group = path; group !== '/' && group !== '.'; group = dirname(group)) {
    const limit = Number(readStat(root, group, file) ?? Infinity); // `max` is not a number, and no limit.
    if (limit < least) least = limit;
  }
  return least === Infinity ? undefined : least;
}
