/** What an item of the store's change stream is, told by its key. Items of other kinds are undefined: nobody follows their changes. */
import { type HostCapacity, hostCapacitySchema } from '../../core/model/host.ts';
import type { Task } from '../../core/model/task.ts';
import { parseItem } from './item.ts';
import type { Item } from './table.ts';
import { parseTask } from './task-item.ts';

/** Cluster and shard of a partition that is spread. */
const spread = /^(\w+)#([\w-]+)#\d+$/;

/** The cluster of a task that waits. */
export function waitingClusterOf({ pk }: Pick<Item, 'pk'>): string | undefined {
  const [, list, cluster] = spread.exec(pk) ?? [];
  return list === 'waiting' ? cluster : undefined;
}

export const hostCapacityOf = (item: Item): HostCapacity | undefined =>
  spread.exec(item.pk)?.[1] === 'hosts' ? parseItem(hostCapacitySchema, item) : undefined;

export const taskOf = (item: Item): Task | undefined =>
  item.pk.startsWith('task#') && item.sk === 'task' ? parseTask(item) : undefined;
