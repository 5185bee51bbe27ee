/** What the suites share: partitions of their own, and commits that outlast injected conflicts, as every caller's do. */
import { expect, vi } from 'vitest';
import type { Change, CommitResult, Item, Page, QueryOptions, Table } from '../../../control/store/table.ts';

let partitions = 0;

/** A partition that no other test uses: the suites share one table. */
export function freshPartition(): string {
  partitions += 1;
  return `partition-${partitions}`;
}

export const item = (pk: string, sk: string, data: Item['data'] = {}, more: Partial<Item> = {}): Item => ({
  pk,
  sk,
  v: 1,
  data,
  ...more,
});

export const put = (stored: Item, ...when: Change['when']): Change => ({ kind: 'put', item: stored, when });

/** Commits, again after each conflict. */
export async function commit(table: Table, ...changes: Change[]): Promise<CommitResult> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const result = await table.commit(changes);
    if (result.outcome !== 'conflict') return result;
  }
  throw new Error('one hundred conflicts in a row');
}

export async function store(table: Table, ...items: Item[]): Promise<void> {
  for (let start = 0; start < items.length; start += 10) {
    const changes = items.slice(start, start + 10).map((stored) => put(stored));
    expect(await commit(table, ...changes)).toEqual({ outcome: 'done' });
  }
}

/** All pages; each must keep the limit. */
export async function readThrough(
  read: (options: QueryOptions) => Promise<Page>,
  options: QueryOptions = {},
): Promise<Item[]> {
  const items: Item[] = [];
  for (let after = options.after; ; ) {
    const page = await read({ ...options, ...(after !== undefined && { after }) });
    expect(page.items.length).toBeLessThanOrEqual(options.limit ?? Number.POSITIVE_INFINITY);
    items.push(...page.items);
    if (page.next === undefined) return items;
    after = page.next;
  }
}

/** For what the history index shows: it may be late. */
export const eventually = (assertion: () => Promise<unknown>): Promise<unknown> =>
  vi.waitFor(assertion, { timeout: 20_000, interval: 1 });
