/**
 * A container's log as the agent keeps it while it is written: notes when it grows, and takes the oldest of it away where it is more
 * than was asked for. Never copies a byte of it.
 */
import type { Logger } from 'pino';
import type { LogTarget } from '../../core/model/log-target.ts';
import type { Clock } from '../clock.ts';
import { GrowthWatch } from './growth.ts';
import { KeptStream } from './kept-stream.ts';
import { type LogRecord, readLogRecord, writeLogRecord } from './log-record.ts';
import { type LogPaths, type Stream, streams } from './log-store.ts';

export interface KeptLogOptions {
  readonly directory: string;
  readonly paths: LogPaths;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called after each look that found something. */
  readonly grown: () => void;
}

export class KeptLog {
  readonly #options: KeptLogOptions;
  readonly #streams: Readonly<Record<Stream, KeptStream>>;
  #record: LogRecord;
  #watch: GrowthWatch | undefined;
  #turn: Promise<void> = Promise.resolve();
  #hasComplained = false;
  #floors: Readonly<Record<Stream, number>> | undefined;

  private constructor(options: KeptLogOptions, record: LogRecord, opened: Readonly<Record<Stream, KeptStream>>) {
    this.#options = options;
    this.#record = record;
    this.#streams = opened;
  }

  /** Of files that are there. Begins nothing. */
  static async open(options: KeptLogOptions): Promise<KeptLog> {
    const record = await readLogRecord(options.directory);
    const [stdout, stderr] = await Promise.all([
      KeptStream.open(options.paths.stdout, record.heads.stdout),
      KeptStream.open(options.paths.stderr, record.heads.stderr),
    ]);
    return new KeptLog(options, record, { stdout, stderr });
  }

  get directory(): string {
    return this.#options.directory;
  }

  get paths(): LogPaths {
    return this.#options.paths;
  }

  get isFinished(): boolean {
    return this.#record.isFinished;
  }

  /** Where what is kept of the file begins. */
  headOf(stream: Stream): number {
    return this.#streams[stream].head;
  }

  /** When somebody looked last. */
  sizeOf(stream: Stream): number {
    return this.#streams[stream].size;
  }

  get target(): LogTarget {
    return this.#record.target;
  }

  get trouble(): LogRecord['trouble'] {
    return this.#record.trouble;
  }

  async setTrouble(trouble: LogRecord['trouble']): Promise<void> {
    await this.#inTurn(() => this.#write({ trouble }));
  }

  /** What is behind these offsets must not be dropped, however old it is. */
  hold(floors: Readonly<Record<Stream, number>>): void {
    this.#floors = floors;
  }

  /** Looks whenever the files change, until `finish` or `close`. */
  async begin(target?: LogTarget): Promise<void> {
    if (target !== undefined) await this.#inTurn(() => this.#write({ target }));
    this.#watch = new GrowthWatch(
      Object.values(this.#options.paths),
      (isLate) => this.#look(isLate),
      this.#options.clock,
    );
  }

  /** Everything that is there now has a time after it. Answers whether there was something new. */
  async note(isLate = false): Promise<boolean> {
    const now = (): number => this.#options.clock.now();
    const looks = await Promise.all(streams.map((stream) => this.#streams[stream].look(now, isLate)));
    const hasGrown = looks.includes(true);
    if (hasGrown) this.#options.grown(); // Here, because whoever reads may be the first to see it.
    return hasGrown;
  }

  /** Nothing is written any more, and everything that was has a time. */
  async finish(): Promise<void> {
    if (this.isFinished) return;
    this.close();
    await this.#look(false);
    await this.#inTurn(() => this.#write({ isFinished: true }));
    this.#options.grown();
  }

  close(): void {
    this.#watch?.[Symbol.dispose]();
    this.#watch = undefined;
  }

  /** One that fails (the disk is full) is made good by the next: what follows gets its time then. */
  async #look(isLate: boolean): Promise<boolean> {
    const { log, directory } = this.#options;
    try {
      const hasGrown = await this.note(isLate);
      // Also where a reader has noted it before: then nobody has dropped anything for it.
      await this.#inTurn(() => this.#dropOldest());
      return hasGrown;
    } catch (error) {
      log.debug({ err: error, directory }, 'a log cannot be looked at now');
      return false;
    }
  }

  /** The oldest of the file that holds more goes, until what is left is as much as may be. */
  async #dropOldest(): Promise<void> {
    const { stdout, stderr } = this.#streams;
    const { maxBytes, dropBytes } = this.#record.target;
    const dropped = new Set<KeptStream>();
    for (;;) {
      const excess = stdout.keptBytes + stderr.keptBytes - maxBytes;
      const larger = this.#largerDroppable();
      if (excess <= 0 || larger === undefined) break;
      const kept = this.#streams[larger];
      const floor = Math.min(kept.size, this.#floors?.[larger] ?? kept.size);
      await kept.dropTo(Math.min(floor, kept.head + excess + dropBytes));
      dropped.add(kept);
    }
    if (dropped.size === 0) return;
    try {
      await this.#write({ heads: { stdout: stdout.head, stderr: stderr.head } }); // First: a hole must not be there before its note.
      for (const stream of dropped) await stream.punch();
    } catch (error) {
      const { log, directory } = this.#options;
      if (!this.#hasComplained)
        log.warn({ err: error, directory }, 'the oldest of a log cannot be taken from the disk');
      this.#hasComplained = true;
    }
  }

  #largerDroppable(): Stream | undefined {
    const isDroppable = (stream: Stream): boolean =>
      this.#streams[stream].head <
      Math.min(this.#streams[stream].size, this.#floors?.[stream] ?? Number.POSITIVE_INFINITY);
    const [first, second] = streams.filter(isDroppable);
    if (first === undefined || second === undefined) return first;
    return this.#streams[first].keptBytes >= this.#streams[second].keptBytes ? first : second;
  }

  /** One after the other: several write the record. */
  #inTurn(action: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(action);
    this.#turn = done.catch(() => {}); // Told to whoever asked for it.
    return done;
  }

  async #write(change: Partial<LogRecord>): Promise<void> {
    this.#record = { ...this.#record, ...change };
    await writeLogRecord(this.#options.directory, this.#record);
  }
}
