/**
 * Bounds the log that this process writes to a file: what grew too large is kept once more beside it, as `….1`. The file stays the same,
 * because whoever writes to it, and whoever reads along, has it open.
 */
import { copyFileSync, fstatSync, ftruncateSync, statSync } from 'node:fs';

export interface BoundOptions {
  /** Open for appending. */
  readonly fd: number;
  readonly file: string;
  readonly maxBytes: number;
}

/** Looks once. Does nothing where the descriptor is another file, a terminal or a pipe. */
export function boundLog({ fd, file, maxBytes }: BoundOptions): void {
  const { size, ino, dev } = fstatSync(fd);
  const named = statSync(file, { throwIfNoEntry: false });
  if (size < maxBytes || named?.ino !== ino || named.dev !== dev) return;
  copyFileSync(file, `${file}.1`);
  ftruncateSync(fd, 0);
}
