/** What follows from changes on SQLite: written in the commits that make them, or not at all. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openSqliteTable } from '../../control/store/sqlite.ts';
import type { ItemChange, Table } from '../../control/store/table.ts';
import { item, put } from './conformance/support.ts';

let directory: string;
let table: Table;
let heard: ItemChange[];
let written: number;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gantry-store-'));
  table = openSqliteTable({ file: join(directory, 'store.db') });
  heard = [];
  written = 0;
  table.follow?.({
    follows: ({ pk }) => pk === 'task',
    entail: (change, read) => {
      heard.push(change);
      const beside = read({ pk: 'host', sk: 'h' });
      return [item('told', String(heard.length), { beside: beside?.data.n ?? 0 })];
    },
    onWritten: () => {
      written += 1;
    },
  });
});
afterEach(async () => {
  await table.close();
  rmSync(directory, { recursive: true });
});

const told = async () => (await table.query('told')).items;

const exists = [{ item: 'exists' as const }];

it('hears of each change with the item before and after it, and sees the whole commit', async () => {
  await table.commit([
    put(item('task', 't', { n: 1, gone: 'x' })),
    put(item('host', 'h', { n: 7 })),
    put(item('other', 'o')),
  ]);
  await table.commit([
    { kind: 'update', key: { pk: 'task', sk: 't' }, add: [{ path: ['n'], by: 1 }], remove: [['gone']], when: [] },
    { kind: 'check', key: { pk: 'host', sk: 'h' }, when: exists },
  ]);
  await table.commit([{ kind: 'delete', key: { pk: 'task', sk: 't' }, when: [] }]);
  expect(heard).toMatchObject([
    { before: undefined, after: { data: { n: 1 } } },
    { before: { data: { n: 1 } }, after: { data: { n: 2 } } },
    { before: { data: { n: 2 } }, after: undefined },
  ]);
  expect(Object.keys(heard[1]?.after?.data ?? {})).toEqual(['n']);
  expect(await told()).toEqual(['1', '2', '3'].map((sk) => item('told', sk, { beside: 7 })));
  expect(written).toBe(3);
});

it('hears nothing of a commit that is refused, though others share its transaction', async () => {
  const refused = table.commit([put(item('task', 'a')), { kind: 'check', key: { pk: 'no', sk: 'no' }, when: exists }]);
  const done = table.commit([put(item('task', 'b'))]);
  expect([(await refused).outcome, (await done).outcome]).toEqual(['refused', 'done']);
  expect(heard).toMatchObject([{ before: undefined, after: item('task', 'b') }]);
  expect(await told()).toHaveLength(1);
});

it('says that something was written once it is on disk, and only then', async () => {
  const commit = table.commit([put(item('task', 't'))]);
  expect(written).toBe(0);
  await commit;
  expect(written).toBe(1);
  await table.commit([put(item('other', 'o'))]);
  expect(written).toBe(1);
});
