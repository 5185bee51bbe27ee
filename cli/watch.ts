/**
 * Follows tasks to their end: their changes to a narrator, their log lines to whoever wants them. A connection that breaks, as when the
 * control plane is started again, is taken up where it was; nothing is decided here about what the end means.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Client, WatchLine } from '../client/client.ts';
import type { TaskView } from '../core/api/shapes.ts';
import { errorTraits, GantryError } from '../core/errors.ts';
import type { LogLine } from '../core/model/task.ts';
import type { Narrator } from './render/narrator.ts';
import { clusterOf, taskIdOf } from './render/task.ts';

const retryMs = 1000;
/** After this long without an answer it is said that there is none. */
const patienceMs = 30_000;
const tickMs = 1000;

export interface WatchOptions {
  readonly client: Client;
  readonly narrator: Narrator;
  readonly signal: AbortSignal;
  /** Where absent, logs are not followed. */
  readonly onLogLine?: (task: TaskView, line: LogLine) => void;
  /** Why the log of a task could not be followed; the task itself is followed on. */
  readonly onLogLoss?: (task: TaskView, error: unknown) => void;
}

/** Resolves with the tasks as they ended, in the given order. Rejects when the signal fires. */
export async function watchToEnd(tasks: readonly TaskView[], options: WatchOptions): Promise<TaskView[]> {
  const { narrator } = options;
  const ticking = setInterval(() => narrator.tick(), tickMs);
  try {
    return await Promise.all(tasks.map((task) => watchOne(task, options)));
  } finally {
    clearInterval(ticking);
    narrator.end();
  }
}

async function watchOne(first: TaskView, options: WatchOptions): Promise<TaskView> {
  const { client, narrator, signal } = options;
  let last = first;
  let following: Promise<void> | undefined;
  narrator.task(first);
  for await (const line of resumedWatch(client, first, signal)) {
    if (line.kind === 'progress') {
      narrator.progress(line.progress);
      continue;
    }
    last = line.task;
    if (following !== undefined && hasEnded(last)) await Promise.race([following, logGrace()]);
    narrator.task(last);
    if (last.cannot.readLogs === undefined) following ??= followLog(last, options);
  }
  await following;
  return last;
}

const hasEnded = ({ containers }: TaskView): boolean => containers.every(({ lastStatus }) => lastStatus === 'STOPPED');

/** What was written before the end is told before it, unless it takes long to come. */
const logGrace = (): Promise<void> => delay(1000, undefined, { ref: false });

/** The task's changes until it has stopped, over as many connections as that takes. */
async function* resumedWatch(client: Client, task: TaskView, signal: AbortSignal): AsyncGenerator<WatchLine> {
  const name = { cluster: clusterOf(task), task: taskIdOf(task) };
  let heardAt = performance.now();
  for (;;) {
    try {
      for await (const line of client.watchTask(name, signal)) {
        heardAt = performance.now();
        yield line;
        if (line.kind === 'task' && line.task.lastStatus === 'STOPPED') return;
      }
    } catch (error) {
      if (signal.aborted || !isPassing(error) || performance.now() - heardAt > patienceMs) throw error;
    }
    await delay(retryMs, undefined, { signal });
  }
}

/** A GantryError says itself whether trying again helps; anything else is a connection that broke. */
const isPassing = (error: unknown): boolean => !(error instanceof GantryError) || errorTraits[error.code].retryable;

async function followLog(task: TaskView, { client, signal, onLogLine, onLogLoss }: WatchOptions): Promise<void> {
  if (onLogLine === undefined) return;
  try {
    const name = { cluster: clusterOf(task), task: taskIdOf(task), follow: true };
    for await (const line of client.logs(name, signal)) onLogLine(task, line);
  } catch (error) {
    if (!signal.aborted) onLogLoss?.(task, error);
  }
}
