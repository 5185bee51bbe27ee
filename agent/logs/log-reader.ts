/**
 * A task's log as one sequence of lines, in the order of their times. It reads the files that the containers' output goes to, at its
 * reader's pace, and never more than a piece of each; what is dropped while it reads is said in a line of its own.
 */
import type { LogLine } from '../../core/model/task.ts';
import type { Clock } from '../clock.ts';
import { type Bell, createBell } from '../loops/bell.ts';
import type { LogKeeper } from './log-keeper.ts';
import { streams } from './log-store.ts';
import { OpenLog } from './open-log.ts';

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
  /** Epoch milliseconds: only lines of that time and later. */
  readonly since?: number;
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

/** After a process has ended the shim may still be copying its output; once nothing came for so long, that was all. */
const quietMs = 50;
const maxBatchLines = 500;

export async function* readTaskLogs(
  { keeper, life, clock }: { readonly keeper: LogKeeper; readonly life: TaskLife; readonly clock: Clock },
  taskId: string,
  { container, tail, since = 0, follow, signal }: ReadLogsOptions,
): AsyncGenerator<readonly LogLine[], void, void> {
  const containers = (await keeper.store.containers(taskId)).filter(
    (name) => container === undefined || name === container,
  );
  await using logs = new OpenLogs(keeper, taskId, since);
  // Listening begins before the first look, so that nothing is written in between unseen.
  const bell = createBell();
  using _files = follow ? keeper.ringOnGrowth(taskId, bell) : undefined;
  using _life = follow ? life.ringOnChange(taskId, bell) : undefined;
  await logs.openNew(containers);
  if (tail !== undefined) await logs.skipToLast(tail);
  if (follow) yield* logs.troubles();
  for (let quiet = false; !signal.aborted; ) {
    const over = !follow || (await life.isOver(taskId, containers)); // Asked first: what was written before is read below.
    await logs.openNew(containers);
    let found = false;
    const isLastLook = !follow || (over && quiet);
    for await (const batch of logs.newLines({ isLastLook, signal })) {
      found = true;
      yield batch;
    }
    if (!follow) yield* logs.troubles();
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
  readonly #keeper: LogKeeper;
  readonly #taskId: string;
  readonly #since: number;
  readonly #open = new Map<string, OpenLog>();
  /** Lines of all files together that are yet to be left out. */
  #skipped = 0;

  constructor(keeper: LogKeeper, taskId: string, since: number) {
    this.#keeper = keeper;
    this.#taskId = taskId;
    this.#since = since;
  }

  /** Opens what has appeared since the last call. */
  async openNew(containers: readonly string[]): Promise<void> {
    for (const container of containers) {
      const paths = this.#keeper.store.paths(this.#taskId, container);
      if (this.#open.has(paths.stdout)) continue;
      const kept = await this.#keeper.of(this.#taskId, container);
      if (kept === undefined) continue;
      for (const stream of streams) {
        const log = await OpenLog.open({ kept, container, stream, path: paths[stream], since: this.#since });
        if (log !== undefined) this.#open.set(paths[stream], log);
      }
    }
  }

  /** Leaves out all but the last lines of all files together. */
  async skipToLast(count: number): Promise<void> {
    let lines = 0;
    for (const log of this.#open.values()) lines += await log.seekToLast(count);
    this.#skipped = Math.max(0, lines - count);
  }

  /** Of logs that cannot be sent where they should be: a line each. */
  *troubles(): Generator<readonly LogLine[]> {
    for (const { trouble } of this.#open.values()) if (trouble !== undefined) yield [trouble];
  }

  /** Everything that is complete and was not read before. On the last look also what has no newline at its end. */
  async *newLines(options: {
    readonly isLastLook: boolean;
    readonly signal: AbortSignal;
  }): AsyncGenerator<readonly LogLine[]> {
    const { isLastLook, signal } = options;
    while (!signal.aborted) {
      // A file that has nothing now may get something, and that will be later than what is there.
      for (const log of this.#open.values()) await log.fill(isLastLook);
      const batch = this.#earliest();
      if (batch.length === 0) return;
      const shown = batch.slice(this.#skipped);
      this.#skipped -= batch.length - shown.length;
      if (shown.length > 0) yield shown;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const log of this.#open.values()) await log[Symbol.asyncDispose]();
  }

  /** Lines in the order of their times, until one of the files has to be read on. */
  #earliest(): LogLine[] {
    const waiting = [...this.#open.values()].filter(({ next }) => next !== undefined);
    const lines: LogLine[] = [];
    while (lines.length < maxBatchLines) {
      let first: OpenLog | undefined;
      for (const log of waiting) if (timeOf(log) < timeOf(first)) first = log;
      const line = first?.take();
      if (line === undefined) break;
      lines.push(line);
      if (first?.next === undefined) break;
    }
    return lines;
  }
}

const timeOf = (log: OpenLog | undefined): number => log?.next?.at ?? Number.POSITIVE_INFINITY;
