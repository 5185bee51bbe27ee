/** What an item of the store's change stream is, told by its key. Items of other kinds are undefined: nobody follows their changes. */
import { type Purchase, purchaseSchema } from '../../core/model/capacity.ts';
import { type HostCapacity, hostCapacitySchema } from '../../core/model/host.ts';
import type { Task } from '../../core/model/task.ts';
import { type Drain, drainSchema } from './drains.ts';
import { type KeptEvent, keptEventSchema } from './events.ts';
import { parseItem } from './item.ts';
import { partitions } from './keys.ts';
import type { Item } from './table.ts';
import { eventUntold } from './table-shape.ts';
import { parseTask } from './task-item.ts';

/** Cluster and shard of a partition that is spread. */
const spread = /^(\w+)#([\w-]+)#\d+$/;

/** Whether events may tell of a change of this item. */
export const isToldOf = ({ pk }: Pick<Item, 'pk'>): boolean => toldPrefixes.some((prefix) => pk.startsWith(prefix));

const toldPrefixes = [
  'task#',
  partitions.hostsPrefix,
  partitions.purchases(''),
  partitions.pastPurchases(''),
  partitions.drains(''),
];

/** The cluster of a task that waits. */
export function waitingClusterOf({ pk }: Pick<Item, 'pk'>): string | undefined {
  const [, list, cluster] = spread.exec(pk) ?? [];
  return list === 'waiting' ? cluster : undefined;
}

export const hostCapacityOf = (item: Item): HostCapacity | undefined =>
  spread.exec(item.pk)?.[1] === 'hosts' ? parseItem(hostCapacitySchema, item) : undefined;

export const taskOf = (item: Item): Task | undefined =>
  item.pk.startsWith('task#') && item.sk === 'task' ? parseTask(item) : undefined;

export const purchaseOf = (item: Item): Purchase | undefined =>
  item.pk.startsWith(partitions.purchases('')) ? parseItem(purchaseSchema, item) : undefined;

/** One that is over, in the history of its cluster. */
export const pastPurchaseOf = (item: Item): Purchase | undefined =>
  item.pk.startsWith(partitions.pastPurchases('')) ? parseItem(purchaseSchema, item) : undefined;

export const drainOf = (item: Item): Drain | undefined =>
  item.pk.startsWith(partitions.drains('')) ? parseItem(drainSchema, item) : undefined;

/** An event that its writer has kept and told nobody of. */
export function untoldEventOf(item: Item): KeptEvent | undefined {
  const event = item.pk.startsWith(partitions.eventsOf('')) ? parseItem(keptEventSchema, item) : undefined;
  return event?.[eventUntold] === true ? event : undefined;
}
