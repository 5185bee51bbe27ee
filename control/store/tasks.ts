/**
 * Access paths of tasks: the task item (three facts, guarded by `version`), the live listing of its cluster until it is STOPPED, and
 * its place in the history index from then on. Waiting tasks have a listing of their own (waiting-tasks.ts).
 */
import { z } from 'zod';
import { launchTypeSchema, type Task, taskStatusSchema } from '../../core/model/task.ts';
import { desiredStatus, lastStatus, mayStillRun, taskTimes } from '../../core/task/status.ts';
import { itemOf, parseItem } from './item.ts';
import { keys, partitions } from './keys.ts';
import { type MergeOptions, mergeShards, type Positioned, type ShardPage } from './merge-shards.ts';
import { getAll } from './read-all.ts';
import type { Change, Item, Page, Table } from './table.ts';
import { parseTask, taskData } from './task-item.ts';

/** What ListTasks filters by and DescribeClusters counts. */
const liveTaskSchema = z.object({
  taskId: z.string(),
  family: z.string(),
  group: z.string(),
  startedBy: z.string().optional(),
  launchType: launchTypeSchema.optional(),
  capacityProvider: z.string().optional(),
  hostId: z.string().optional(),
  desiredStatus: z.enum(['RUNNING', 'STOPPED']),
  lastStatus: taskStatusSchema,
  /** Of the task that it was written with, or of the one before: an update that comes late is refused by it. */
  version: z.number().int().optional(),
});
export type LiveTask = z.infer<typeof liveTaskSchema>;

export const getTask = async (table: Table, taskId: string): Promise<Task | undefined> =>
  optionalTask(await table.get(keys.task(taskId)));

const optionalTask = (item: Item | undefined): Task | undefined => (item === undefined ? undefined : parseTask(item));

/** By id; those that do not exist are left out. */
export const getTasks = async (table: Table, taskIds: readonly string[]): Promise<Map<string, Task>> => {
  const items = await getAll(table, taskIds.map(keys.task));
  return new Map(items.map(parseTask).map((task) => [task.id, task]));
};

export const addTask = (task: Task): Change => ({
  kind: 'put',
  item: itemOf(keys.task(task.id), taskData(task)),
  when: [{ item: 'absent' }],
});

/** One that is over when it becomes known: only history. */
export function addEndedTask(task: Task, retentionSeconds: number): Change {
  const { stoppedAt = task.createdAt } = taskTimes(task);
  const item = itemOf(keys.task(task.id), taskData(task), ended(task, stoppedAt, retentionSeconds));
  return { kind: 'put', item, when: [{ item: 'absent' }] };
}

/** Replaces what was read by its successor, whose `version` is one more; refused where somebody else wrote in between. */
export function replaceTask(seen: Task, members: Omit<Task, 'version'>, retentionSeconds: number): Change {
  const next: Task = { ...members, version: seen.version + 1 };
  const { stoppedAt } = taskTimes(next);
  return {
    kind: 'put',
    item: itemOf(
      keys.task(next.id),
      taskData(next),
      stoppedAt === undefined ? {} : ended(next, stoppedAt, retentionSeconds),
    ),
    when: [
      { path: ['version'], is: '=', value: seen.version },
      // What makes giving back a host's capacity happen exactly once.
      ...(next.released && !seen.released ? [{ path: ['released'] as const, is: '=' as const, value: false }] : []),
    ],
  };
}

/** From its end on a task has a place in history and a time after which it is forgotten. */
const ended = (task: Task, stoppedAt: number, retentionSeconds: number) => ({
  history: keys.stoppedTask(task.cluster, stoppedAt, task.id),
  // While it may run somewhere it holds something there, and whoever comes back with it must find it.
  ...(!mayStillRun(task) && { expiresAt: Math.ceil(stoppedAt / 1000) + retentionSeconds }),
});

/** Lists the task, or brings its listing up to date; needed whenever `listingDiffers`. */
export const listTask = (task: Task): Change => ({
  kind: 'put',
  item: itemOf(keys.liveTask(task.cluster, task.id), {
    taskId: task.id,
    family: task.family,
    group: task.needs.group,
    startedBy: task.startedBy,
    launchType: task.launchType,
    capacityProvider: task.capacityProvider,
    hostId: task.hostId,
    desiredStatus: desiredStatus(task),
    lastStatus: lastStatus(task),
    version: task.version,
  } satisfies LiveTask),
  when: [],
});

/** Brings the status in the listing up to that of the task as it is stored; refused where it is as new already, or gone. */
export const relistTask = (task: Task): Change => ({
  kind: 'update',
  key: keys.liveTask(task.cluster, task.id),
  set: [
    { path: ['lastStatus'], value: lastStatus(task) },
    { path: ['version'], value: task.version },
  ],
  when: [{ path: ['version'], is: '<', value: task.version }],
});

export const listingDiffers = (a: Task, b: Task): boolean =>
  desiredStatus(a) !== desiredStatus(b) || lastStatus(a) !== lastStatus(b) || a.hostId !== b.hostId;

/** Takes a task that is STOPPED out of the live listing. */
export const unlistTask = (task: Pick<Task, 'id' | 'cluster'>): Change => ({
  kind: 'delete',
  key: keys.liveTask(task.cluster, task.id),
  when: [],
});

const pageOf = <T>(page: Page, entries: ShardPage<T>['entries']): ShardPage<T> =>
  page.next === undefined ? { entries } : { entries, next: page.next };

/** A cluster's live tasks, in the order of their ids, read strongly. Positions are ids. */
export const liveTasks = (
  table: Table,
  cluster: string,
  options: MergeOptions,
): AsyncGenerator<Positioned<LiveTask>, undefined> =>
  mergeShards(options, async (shard, query) => {
    const page = await table.query(partitions.liveTasks(cluster, shard), query);
    return pageOf(
      page,
      page.items.map((item) => ({ position: item.sk, entry: parseItem(liveTaskSchema, item) })),
    );
  });

/** The listings of some live tasks. */
export const getLiveTasks = async (
  table: Table,
  cluster: string,
  taskIds: readonly string[],
): Promise<Map<string, LiveTask>> => {
  const items = await getAll(
    table,
    taskIds.map((taskId) => keys.liveTask(cluster, taskId)),
  );
  return new Map(items.map((item) => [item.sk, parseItem(liveTaskSchema, item)]));
};

interface StoppedTask {
  readonly task: Task;
  /** Epoch seconds. */
  readonly expiresAt: number | undefined;
}

/** A cluster's stopped tasks in the order of their ends, whether or not their time is over; eventually consistent. */
export const stoppedTasks = (
  table: Table,
  cluster: string,
  options: MergeOptions,
): AsyncGenerator<Positioned<StoppedTask>, undefined> =>
  mergeShards(options, async (shard, query) => {
    const page = await table.queryHistory(partitions.stoppedTasks(cluster, shard), query);
    return pageOf(
      page,
      page.items.map((item) => ({
        position: item.history?.sk ?? item.sk,
        entry: { task: parseTask(item), expiresAt: item.expiresAt },
      })),
    );
  });

/** Takes away a task whose time is over. */
export const deleteTask = (taskId: string): Change => ({ kind: 'delete', key: keys.task(taskId), when: [] });
