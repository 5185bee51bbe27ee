/** Reads that go beyond one page or one batch. */
import type { Item, Key, QueryOptions, ReadOptions, Table } from './table.ts';

const maxKeysPerRead = 100;

/** A whole partition, or what of it has the prefix, in order. */
export async function queryAll(
  table: Table,
  pk: string,
  options: Pick<QueryOptions, 'prefix' | 'eventual'> = {},
): Promise<Item[]> {
  const items: Item[] = [];
  let after: string | undefined;
  do {
    const page = await table.query(pk, { ...options, ...(after === undefined ? {} : { after }) });
    items.push(...page.items);
    after = page.next;
  } while (after !== undefined);
  return items;
}

/** Any number of keys; missing ones are left out; any order. */
export async function getAll(table: Table, wanted: readonly Key[], options: ReadOptions = {}): Promise<Item[]> {
  const batches: Promise<Item[]>[] = [];
  for (let from = 0; from < wanted.length; from += maxKeysPerRead) {
    batches.push(table.getMany(wanted.slice(from, from + maxKeysPerRead), options));
  }
  return (await Promise.all(batches)).flat();
}
