/**
 * Follows tasks to their end, or to a status before it: their changes to a narrator, their log lines to whoever wants them. Nothing is
 * decided here about what the end means.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '../client/client.ts';
import { resumed } from '../client/resume.ts';
import type { TaskView } from '../core/api/shapes.ts';
import type { LogLine } from '../core/model/task.ts';
import { followLog } from './follow-log.ts';
import type { Narrator } from './render/narrator.ts';
import { clusterOf, taskIdOf } from './render/task.ts';

const tickMs = 1000;

export interface WatchOptions {
  readonly client: Client;
  readonly narrator: Narrator;
  readonly signal: AbortSignal;
  /** A status at which a task needs to be followed no further. Where absent only its end is one. */
  readonly until?: TaskView['lastStatus'];
  /** Where absent, logs are not followed. */
  readonly onLogLine?: (task: TaskView, line: LogLine) => void;
  /** The logs are not streamed: the last lines come once the task has stopped. */
  readonly onLogWait?: (task: TaskView, error: Error) => void;
  /** The log of a task broke off and is taken up again, or is lost; the task itself is followed on. */
  readonly onLogBreak?: (task: TaskView, error: unknown, what: 'broken' | 'lost') => void;
}

/** Resolves with the tasks as they ended or as they were at `until`, in the given order. Rejects when the signal fires. */
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
  const { client, narrator, signal, until } = options;
  const name = { cluster: clusterOf(first), task: taskIdOf(first) };
  let last = first;
  let printing: Promise<void> | undefined;
  narrator.task(first);
  const isWhole = (): boolean => last.lastStatus === 'STOPPED' || last.lastStatus === until;
  for await (const line of resumed(() => client.watchTask(name, signal), { signal, isWhole })) {
    if (line.kind === 'progress') {
      narrator.progress(line.progress);
      continue;
    }
    last = line.task;
    if (printing !== undefined && hasEnded(last)) await Promise.race([printing, logGrace()]);
    narrator.task(last);
    if (last.cannot.readLogs === undefined) printing ??= printLog(last, options);
    if (last.lastStatus === until) break;
  }
  await printing;
  return last;
}

const hasEnded = ({ containers }: TaskView): boolean => containers.every(({ lastStatus }) => lastStatus === 'STOPPED');

/** What was written before the end is told before it, unless it takes long to come. */
const logGrace = (): Promise<void> => delay(1000, undefined, { ref: false });

async function printLog(
  task: TaskView,
  { client, signal, onLogLine, onLogWait, onLogBreak }: WatchOptions,
): Promise<void> {
  if (onLogLine === undefined) return;
  try {
    const name = { cluster: clusterOf(task), task: taskIdOf(task) };
    const onBreak = (error: unknown): void => onLogBreak?.(task, error, 'broken');
    const onWait = (error: Error): void => onLogWait?.(task, error);
    for await (const line of followLog(client, name, { signal, onBreak, onWait })) onLogLine(task, line);
  } catch (error) {
    if (!signal.aborted) onLogBreak?.(task, error, 'lost');
  }
}
