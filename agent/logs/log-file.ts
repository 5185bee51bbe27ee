/**
 * Reads the lines of one file that something else writes. Holds at most one piece of the file and one unfinished line in memory,
 * however large the file is and however long its lines are.
 */
import { type FileHandle, open } from 'node:fs/promises';

const pieceBytes = 64 * 1024;
/** A longer line is cut, as Docker cuts it. */
export const maxLineBytes = 16 * 1024;
const newline = 0x0a;

export class LogFile implements AsyncDisposable {
  readonly #file: FileHandle;
  readonly #piece = Buffer.allocUnsafe(pieceBytes);
  #offset = 0;
  /** The line that has no end yet. */
  #unfinished: Buffer = Buffer.alloc(0);

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Undefined when there is no such file. */
  static async open(path: string): Promise<LogFile | undefined> {
    try {
      return new LogFile(await open(path, 'r'));
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Epoch milliseconds of the last write. */
  async writtenAt(): Promise<number> {
    return (await this.#file.stat()).mtimeMs;
  }

  /** The lines that are complete since the last call, from one piece of the file; empty where nothing is new. */
  async nextLines(): Promise<{ readonly lines: readonly string[]; readonly isAtEnd: boolean }> {
    const { bytesRead } = await this.#file.read(this.#piece, 0, pieceBytes, this.#offset);
    this.#offset += bytesRead;
    const lines: string[] = [];
    let rest = Buffer.concat([this.#unfinished, this.#piece.subarray(0, bytesRead)]);
    for (;;) {
      const end = rest.indexOf(newline);
      if (end === -1 && rest.length < maxLineBytes) break;
      const length = end === -1 || end > maxLineBytes ? characterBoundary(rest, maxLineBytes) : end;
      lines.push(rest.toString('utf8', 0, length));
      rest = rest.subarray(length === end ? length + 1 : length);
    }
    this.#unfinished = rest; // A copy of its own: `concat` made it.
    return { lines, isAtEnd: bytesRead < pieceBytes };
  }

  /** What stands at the end without a newline: the last line of a process that ended in the middle of it. */
  takeUnfinished(): string | undefined {
    if (this.#unfinished.length === 0) return undefined;
    const line = this.#unfinished.toString('utf8');
    this.#unfinished = Buffer.alloc(0);
    return line;
  }

  /** Goes to where the last `count` lines begin, and answers how many there are: fewer where the file has fewer. */
  async seekToLast(count: number): Promise<number> {
    const { size } = await this.#file.stat();
    this.#offset = size;
    let lines = 0;
    let end = size;
    while (end > 0) {
      const start = Math.max(0, end - pieceBytes);
      const { bytesRead } = await this.#file.read(this.#piece, 0, end - start, start);
      for (let index = bytesRead - 1; index >= 0; index--) {
        const position = start + index;
        if (this.#piece[index] !== newline || position === size - 1) continue; // The last line's own end begins nothing.
        if (lines === count) return lines;
        lines++;
        this.#offset = position + 1;
      }
      end = start;
    }
    if (lines === count || size === 0) return lines;
    this.#offset = 0;
    return lines + 1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}

/** The last position up to `limit` that does not cut a character of several bytes. */
function characterBoundary(text: Buffer, limit: number): number {
  let boundary = limit;
  // Bytes of the form 10xxxxxx continue a character; one has at most three of them.
  while (boundary > limit - 4 && ((text[boundary] ?? 0) & 0xc0) === 0x80) boundary--;
  return boundary;
}
