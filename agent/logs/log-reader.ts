/**
 * A task's log as one sequence of lines. The files hold no times: a line's time is when it was read, or when its file was last
 * written, whichever is earlier, so lines of different files keep their order only while they are followed.
 */
import type { LogLine } from '../../core/model/task.ts';
import type { Clock } from '../clock.ts';
import { type Bell, createBell } from '../loops/bell.ts';
import { LogFile } from './log-file.ts';
import { type LogStore, type Stream, streams } from './log-store.ts';
import { watchDirectories } from './watch.ts';

/** What the reader must know of the task besides its files. */
export interface TaskLife {
  /** True once nothing more can be written by these containers, but for what the shim has yet to copy. */
  isOver(taskId: string, containers: readonly string[]): Promise<boolean>;
  /** Rings whenever `isOver` may have changed. */
  ringOnChange(taskId: string, bell: Bell): Disposable;
}

export interface ReadLogsOptions {
  readonly container?: string;
  readonly tail?: number;
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

/** After a process has ended the shim may still be copying its output; once nothing came for so long, that was all. */
const quietMs = 50;

interface OpenLog {
  readonly file: LogFile;
  readonly container: string;
  readonly stream: Stream;
}

export async function* readTaskLogs(
  { store, life, clock }: { readonly store: LogStore; readonly life: TaskLife; readonly clock: Clock },
  taskId: string,
  { container, tail, follow, signal }: ReadLogsOptions,
): AsyncGenerator<readonly LogLine[], void, void> {
  const containers = (await store.containers(taskId)).filter((name) => container === undefined || name === container);
  await using logs = new OpenLogs(store, taskId, clock);
  // Watching begins before the first look, so that nothing is written in between unseen.
  const bell = createBell();
  using _files = follow
    ? watchDirectories(
        containers.map((name) => store.directoryOf(taskId, name)),
        bell,
      )
    : undefined;
  using _life = follow ? life.ringOnChange(taskId, bell) : undefined;
  await logs.openNew(containers);
  if (tail !== undefined) await logs.skipToLast(tail);
  for (let quiet = false; !signal.aborted; ) {
    const over = !follow || (await life.isOver(taskId, containers)); // Asked first: what was written before is read below.
    await logs.openNew(containers);
    let found = false;
    const isLastLook = !follow || (over && quiet);
    for await (const batch of logs.newLines({ isLastLook, signal })) {
      found = true;
      yield batch;
    }
    if (!follow || (isLastLook && !found)) return;
    quiet = over && !found;
    await rungOrQuiet(bell, over ? quietMs : undefined, clock, signal);
  }
}

async function rungOrQuiet(bell: Bell, waitMs: number | undefined, clock: Clock, signal: AbortSignal): Promise<void> {
  if (waitMs === undefined) return await bell.rung(signal);
  const enough = new AbortController();
  const either = AbortSignal.any([signal, enough.signal]);
  await Promise.race([bell.rung(either), clock.sleep(waitMs, either)]);
  enough.abort();
}

/** The files of a task that are being read. */
class OpenLogs implements AsyncDisposable {
  readonly #store: LogStore;
  readonly #taskId: string;
  readonly #clock: Clock;
  readonly #open = new Map<string, OpenLog>();

  constructor(store: LogStore, taskId: string, clock: Clock) {
    this.#store = store;
    this.#taskId = taskId;
    this.#clock = clock;
  }

  /** Opens what has appeared since the last call. */
  async openNew(containers: readonly string[]): Promise<void> {
    for (const container of containers) {
      const paths = this.#store.paths(this.#taskId, container);
      for (const stream of streams) {
        const path = paths[stream];
        if (this.#open.has(path)) continue;
        const file = await LogFile.open(path);
        if (file !== undefined) this.#open.set(path, { file, container, stream });
      }
    }
  }

  /** Leaves out all but the last lines of all files together. */
  async skipToLast(count: number): Promise<void> {
    let wanted = count;
    for (const { file } of (await this.#oldestFirst()).toReversed()) wanted -= await file.seekToLast(wanted);
  }

  /**
   * Everything that is complete and was not read before, the file first that was written last longest ago. On the last look also
   * what has no newline at its end.
   */
  async *newLines(options: {
    readonly isLastLook: boolean;
    readonly signal: AbortSignal;
  }): AsyncGenerator<readonly LogLine[]> {
    for (const log of await this.#oldestFirst()) {
      for (let isAtEnd = false; !isAtEnd && !options.signal.aborted; ) {
        const read = await log.file.nextLines();
        isAtEnd = read.isAtEnd;
        if (read.lines.length > 0) yield await this.#stamped(log, read.lines);
      }
      const rest = options.isLastLook ? log.file.takeUnfinished() : undefined;
      if (rest !== undefined) yield await this.#stamped(log, [rest]);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { file } of this.#open.values()) await file[Symbol.asyncDispose]();
  }

  async #oldestFirst(): Promise<OpenLog[]> {
    const logs = await Promise.all(
      [...this.#open.values()].map(async (log) => ({ log, writtenAt: await log.file.writtenAt() })),
    );
    return logs.toSorted((a, b) => a.writtenAt - b.writtenAt).map(({ log }) => log);
  }

  async #stamped({ file, container, stream }: OpenLog, lines: readonly string[]): Promise<LogLine[]> {
    const at = Math.floor(Math.min(this.#clock.now(), await file.writtenAt()));
    return lines.map((text) => ({ at, container, stream, text }));
  }
}
