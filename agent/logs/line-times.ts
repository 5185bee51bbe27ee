/**
 * When each part of a log was written. Beside a log's file lies its index: pairs of 64-bit floats (bytes the file had, epoch milliseconds
 * at which that was seen), in order, a pair each time that it was found to have grown. A line has the time of the first pair that covers
 * its end. A negative time is approximate: nobody was there when the file grew. Owns this format; knows nothing of lines or tasks.
 */
import { open, rename, writeFile } from 'node:fs/promises';

export interface LineTime {
  readonly at: number;
  readonly isApproximate: boolean;
}

export interface TimeRecord extends LineTime {
  readonly offset: number;
}

const recordBytes = 16;
/** Then the index is thinned, so that it is never more than a mebibyte, whatever a log is like. */
const maxRecords = 65_536;

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT';

function encode(records: readonly TimeRecord[]): Buffer {
  const bytes = Buffer.allocUnsafe(records.length * recordBytes);
  for (const [index, { offset, at, isApproximate }] of records.entries()) {
    bytes.writeDoubleLE(offset, index * recordBytes);
    bytes.writeDoubleLE(isApproximate ? -at : at, index * recordBytes + 8);
  }
  return bytes;
}

/** What is torn at the end is left out. */
function decode(bytes: Buffer): TimeRecord[] {
  return Array.from({ length: Math.floor(bytes.length / recordBytes) }, (_, index) => {
    const at = bytes.readDoubleLE(index * recordBytes + 8);
    return { offset: bytes.readDoubleLE(index * recordBytes), at: Math.abs(at), isApproximate: at < 0 };
  });
}

/** The index as whoever writes it has it: one writer a file. */
export class TimeIndexWriter {
  readonly #path: string;
  #records: number;
  #last: TimeRecord;

  private constructor(path: string, records: readonly TimeRecord[]) {
    this.#path = path;
    this.#records = records.length;
    this.#last = records.at(-1) ?? { offset: 0, at: 0, isApproximate: false };
  }

  /** `size` is the file's: after a power cut the index may know of bytes that the file has lost. */
  static async open(path: string, size: number): Promise<TimeIndexWriter> {
    const bytes = await readFrom(path, 0);
    const all = decode(bytes);
    const records = all.filter(({ offset }) => offset <= size);
    if (records.length * recordBytes !== bytes.length) await replace(path, records);
    return new TimeIndexWriter(path, records);
  }

  /** How much of the file has a time. */
  get coveredBytes(): number {
    return this.#last.offset;
  }

  /** Times never go back, whatever the clock does. `head` is where what is kept of the file begins. */
  async append({ offset, at, isApproximate }: TimeRecord, head: number): Promise<void> {
    if (this.#records >= maxRecords) await this.#thin(head);
    const record = { offset, at: Math.max(Math.floor(at), this.#last.at), isApproximate };
    const file = await open(this.#path, 'a', 0o600);
    try {
      await file.write(encode([record]));
    } finally {
      await file.close();
    }
    this.#records += 1;
    this.#last = record;
  }

  /** Forgets what was dropped; where that is little, every second pair of the older half, whose lines are then a little later. */
  async #thin(head: number): Promise<void> {
    const kept = decode(await readFrom(this.#path, 0)).filter(({ offset }) => offset > head);
    const older = kept.length / 2;
    const isMany = kept.length > (maxRecords * 3) / 4;
    const records = isMany ? kept.filter((_, index) => index >= older || index % 2 === 1) : kept;
    await replace(this.#path, records);
    this.#records = records.length;
  }
}

/** The index as one reader goes through it, forwards. */
export class TimeIndexReader {
  readonly #path: string;
  #records: readonly TimeRecord[] = [];
  #next = 0;
  /** Of the file that was read, and how far. */
  #inode = 0;
  #readBytes = 0;

  constructor(path: string) {
    this.#path = path;
  }

  covers(end: number): boolean {
    return (this.#records.at(-1)?.offset ?? 0) >= end;
  }

  /** The time of what ends there; undefined where nobody has noted it yet. Offsets only grow from call to call. */
  of(end: number): LineTime | undefined {
    while ((this.#records[this.#next]?.offset ?? end) < end) this.#next += 1;
    return this.#records[this.#next];
  }

  /** Where what is of that time or later begins at the earliest. */
  offsetSince(at: number): number {
    const first = this.#records.findIndex((record) => record.at >= at);
    const before = first === -1 ? this.#records.at(-1) : this.#records[first - 1];
    return before?.offset ?? 0;
  }

  /** Reads what has been added; what was before it is not needed any more, but for the first time. */
  async refresh(): Promise<void> {
    try {
      await using file = await open(this.#path, 'r');
      const { ino, size } = await file.stat();
      const isSame = ino === this.#inode && size >= this.#readBytes;
      const from = isSame ? this.#readBytes : 0;
      const bytes = Buffer.alloc(size - from);
      const { bytesRead } = await file.read(bytes, 0, bytes.length, from);
      const added = decode(bytes.subarray(0, bytesRead));
      if (isSame && added.length === 0) return;
      this.#inode = ino;
      this.#readBytes = from + added.length * recordBytes;
      this.#records = isSame ? [...this.#records.slice(this.#next), ...added] : added;
      this.#next = 0;
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
}

async function readFrom(path: string, from: number): Promise<Buffer> {
  try {
    await using file = await open(path, 'r');
    const { size } = await file.stat();
    const bytes = Buffer.alloc(Math.max(0, size - from));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, from);
    return bytes.subarray(0, bytesRead);
  } catch (error) {
    if (isMissing(error)) return Buffer.alloc(0);
    throw error;
  }
}

async function replace(path: string, records: readonly TimeRecord[]): Promise<void> {
  await writeFile(`${path}.tmp`, encode(records), { mode: 0o600 });
  await rename(`${path}.tmp`, path);
}
