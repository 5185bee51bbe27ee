/**
 * Reads the lines of one file that something else writes, and whose beginning may be taken away meanwhile. Holds at most one piece of
 * the file and one unfinished line in memory, however large the file is and however long its lines are. Knows nothing of times.
 */
import { type FileHandle, open } from 'node:fs/promises';

const pieceBytes = 64 * 1024;
/** A longer line comes in parts, as Docker cuts it. */
export const maxLineBytes = 16 * 1024;
const newline = 0x0a;
const carriageReturn = 0x0d;

export interface RawLine {
  /** Without its end, LF or CRLF; bytes that are no UTF-8 are U+FFFD. */
  readonly text: string;
  /** Where the file goes on after it. */
  readonly end: number;
  /** The line goes on with the next one. */
  readonly isPartial: boolean;
}

export interface ReadLines {
  readonly lines: readonly RawLine[];
  /** What was taken away before it could be read; then there are no lines this time. */
  readonly droppedBytes: number;
  readonly isAtEnd: boolean;
}

export class LogFile implements AsyncDisposable {
  readonly #file: FileHandle;
  readonly #headOf: () => number;
  readonly #piece = Buffer.allocUnsafe(pieceBytes);
  #offset = 0;
  /** The line that has no end yet. */
  #unfinished: Buffer = Buffer.alloc(0);

  private constructor(file: FileHandle, headOf: () => number) {
    this.#file = file;
    this.#headOf = headOf;
  }

  /** Undefined when there is no such file. `headOf` answers, at any time, where what is kept of the file begins. */
  static async open(path: string, headOf: () => number = () => 0): Promise<LogFile | undefined> {
    try {
      return new LogFile(await open(path, 'r'), headOf);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Epoch milliseconds of the last write. */
  async writtenAt(): Promise<number> {
    return (await this.#file.stat()).mtimeMs;
  }

  /** Where the next line begins. */
  get position(): number {
    return this.#offset - this.#unfinished.length;
  }

  seek(offset: number): void {
    this.#offset = offset;
    this.#unfinished = Buffer.alloc(0);
  }

  /** The lines that are complete since the last call, from one piece of the file; empty where nothing is new. */
  async nextLines(): Promise<ReadLines> {
    const { bytesRead } = await this.#file.read(this.#piece, 0, pieceBytes, this.#offset);
    // Asked after reading: the head moves before anything is taken away, so what was read is whole where it lies behind the head.
    const head = this.#headOf();
    const droppedBytes = head - this.position;
    if (droppedBytes > 0) {
      this.seek(head);
      return { lines: [], droppedBytes, isAtEnd: false };
    }
    this.#offset += bytesRead;
    const lines: RawLine[] = [];
    let rest = Buffer.concat([this.#unfinished, this.#piece.subarray(0, bytesRead)]);
    for (;;) {
      const end = rest.indexOf(newline);
      const length = end === -1 ? rest.length : withoutReturn(rest, end);
      // Two more may yet turn out to be its end.
      if (end === -1 && length < maxLineBytes + 2) break;
      const isPartial = length > maxLineBytes;
      const taken = isPartial ? characterBoundary(rest, maxLineBytes) : length;
      const text = rest.toString('utf8', 0, taken);
      rest = rest.subarray(isPartial ? taken : end + 1);
      lines.push({ text, end: this.#offset - rest.length, isPartial });
    }
    this.#unfinished = rest; // A copy of its own: `concat` made it.
    return { lines, droppedBytes: 0, isAtEnd: bytesRead < pieceBytes };
  }

  /** What stands at the end without a newline: the last line of a process that ended in the middle of it. */
  takeUnfinished(): RawLine | undefined {
    if (this.#unfinished.length === 0) return undefined;
    const text = this.#unfinished.toString('utf8');
    this.#unfinished = Buffer.alloc(0);
    return { text, end: this.#offset, isPartial: false };
  }

  /**
   * Goes to where the last `count` lines begin, none of them before `floor`, and answers how many there are: fewer where the file has
   * fewer. A line that comes in parts counts as so many.
   */
  async seekToLast(count: number, floor = 0): Promise<number> {
    const { size } = await this.#file.stat();
    const lineStart = lineStartFinder(this.#file, this.#piece);
    let lines = 0;
    let lineEnd = size;
    // The last line's own end begins nothing.
    let before = size - 1;
    while (lines < count && lineEnd > floor) {
      const least = Math.max(floor, lineEnd - (count - lines) * maxLineBytes);
      const start = await lineStart(before, least);
      lines += Math.max(1, Math.ceil((lineEnd - start - 1) / maxLineBytes));
      lineEnd = start;
      before = start - 1;
    }
    this.seek(Math.min(lineEnd, size));
    return Math.min(lines, count);
  }

  /** Goes to the beginning of the line that the offset is in, or to the floor. */
  async seekToLineAt(offset: number, floor: number): Promise<void> {
    this.seek(await lineStartFinder(this.#file, this.#piece)(offset, floor));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}

/**
 * Answers the position after the last newline before `end`, or `floor` where there is none after it. Asked again and again for what comes
 * before, it reads each piece of the file once.
 */
function lineStartFinder(file: FileHandle, piece: Buffer): (end: number, floor: number) => Promise<number> {
  let held = { start: 0, end: 0, bytes: 0 };
  return async (end, floor) => {
    for (let upTo = end; upTo > floor; ) {
      if (upTo <= held.start || upTo > held.end) {
        const start = Math.max(0, upTo - piece.length);
        const { bytesRead } = await file.read(piece, 0, upTo - start, start);
        held = { start, end: upTo, bytes: bytesRead };
      }
      const from = Math.max(floor, held.start);
      const found = piece.subarray(from - held.start, Math.min(upTo - held.start, held.bytes)).lastIndexOf(newline);
      if (found !== -1) return from + found + 1;
      upTo = from;
    }
    return floor;
  };
}

const withoutReturn = (text: Buffer, end: number): number => (text[end - 1] === carriageReturn ? end - 1 : end);

/** The last position up to `limit` that does not cut a character of several bytes. */
function characterBoundary(text: Buffer, limit: number): number {
  let boundary = limit;
  // Bytes of the form 10xxxxxx continue a character; one has at most three of them.
  while (boundary > limit - 4 && ((text[boundary] ?? 0) & 0xc0) === 0x80) boundary--;
  return boundary;
}
