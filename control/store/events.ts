/**
 * Access paths of what was told: events of one task, host, order or call in the order of its changes, and of a cluster in the order in
 * which they were written down. docs/adr/0006.
 */
import { z } from 'zod';
import { writtenAt } from './event-ids.ts';
import { isExpired, itemOf, parseItem } from './item.ts';
import { keys, partitions } from './keys.ts';
import { type MergeOptions, mergeShards, type Positioned } from './merge-shards.ts';
import type { Change, Item, Page, QueryOptions, Table } from './table.ts';
import { eventUntold } from './table-shape.ts';

export const keptEventSchema = z.object({
  id: z.string(),
  cluster: z.string(),
  subject: z.string(),
  detailType: z.string(),
  /** When it happened (epoch milliseconds). */
  at: z.number(),
  headline: z.string(),
  resources: z.array(z.string()),
  /** JSON. */
  detail: z.string(),
  [eventUntold]: z.boolean().optional(),
});
export type KeptEvent = z.infer<typeof keptEventSchema>;

export function eventItem(event: KeptEvent, origin: string, retentionSeconds: number): Item {
  const expiresAt = Math.ceil(writtenAt(event.id) / 1000) + retentionSeconds;
  const history = keys.eventListing(event.cluster, event.subject, event.id);
  return itemOf(keys.event(event.subject, origin), event, { history, expiresAt });
}

/** Refused where it was told before. */
export const addEvent = (event: KeptEvent, origin: string, retentionSeconds: number): Change => ({
  kind: 'put',
  item: eventItem(event, origin, retentionSeconds),
  when: [{ item: 'absent' }],
});

/** Of a cluster, by id; positions are ids. Through the index: the last moments may be missing. */
export const clusterEvents = (
  table: Table,
  cluster: string,
  { now, ...options }: MergeOptions & { readonly now: number },
): AsyncGenerator<Positioned<KeptEvent>, undefined> =>
  mergeShards(options, async (shard, query) =>
    pageOf(
      await table.queryHistory(partitions.events(cluster, shard), query),
      now,
      ({ history, sk }) => history?.sk ?? sk,
    ),
  );

/** Of one subject, in the order of its changes, read strongly; positions are what they were told by. */
export async function* subjectEvents(
  table: Table,
  subject: string,
  { now, pageSize, ...options }: MergeOptions & { readonly now: number },
): AsyncGenerator<Positioned<KeptEvent>, undefined> {
  let query: QueryOptions = { ...options, limit: pageSize };
  for (;;) {
    const { entries, next } = pageOf(await table.query(partitions.eventsOf(subject), query), now, ({ sk }) => sk);
    yield* entries;
    if (next === undefined) return;
    query = { ...query, after: next };
  }
}

const pageOf = ({ items, next }: Page, now: number, positionOf: (item: Item) => string) => ({
  entries: items
    .filter((item) => !isExpired(item, now))
    .map((item) => ({ position: positionOf(item), entry: parseItem(keptEventSchema, item) })),
  ...(next !== undefined && { next }),
});
