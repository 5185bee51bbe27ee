/**
 * Access paths of the audit log: calls by the time at which they came, spread over shards. Entries are written with the change that they
 * are about, or alone. docs/adr/0008.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { auditEntryMembers } from '../../core/api/audit.ts';
import { isExpired, itemOf, parseItem } from './item.ts';
import { keys, partitions, timeKey } from './keys.ts';
import { type MergeOptions, mergeShards, type Positioned } from './merge-shards.ts';
import type { Change, Table } from './table.ts';

const auditEntrySchema = z.object({
  id: z.string(),
  /** When the call came (epoch milliseconds). */
  at: z.number(),
  ...auditEntryMembers,
});
export type AuditEntry = z.infer<typeof auditEntrySchema>;

/** Ids are in the order in which calls came; what tells them apart also chooses the shard. */
export const auditId = (at: number, requestId: string): string =>
  `${timeKey(at)}-${createHash('sha256').update(requestId).digest('hex').slice(0, 16)}`;

/** Before the ids of calls that came then or later. */
export const auditIdsFrom = (epochMs: number): string => timeKey(Math.max(0, Math.floor(epochMs)));

/** In place of what was written of the same call before. */
export const putAuditEntry = (entry: AuditEntry, retentionSeconds: number): Change => ({
  kind: 'put',
  item: itemOf(keys.auditEntry(entry.id), entry, { expiresAt: Math.ceil(entry.at / 1000) + retentionSeconds }),
  when: [],
});

/** By id, read strongly; positions are ids. */
export const auditEntries = (
  table: Table,
  { now, ...options }: MergeOptions & { readonly now: number },
): AsyncGenerator<Positioned<AuditEntry>, undefined> =>
  mergeShards(options, async (shard, query) => {
    const { items, next } = await table.query(partitions.auditEntries(shard), query);
    return {
      entries: items
        .filter((item) => !isExpired(item, now))
        .map((item) => ({ position: item.sk, entry: parseItem(auditEntrySchema, item) })),
      ...(next !== undefined && { next }),
    };
  });

/** What these changes make that callers know by an id. */
export const madeBy = (changes: readonly Change[]): string[] =>
  changes.flatMap((change) => (change.kind === 'put' && isNew(change) ? idMadeBy(change.item) : []));

const isNew = ({ when }: Change): boolean =>
  when.some((condition) => 'item' in condition && condition.item === 'absent');

function idMadeBy({ pk, sk }: { readonly pk: string; readonly sk: string }): string[] {
  const [kind = '', name = ''] = pk.split('#');
  if (sk === 'task' && kind === 'task') return [name];
  if (kind === 'access-key') return [name];
  if (kind === 'family' && sk.startsWith('body#')) return [`${name}:${Number(sk.slice('body#'.length))}`];
  return [];
}
