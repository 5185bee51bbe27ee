/**
 * The beginning of a file that grows at its end and must not grow on the disk: it is taken away by punching a hole, which whoever writes
 * does not notice (after a rename it would go on writing the old file, and a truncation loses what comes meanwhile). Decides nothing.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { runTool } from '../network/tool.ts';

const pageBytes = 4096;
/** What is looked through for the end of a line; a longer one loses its beginning. */
const maxSearchBytes = 1024 * 1024;
const newline = 0x0a;

/** Where the first line begins that is not before `offset`. */
export async function lineStartAfter(path: string, offset: number): Promise<number> {
  await using file = await open(path, 'r');
  const piece = Buffer.allocUnsafe(64 * 1024);
  // From the byte before, which may be the end of a line.
  for (let at = Math.max(0, offset - 1); at < offset + maxSearchBytes; at += piece.length) {
    const { bytesRead } = await file.read(piece, 0, piece.length, at);
    const found = piece.subarray(0, bytesRead).indexOf(newline);
    if (found !== -1) return at + found + 1;
    if (bytesRead < piece.length) break;
  }
  return offset;
}

/** Gives what is between the two back to the disk, but for parts of pages. Its size and its end stay as they are. */
export async function punchHole(path: string, from: number, to: number): Promise<void> {
  const [start, end] = [from - (from % pageBytes), to - (to % pageBytes)];
  if (end <= start) return;
  await runTool('fallocate', ['--punch-hole', '--offset', `${start}`, '--length', `${end - start}`, path]);
}

/**
 * Where the file begins, at `head` or behind it: a power cut may have undone what was noted of a hole, and not the hole. It begins on a
 * page's edge, so the line that it cut is left out.
 */
export async function headBehindHole(path: string, head: number): Promise<number> {
  await using file = await open(path, 'r');
  const { size, blocks } = await file.stat();
  const hasHole = blocks * 512 + 2 * pageBytes < size - head;
  if (!hasHole || !(await isEmptyPage(file, head))) return head;
  let [empty, full] = [Math.floor(head / pageBytes), Math.ceil(size / pageBytes)];
  while (full - empty > 1) {
    const middle = Math.floor((empty + full) / 2);
    if (await isEmptyPage(file, middle * pageBytes)) empty = middle;
    else full = middle;
  }
  return await lineStartAfter(path, Math.min(size, full * pageBytes + 1));
}

/** From there to the next page's edge. */
async function isEmptyPage(file: FileHandle, from: number): Promise<boolean> {
  const length = pageBytes - (from % pageBytes);
  const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, from);
  return buffer.subarray(0, bytesRead).every((byte) => byte === 0);
}
