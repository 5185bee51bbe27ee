/**
 * Access paths of tasks: the task item (three facts, guarded by `version`), the live listing of its cluster until it is STOPPED, and
 * its place in the history index from then on. Waiting tasks have a listing of their own (waiting-tasks.ts).
 */
import { z } from 'zod';
import { launchTypeSchema, type Task, taskSchema } from '../../core/model/task.ts';
import { desiredStatus, taskTimes } from '../../core/task/status.ts';
import { itemOf, parseItem, parseOptional } from './item.ts';
import { keys, partitions } from './keys.ts';
import { getAll } from './read-all.ts';
import type { Change, Page, QueryOptions, Table } from './table.ts';

/** What ListTasks filters by. */
const liveTaskSchema = z.object({
  taskId: z.string(),
  family: z.string(),
  group: z.string(),
  startedBy: z.string().optional(),
  launchType: launchTypeSchema.optional(),
  hostId: z.string().optional(),
  desiredStatus: z.enum(['RUNNING', 'STOPPED']),
});
export type LiveTask = z.infer<typeof liveTaskSchema>;

export const getTask = async (table: Table, taskId: string): Promise<Task | undefined> =>
  parseOptional(taskSchema, await table.get(keys.task(taskId)));

/** By id; those that do not exist are left out. */
export const getTasks = async (table: Table, taskIds: readonly string[]): Promise<Map<string, Task>> => {
  const items = await getAll(table, taskIds.map(keys.task));
  return new Map(
    items.map((item) => [item.sk === 'task' ? item.pk.slice('task#'.length) : item.pk, parseItem(taskSchema, item)]),
  );
};

export const addTask = (task: Task): Change => ({
  kind: 'put',
  item: itemOf(keys.task(task.id), task),
  when: [{ item: 'absent' }],
});

/** Replaces what was read by its successor, whose `version` is one more; refused where somebody else wrote in between. */
export function replaceTask(seen: Task, members: Omit<Task, 'version'>, retentionSeconds: number): Change {
  const next: Task = { ...members, version: seen.version + 1 };
  const { stoppedAt } = taskTimes(next);
  return {
    kind: 'put',
    item: itemOf(keys.task(next.id), next, stoppedAt === undefined ? {} : ended(next, stoppedAt, retentionSeconds)),
    when: [
      { path: ['version'], is: '=', value: seen.version },
      // What makes giving back a host's capacity happen exactly once.
      ...(next.released ? [{ path: ['released'] as const, is: '=' as const, value: false }] : []),
    ],
  };
}

/** From its end on a task has a place in history and a time after which it is forgotten. */
const ended = (task: Task, stoppedAt: number, retentionSeconds: number) => ({
  history: keys.stoppedTask(task.cluster, stoppedAt, task.id),
  expiresAt: Math.ceil(stoppedAt / 1000) + retentionSeconds,
});

/** Lists the task, or brings its listing up to date. */
export const listTask = (task: Task): Change => ({
  kind: 'put',
  item: itemOf(keys.liveTask(task.cluster, task.id), {
    taskId: task.id,
    family: task.family,
    group: task.needs.group,
    startedBy: task.startedBy,
    launchType: task.launchType,
    hostId: task.hostId,
    desiredStatus: desiredStatus(task),
  } satisfies LiveTask),
  when: [],
});

/** Takes a task that is STOPPED out of the live listing. */
export const unlistTask = (task: Pick<Task, 'id' | 'cluster'>): Change => ({
  kind: 'delete',
  key: keys.liveTask(task.cluster, task.id),
  when: [],
});

export interface TaskPage<T> {
  readonly entries: readonly { readonly position: string; readonly entry: T }[];
  readonly next?: string;
}

const pageOf = <T>(page: Page, entries: TaskPage<T>['entries']): TaskPage<T> =>
  page.next === undefined ? { entries } : { entries, next: page.next };

/** One shard of a cluster's live tasks, in the order of ids, read strongly. */
export async function liveTasksPage(
  table: Table,
  cluster: string,
  shard: number,
  options: QueryOptions,
): Promise<TaskPage<LiveTask>> {
  const page = await table.query(partitions.liveTasks(cluster, shard), options);
  return pageOf(
    page,
    page.items.map((item) => ({ position: item.sk, entry: parseItem(liveTaskSchema, item) })),
  );
}

/** One shard of a cluster's stopped tasks, in the order of their ends; eventually consistent. */
export async function stoppedTasksPage(
  table: Table,
  cluster: string,
  shard: number,
  options: QueryOptions,
): Promise<TaskPage<{ task: Task; expiresAt: number | undefined }>> {
  const page = await table.queryHistory(partitions.stoppedTasks(cluster, shard), options);
  return pageOf(
    page,
    page.items.map((item) => ({
      position: item.history?.sk ?? item.sk,
      entry: { task: parseItem(taskSchema, item), expiresAt: item.expiresAt },
    })),
  );
}

/** Takes away a task whose time is over. */
export const deleteTask = (taskId: string): Change => ({ kind: 'delete', key: keys.task(taskId), when: [] });
