/** One file of a log as one reader goes through it: its lines with their times, from where the reader wants to begin. */
import type { LogLine } from '../../core/model/task.ts';
import type { KeptLog } from './kept-log.ts';
import { timesPath } from './kept-stream.ts';
import { type LineTime, TimeIndexReader } from './line-times.ts';
import { LogFile, type RawLine } from './log-file.ts';
import { lineStartAfter } from './log-head.ts';
import type { Stream } from './log-store.ts';

export interface OpenLogOptions {
  readonly kept: KeptLog;
  readonly container: string;
  readonly stream: Stream;
  readonly path: string;
  /** Epoch milliseconds: what is older is left out. */
  readonly since?: number;
  /** Where the reader has got to before. */
  readonly from?: number;
}

export class OpenLog implements AsyncDisposable {
  readonly #options: OpenLogOptions;
  readonly #file: LogFile;
  readonly #times: TimeIndexReader;
  #lines: readonly LogLine[] = [];
  #taken = 0;
  #writtenAt = 0;

  private constructor(options: OpenLogOptions, file: LogFile, times: TimeIndexReader) {
    this.#options = options;
    this.#file = file;
    this.#times = times;
  }

  /** Undefined where there is no such file. */
  static async open(options: OpenLogOptions): Promise<OpenLog | undefined> {
    const { kept, stream, path, since = 0, from = 0 } = options;
    const file = await LogFile.open(path, () => kept.headOf(stream));
    if (file === undefined) return undefined;
    const times = new TimeIndexReader(timesPath(path));
    await times.refresh();
    const log = new OpenLog(options, file, times);
    if (from > 0) file.seek(from);
    const begin = times.offsetSince(since);
    // Otherwise it begins at the very beginning, and what is no longer there is dropped under it.
    if (from === 0 && begin > kept.headOf(stream)) await file.seekToLineAt(begin, kept.headOf(stream));
    return log;
  }

  /** The line that `take` takes. */
  get next(): LogLine | undefined {
    return this.#lines[this.#taken];
  }

  take(): LogLine | undefined {
    const line = this.next;
    this.#taken += 1;
    return line;
  }

  /** One of its container's two files says it. */
  get trouble(): LogLine | undefined {
    const { kept, container, stream } = this.#options;
    if (kept.trouble === undefined || stream !== 'stderr') return undefined;
    const { since: at, message } = kept.trouble;
    return {
      at,
      container,
      stream,
      text: `[gantry] CloudWatch Logs has not taken all of this log: ${message}`,
      notice: true,
    };
  }

  get stream(): Stream {
    return this.#options.stream;
  }

  /** Where its next line begins that is not read yet. */
  get position(): number {
    return this.#file.position;
  }

  /** So much of the file is not read yet. */
  get unreadBytes(): number {
    return Math.max(0, this.#options.kept.sizeOf(this.stream) - this.#file.position);
  }

  /** Leaves out so much, up to where a line begins, and answers how much that is. */
  async skip(bytes: number): Promise<number> {
    const before = this.#file.position;
    this.#file.seek(Math.max(before, await lineStartAfter(this.#options.path, before + bytes)));
    return this.#file.position - before;
  }

  /** Leaves out all but the last lines, and answers how many there are. Only before anything was read. */
  async seekToLast(count: number): Promise<number> {
    const floor = Math.max(this.#file.position, this.#options.kept.headOf(this.#options.stream));
    return await this.#file.seekToLast(count, floor);
  }

  /** Reads on where every line was taken. */
  async fill(isLastLook: boolean): Promise<void> {
    while (this.next === undefined) {
      const { lines, droppedBytes, isAtEnd } = await this.#file.nextLines();
      const rest = isLastLook && isAtEnd && lines.length === 0 ? this.#file.takeUnfinished() : undefined;
      this.#taken = 0;
      if (droppedBytes > 0) this.#lines = [await this.#droppedLine(droppedBytes)];
      else this.#lines = await this.#stamped(rest === undefined ? lines : [rest]);
      if (isAtEnd && lines.length === 0) return;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file[Symbol.asyncDispose]();
  }

  async #stamped(lines: readonly RawLine[]): Promise<LogLine[]> {
    const { container, stream, since = 0 } = this.#options;
    const last = lines.at(-1);
    if (last === undefined) return [];
    await this.#cover(last.end);
    return lines.flatMap(({ text, end, isPartial }) => {
      const { at, isApproximate } = this.#timeOf(end);
      if (at < since) return [];
      const marks = { ...(isApproximate && { approximate: true }), ...(isPartial && { partial: true }) };
      return [{ at, container, stream, text, offset: end, ...marks }];
    });
  }

  /** In the place of what is missing. */
  async #droppedLine(droppedBytes: number): Promise<LogLine> {
    const { container, stream } = this.#options;
    const { position } = this.#file;
    await this.#cover(position);
    const { at } = this.#timeOf(position);
    const text = `[gantry] ${droppedBytes} bytes of this log are no longer kept.`;
    return { at, container, stream, text, offset: position, notice: true, droppedBytes };
  }

  async #cover(end: number): Promise<void> {
    if (this.#times.covers(end)) return;
    await this.#options.kept.note();
    await this.#times.refresh();
    this.#writtenAt = Math.floor(await this.#file.writtenAt());
  }

  /** Of what has no time, because the disk had no room for it: when the file was last written. */
  #timeOf(end: number): LineTime {
    return this.#times.of(end) ?? { at: this.#writtenAt, isApproximate: true };
  }
}
