/** Access paths of tasks that wait for a host: oldest first within each shard of their cluster. */
import { z } from 'zod';
import { placementNeedsSchema, type Task } from '../../core/model/task.ts';
import { itemOf, parseItem } from './item.ts';
import { allShards, keys, partitions } from './keys.ts';
import { queryAll } from './read-all.ts';
import type { Change, ReadOptions, Table } from './table.ts';

/** What the loops need to judge a waiting task without reading it. */
const waitingTaskSchema = z.object({
  taskId: z.string(),
  createdAt: z.number(),
  placementDeadline: z.number(),
  needs: placementNeedsSchema,
  /** The explanation that the task carries, as its sentence: rewritten only when it changes. */
  sentence: z.string().optional(),
  /** Its `capacityNote`, for the same reason. */
  capacityNote: z.string().optional(),
  quotaOf: z.string().optional(),
});
export type WaitingTask = z.infer<typeof waitingTaskSchema>;

/** All of a cluster, oldest first; some moments old unless it may not be: who changes one reads it first. */
export async function waitingTasks(
  table: Table,
  cluster: string,
  { eventual = true }: ReadOptions = {},
): Promise<WaitingTask[]> {
  const shards = await Promise.all(
    allShards.map((shard) => queryAll(table, partitions.waitingTasks(cluster, shard), { eventual })),
  );
  return shards
    .flat()
    .sort((a, b) => (a.sk < b.sk ? -1 : 1))
    .map((item) => parseItem(waitingTaskSchema, item));
}

/** How many tasks that count against the quota of this key wait in the cluster now. */
export async function countOfKey(table: Table, cluster: string, accessKeyId: string): Promise<number> {
  const shards = await Promise.all(allShards.map((shard) => queryAll(table, partitions.waitingTasks(cluster, shard))));
  return shards.flat().filter(({ data }) => data.quotaOf === accessKeyId).length;
}

/** Whether any task of the cluster waits; some moments old. */
export async function isAnyWaiting(table: Table, cluster: string): Promise<boolean> {
  const pages = await Promise.all(
    allShards.map((shard) => table.query(partitions.waitingTasks(cluster, shard), { eventual: true, limit: 1 })),
  );
  return pages.some(({ items }) => items.length > 0);
}

/** Lists a task as waiting, or brings its listing up to date. */
export const listWaiting = (task: Task): Change => ({
  kind: 'put',
  item: itemOf(keys.waitingTask(task.cluster, task.createdAt, task.id), {
    taskId: task.id,
    createdAt: task.createdAt,
    placementDeadline: task.placementDeadline,
    needs: task.needs,
    sentence: task.explanation?.sentence,
    capacityNote: task.capacityNote,
    quotaOf: task.quotaOf,
  } satisfies WaitingTask),
  when: [],
});

export const unlistWaiting = (task: Pick<Task, 'id' | 'cluster' | 'createdAt'>): Change => ({
  kind: 'delete',
  key: keys.waitingTask(task.cluster, task.createdAt, task.id),
  when: [],
});
