/**
 * Access path of what a cluster's fleet offers, as it was last read: for processes that plan and explain but have no fleet. Hundreds of
 * offers are more than one item holds, so they are spread over several.
 */
import { z } from 'zod';
import { type Offer, offerSchema } from '../../core/model/capacity.ts';
import { itemOf, parseItem } from './item.ts';
import { keys, partitions } from './keys.ts';
import { queryAll } from './read-all.ts';
import type { Change, Table } from './table.ts';

/** At most a quarter of what an item may have. */
const offersPerItem = 200;

const partSchema = z.object({ offers: z.array(offerSchema), readAt: z.number() });

export interface StoredOffers {
  readonly offers: readonly Offer[];
  /** When the fleet said so (epoch milliseconds). */
  readonly readAt: number;
}

/** undefined where nothing was stored yet; some moments old. */
export async function storedOffers(table: Table, cluster: string): Promise<StoredOffers | undefined> {
  const items = await queryAll(table, partitions.offers(cluster), { eventual: true });
  const parts = items.map((item) => parseItem(partSchema, item));
  if (parts.length === 0) return undefined;
  return { offers: parts.flatMap(({ offers }) => offers), readAt: Math.min(...parts.map(({ readAt }) => readAt)) };
}

/** Takes the place of all that was stored. */
export async function storeOffers(table: Table, cluster: string, { offers, readAt }: StoredOffers): Promise<void> {
  const parts = Math.max(1, Math.ceil(offers.length / offersPerItem));
  const puts = Array.from({ length: parts }, (_, part): Change => {
    const own = offers.slice(part * offersPerItem, (part + 1) * offersPerItem);
    return { kind: 'put', item: itemOf(keys.offers(cluster, part), { offers: own, readAt }), when: [] };
  });
  const written = new Set(puts.map((_, part) => keys.offers(cluster, part).sk));
  const leftovers = (await queryAll(table, partitions.offers(cluster))).filter(({ sk }) => !written.has(sk));
  await table.commit([
    ...puts,
    ...leftovers.map(({ pk, sk }): Change => ({ kind: 'delete', key: { pk, sk }, when: [] })),
  ]);
}
