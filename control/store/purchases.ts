/**
 * Access paths of what is bought: a cluster's purchases until each is over, and after that in its history for a while; the turn, which
 * keeps two plans from being carried out beside each other; and the offers that were refused lately. docs/adr/0005.
 */
import { z } from 'zod';
import { type Purchase, purchaseSchema } from '../../core/model/capacity.ts';
import type { Blame } from '../../core/plan/capacity/types.ts';
import { isExpired, itemOf, parseItem, parseOptional } from './item.ts';
import { keys, partitions } from './keys.ts';
import { queryAll } from './read-all.ts';
import type { Change, Table } from './table.ts';

/** All that are not over, read strongly, in the order of their ids. */
export const openPurchases = async (table: Table, cluster: string): Promise<Purchase[]> =>
  (await queryAll(table, partitions.purchases(cluster))).map((item) => parseItem(purchaseSchema, item));

/** Whether any is not over; some moments old. */
export const isAnyPurchaseOpen = async (table: Table, cluster: string): Promise<boolean> =>
  (await table.query(partitions.purchases(cluster), { eventual: true, limit: 1 })).items.length > 0;

/** The last that are over, newest first; some moments old. */
export async function pastPurchases(table: Table, cluster: string, limit: number): Promise<Purchase[]> {
  const page = await table.query(partitions.pastPurchases(cluster), { descending: true, limit, eventual: true });
  return page.items.map((item) => parseItem(purchaseSchema, item));
}

export const addPurchase = (purchase: Purchase): Change => ({
  kind: 'put',
  item: itemOf(keys.purchase(purchase.order.cluster, purchase.order.id), purchase),
  when: [{ item: 'absent' }],
});

/** Replaces what was read; refused where somebody else wrote in between. One that is CLOSED moves into history. */
export function replacePurchase(seen: Purchase, next: Purchase, retentionSeconds: number): Change[] {
  const key = keys.purchase(seen.order.cluster, seen.order.id);
  const data: Purchase = { ...next, version: seen.version + 1 };
  const when: Change['when'] = [{ path: ['version'], is: '=', value: seen.version }];
  if (next.state !== 'CLOSED') return [{ kind: 'put', item: itemOf(key, data), when }];
  const { closedAt = seen.orderedAt } = next;
  const past = keys.pastPurchase(seen.order.cluster, closedAt, seen.order.id);
  const expiresAt = Math.ceil(closedAt / 1000) + retentionSeconds;
  return [
    { kind: 'delete', key, when },
    { kind: 'put', item: itemOf(past, data, { expiresAt }), when: [] },
  ];
}

const turnSchema = z.object({ turn: z.number().int() });

/** 0 where nothing was bought yet. */
export const capacityTurn = async (table: Table, cluster: string): Promise<number> =>
  parseOptional(turnSchema, await table.get(keys.capacityTurn(cluster)))?.turn ?? 0;

/** Refused where something was bought since `seen` was read. */
export const takeTurn = (cluster: string, seen: number): Change => ({
  kind: 'put',
  item: itemOf(keys.capacityTurn(cluster), { turn: seen + 1 }),
  when: [seen === 0 ? { item: 'absent' } : { path: ['turn'], is: '=', value: seen }],
});

const blameSchema = z.object({
  offer: z.string(),
  zone: z.string(),
  market: z.enum(['on-demand', 'spot']),
  until: z.number(),
  why: z.string(),
}) satisfies z.ZodType<Blame>;

/** Those whose time is not over; some moments old. */
export async function blames(table: Table, cluster: string, now: number): Promise<Blame[]> {
  const items = await queryAll(table, partitions.blames(cluster), { eventual: true });
  return items
    .filter((item) => !isExpired(item, now))
    .map((item) => parseItem(blameSchema, item))
    .filter(({ until }) => until > now);
}

export const addBlame = (cluster: string, { offer, zone, market, until, why }: Blame): Change => ({
  kind: 'put',
  item: itemOf(
    keys.blame(cluster, market, offer, zone),
    { offer, zone, market, until, why },
    { expiresAt: Math.ceil(until / 1000) },
  ),
  when: [],
});
