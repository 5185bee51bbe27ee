/** Whose logs are read: tasks that were named, those of a family, or all of a cluster; and when there is something to read of them. */
import type { Client } from '../client/client.ts';
import { resumed } from '../client/resume.ts';
import type { TaskView } from '../core/api/shapes.ts';
import { compact } from '../core/compact.ts';
import { GantryError } from '../core/errors.ts';
import type { CommandContext } from './context.ts';
import { findTask } from './find-task.ts';
import { recentTasks } from './recent-tasks.ts';
import { clusterOf, shortId, taskIdOf } from './render/task.ts';

interface Selection {
  readonly family?: string | undefined;
  readonly all?: boolean | undefined;
  readonly follow: boolean;
}

/** Each is a connection of its own. */
const maxTasks = 50;

/** Of a selection those that live and, where nobody follows, those that stopped in the last hour. */
export async function tasksOfLogs(
  context: CommandContext,
  names: readonly string[],
  { family, all = false, follow }: Selection,
): Promise<TaskView[]> {
  const isSelection = family !== undefined || all;
  if (isSelection === names.length > 0)
    throw new GantryError('InvalidParameterException', 'Name tasks by their ids, or say --family or --all.', {
      hint: '`gantry ps` shows what runs.',
    });
  const tasks = isSelection
    ? await selected(context, family, follow)
    : await Promise.all(names.map((name) => findTask(context, name)));
  if (tasks.length > maxTasks)
    throw new GantryError(
      'InvalidParameterException',
      `These are ${tasks.length} tasks, and at most ${maxTasks} are read at once.`,
      {
        hint: 'Name those that matter; `gantry ps` shows them.',
      },
    );
  return tasks;
}

async function selected(context: CommandContext, family: string | undefined, follow: boolean): Promise<TaskView[]> {
  const { cluster } = context;
  const tasks = await recentTasks(context, compact({ cluster, family }), false);
  const found = tasks.filter(
    ({ lastStatus, cannot }) => (follow && lastStatus !== 'STOPPED') || (!follow && cannot.readLogs === undefined),
  );
  if (found.length > 0) return found;
  const what = family === undefined ? 'task' : `task of the family ${family}`;
  throw new GantryError('ResourceNotFoundException', `The cluster ${cluster} has no ${what} that has a log now.`, {
    hint: '`gantry ps --all` shows all that are still known.',
  });
}

/** Throws where there is nothing to read of it: `name` is what people called it. */
function refuseUnreadable({ cannot: { readLogs } }: TaskView, name: string): void {
  if (readLogs === undefined) return;
  throw new GantryError('ResourceNotFoundException', readLogs, { hint: `\`gantry why ${name}\` says more.` });
}

/** What `open` reads of the task: at once, or with `follow` when there is something to read. */
export async function* whenReadable<T>(
  { client, signal }: CommandContext,
  task: TaskView,
  follow: boolean,
  open: () => AsyncGenerator<T>,
): AsyncGenerator<T> {
  refuseUnreadable(follow ? await onceReadable(client(), task, signal) : task, shortId(task));
  yield* open();
}

/** The task once it has written or will never write anything. */
async function onceReadable(client: Client, task: TaskView, signal: AbortSignal): Promise<TaskView> {
  let last = task;
  const isSettled = (): boolean => last.cannot.readLogs === undefined || last.lastStatus === 'STOPPED';
  if (isSettled()) return last;
  const name = { cluster: clusterOf(task), task: taskIdOf(task) };
  for await (const line of resumed(() => client.watchTask(name, signal), { signal, isWhole: isSettled })) {
    if (line.kind === 'task') last = line.task;
    if (isSettled()) break;
  }
  return last;
}
