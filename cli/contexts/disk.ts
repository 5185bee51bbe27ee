/** The file of contexts: `$XDG_CONFIG_HOME/gantry/config.yaml`, or `~/.config/gantry/config.yaml`. Readable by its owner alone. */
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { GantryError } from '../../core/errors.ts';
import { bookText, type ContextBook, parseBook } from './book.ts';

export interface ContextFile {
  readonly path: string;
  /** Without contexts where there is no file. Throws a GantryError where it is broken, or where others may read it. */
  readonly read: () => ContextBook;
  readonly write: (book: ContextBook) => void;
}

export const contextPath = (env: Readonly<Record<string, string | undefined>>, home: string): string =>
  join(env.XDG_CONFIG_HOME || join(home, '.config'), 'gantry', 'config.yaml');

export function contextFile(path: string): ContextFile {
  return {
    path,
    read() {
      const text = readIfThere(path);
      return text === undefined ? { contexts: {} } : parseBook(path, text);
    },
    write(book) {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      // Whole or not at all, and never with rights that a file before it had.
      const fresh = `${path}.${process.pid}.new`;
      try {
        writeFileSync(fresh, bookText(book), { mode: 0o600, flag: 'wx' });
        renameSync(fresh, path);
      } finally {
        rmSync(fresh, { force: true });
      }
    },
  };
}

function readIfThere(path: string): string | undefined {
  try {
    if ((statSync(path).mode & 0o077) !== 0)
      throw new GantryError('InvalidParameterException', `Others than its owner may read ${path}, which has secrets.`, {
        hint: `Say \`chmod 600 ${path}\`, and think about whether the keys in it need to be made again.`,
      });
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return undefined;
    if (error instanceof GantryError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new GantryError('InvalidParameterException', `The contexts cannot be read: ${why}.`, { cause: error });
  }
}
