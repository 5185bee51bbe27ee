/**
 * Access paths of tasks: the task item (three facts, guarded by `version`), the live listing of its cluster until it is STOPPED, and
 * its place in the history index from then on. Waiting tasks have a listing of their own (waiting-tasks.ts).
 */
import { z } from 'zod';
import { launchTypeSchema, type Task, taskSchema } from '../../core/model/task.ts';
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

/** The successor of what was read; `version` grows by one, whatever `next` says. */
export const succeeding = (seen: Task, next: Omit<Task, 'version'>): Task => ({ ...next, version: seen.version + 1 });

/** Replaces a live task by its successor; refused where somebody else wrote in between. */
export const replaceTask = (next: Task): Change => ({
  kind: 'put',
  item: itemOf(keys.task(next.id), next),
  when: [{ path: ['version'], is: '=', value: next.version - 1 }],
});

/**
 * Replaces a task by its last successor, which moves from the live listing into history. Where the task had been placed, the
 * condition on `released` makes giving back its host's capacity happen exactly once.
 */
export function endTask(next: Task, stoppedAt: number, retentionSeconds: number): Change[] {
  const history = keys.stoppedTask(next.cluster, stoppedAt, next.id);
  return [
    {
      kind: 'put',
      item: itemOf(keys.task(next.id), next, { history, expiresAt: Math.ceil(stoppedAt / 1000) + retentionSeconds }),
      when: [
        { path: ['version'], is: '=', value: next.version - 1 },
        { path: ['released'], is: '=', value: false },
      ],
    },
    { kind: 'delete', key: keys.liveTask(next.cluster, next.id), when: [] },
  ];
}

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
    desiredStatus: task.desired.status,
  } satisfies LiveTask),
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
