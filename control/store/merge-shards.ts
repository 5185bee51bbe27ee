/**
 * One list out of the shards of a partition: entries in the order of their positions over all shards, read page by page as they are
 * asked for. Positions are unique and comparable over all shards, so a list can be resumed after any of them.
 */
import { allShards } from './keys.ts';
import type { QueryOptions } from './table.ts';

export interface Positioned<T> {
  readonly position: string;
  readonly entry: T;
}

export interface ShardPage<T> {
  readonly entries: readonly Positioned<T>[];
  readonly next?: string;
}

export interface MergeOptions {
  /** Exclusive. */
  readonly after?: string;
  readonly descending?: boolean;
  /** How many entries of each shard to read at once. */
  readonly pageSize: number;
}

interface Cursor<T> {
  readonly shard: number;
  buffer: readonly Positioned<T>[];
  used: number;
  after: string | undefined;
  ended: boolean;
}

export async function* mergeShards<T>(
  { after, descending = false, pageSize }: MergeOptions,
  read: (shard: number, options: QueryOptions) => Promise<ShardPage<T>>,
): AsyncGenerator<Positioned<T>, undefined> {
  async function fill(cursor: Cursor<T>): Promise<void> {
    while (cursor.used === cursor.buffer.length && !cursor.ended) {
      const page = await read(cursor.shard, {
        limit: pageSize,
        descending,
        ...(cursor.after === undefined ? {} : { after: cursor.after }),
      });
      cursor.buffer = page.entries;
      cursor.used = 0;
      cursor.after = page.next;
      cursor.ended = page.next === undefined;
    }
  }

  const cursors = allShards.map((shard): Cursor<T> => ({ shard, buffer: [], used: 0, after, ended: false }));
  await Promise.all(cursors.map(fill));
  for (;;) {
    const first = firstOf(cursors, descending);
    const head = first?.buffer[first.used];
    if (first === undefined || head === undefined) return;
    first.used += 1;
    yield head;
    await fill(first);
  }
}

/** The cursor whose next entry comes first; undefined when none has one. */
function firstOf<T>(cursors: readonly Cursor<T>[], descending: boolean): Cursor<T> | undefined {
  let first: Cursor<T> | undefined;
  let best: string | undefined;
  for (const cursor of cursors) {
    const position = cursor.buffer[cursor.used]?.position;
    if (position === undefined) continue;
    if (best === undefined || (descending ? position > best : position < best)) {
      first = cursor;
      best = position;
    }
  }
  return first;
}
