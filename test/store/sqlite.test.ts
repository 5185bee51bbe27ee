import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { openSqliteTable } from '../../control/store/sqlite.ts';
import type { Change, Table } from '../../control/store/table.ts';
import { TableUsageError } from '../../control/store/values.ts';
import { item, put } from './conformance/support.ts';
import { describeTable } from './conformance.ts';

interface Directory extends Disposable {
  readonly path: string;
  readonly file: string;
}

function directory(): Directory {
  const path = mkdtempSync(join(tmpdir(), 'gantry-store-'));
  return { path, file: join(path, 'store.db'), [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}

const open = (file: string, now?: () => number): Table & AsyncDisposable => {
  const table = openSqliteTable({ file, ...(now && { now }) });
  return Object.assign(table, { [Symbol.asyncDispose]: () => table.close() });
};

describeTable(
  'the table over SQLite',
  async () => {
    const dir = directory();
    const table = openSqliteTable({ file: dir.file });
    return {
      table,
      async [Symbol.asyncDispose]() {
        await table.close();
        dir[Symbol.dispose]();
      },
    };
  },
  { stories: 500 },
);

describe('the SQLite file', () => {
  it('keeps what was committed, in a directory that it makes', async () => {
    using dir = directory();
    const file = join(dir.path, 'deep', 'er', 'store.db');
    await using first = open(file);
    await first.commit([put(item('p', 's', { n: 1 }))]);
    await first.close();
    await using second = open(file);
    expect(await second.get({ pk: 'p', sk: 's' })).toStrictEqual(item('p', 's', { n: 1 }));
  });

  it('is read and written by its owner alone', async () => {
    using dir = directory();
    chmodSync(dir.path, 0o755);
    await using table = open(dir.file);
    await table.commit([put(item('p', 's'))]);
    for (const name of ['store.db', 'store.db-wal']) expect(statSync(join(dir.path, name)).mode & 0o777).toBe(0o600);
  });

  it('is refused to whoever comes second, with the name of the directory, and stays with the first', async () => {
    using dir = directory();
    await using first = open(dir.file);
    for (const attempt of [1, 2]) {
      expect(() => openSqliteTable({ file: dir.file }), `attempt ${attempt}`).toThrow(
        expect.objectContaining({ code: 'ClientException', message: expect.stringContaining(dir.path) }),
      );
    }
    expect(await first.commit([put(item('p', 's'))])).toEqual({ outcome: 'done' });
  });

  it('is refused when a newer Gantry wrote it', async () => {
    using dir = directory();
    await open(dir.file).close();
    const database = new DatabaseSync(dir.file);
    database.exec('PRAGMA user_version = 2');
    database.close();
    expect(() => openSqliteTable({ file: dir.file })).toThrow(/written by a newer Gantry \(store format 2/);
  });

  it('is refused when it is the database of something else', () => {
    using dir = directory();
    const database = new DatabaseSync(dir.file);
    database.exec('CREATE TABLE theirs (a)');
    database.close();
    expect(() => openSqliteTable({ file: dir.file })).toThrow(/not one of Gantry's/);
  });

  it('is refused when it is no database', () => {
    using dir = directory();
    writeFileSync(dir.file, 'words, words, words. '.repeat(100));
    expect(() => openSqliteTable({ file: dir.file })).toThrow(/is not a Gantry store/);
  });

  it('that was tampered with makes an error that names the item', async () => {
    using dir = directory();
    await using first = open(dir.file);
    await first.commit([put(item('p', 's')), put(item('p', 't'))]);
    await first.close();
    const database = new DatabaseSync(dir.file);
    database.exec(`UPDATE items SET data = '[1' WHERE sk = 's'`);
    database.close();
    await using second = open(dir.file);
    await expect(second.get({ pk: 'p', sk: 's' })).rejects.toMatchObject({
      code: 'ServerException',
      message: expect.stringContaining('p / s'),
    });
    // One such item takes no other commit of its group with it.
    const results = await Promise.allSettled([
      second.commit([{ kind: 'check', key: { pk: 'p', sk: 's' }, when: [{ item: 'exists' }] }]),
      second.commit([put(item('p', 'u'))]),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  });
});

describe('commits of one turn', () => {
  const add = (by: number): Change => ({
    kind: 'update',
    key: { pk: 'p', sk: 's' },
    add: [{ path: ['n'], by }],
    when: [{ path: ['n'], is: '<', value: 8 }],
  });

  it('are judged in the order of their arrival, each on what the one before left', async () => {
    using dir = directory();
    await using table = open(dir.file);
    await table.commit([put(item('p', 's', { n: 0 }))]);
    const results = await Promise.all(
      [add(5), add(5), add(5), put(item('p', 's', { n: 7 })), add(1)].map((one) => table.commit([one])),
    );
    expect(results).toEqual([
      { outcome: 'done' },
      { outcome: 'done' },
      { outcome: 'refused', failed: [{ index: 0, item: item('p', 's', { n: 10 }) }] },
      { outcome: 'done' },
      { outcome: 'done' },
    ]);
    expect((await table.get({ pk: 'p', sk: 's' }))?.data.n).toBe(8);
  });

  it('share one transaction', async () => {
    using dir = directory();
    await using table = open(dir.file);
    const written = async (work: () => Promise<unknown>): Promise<number> => {
      const before = statSync(`${dir.file}-wal`).size;
      await work();
      return statSync(`${dir.file}-wal`).size - before;
    };
    const puts = Array.from({ length: 20 }, (_, n) => () => table.commit([put(item('p', 's', { n }))]));
    const together = await written(() => Promise.all(puts.map((one) => one())));
    const apart = await written(async () => {
      for (const one of puts) await one();
    });
    expect(together).toBeGreaterThan(0);
    expect(apart).toBe(together * puts.length);
  });

  it('that are pending when the table is closed are made first; later ones are refused', async () => {
    using dir = directory();
    const table = openSqliteTable({ file: dir.file });
    const pending = table.commit([put(item('p', 's'))]);
    await table.close();
    expect(await pending).toEqual({ outcome: 'done' });
    await expect(table.commit([put(item('p', 's'))])).rejects.toMatchObject({ code: 'ServiceUnavailableException' });
    await expect(table.get({ pk: 'p', sk: 's' })).rejects.toMatchObject({ code: 'ServiceUnavailableException' });
    await table.close();
  });
});

describe('what lies in the log', () => {
  it('is copied into the file while the store is open, long before the log is full', async () => {
    using dir = directory();
    await using table = open(dir.file);
    const sizeOf = (file: string): number => statSync(file).size;
    const empty = sizeOf(dir.file);
    let written = 0;
    for (; sizeOf(dir.file) === empty; written += 100) {
      const names = Array.from({ length: 100 }, (_, n) => `p${written + n}`);
      await table.commit(names.map((pk) => put(item(pk, 's', { text: 'x'.repeat(200) }))));
    }
    // The connection that writes would do it itself, and wait for it, at 32 MB.
    expect(sizeOf(`${dir.file}-wal`)).toBeLessThan(16 * 1024 * 1024);
    await table.close();
    expect(readdirSync(dir.path).toSorted()).toEqual(['store.db', 'store.db-lock']);
    await using again = open(dir.file);
    for (const n of [0, written - 1]) expect(await again.get({ pk: `p${n}`, sk: 's' })).toBeDefined();
  });
});

describe('an update below a map that is not there', () => {
  it('is a mistake for removals too, as in DynamoDB (which dynoxide does not hold)', async () => {
    using dir = directory();
    await using table = open(dir.file);
    await table.commit([put(item('p', 's', { n: 1 }))]);
    const change: Change = { kind: 'update', key: { pk: 'p', sk: 's' }, remove: [['none', 'x']], when: [] };
    await expect(table.commit([change])).rejects.toThrow(TableUsageError);
  });
});

describe('expired items', () => {
  const day = 86_400;
  const expiring = (sk: string, expiresAt: number): Change => put(item('p', sk, {}, { expiresAt }));
  const left = async (table: Table): Promise<string[]> => (await table.query('p')).items.map(({ sk }) => sk);

  it('are deleted at the next start', async () => {
    using dir = directory();
    await using first = open(dir.file, () => 0);
    await first.commit([expiring('a', day), expiring('b', 2 * day), put(item('p', 'c'))]);
    await first.close();
    await using second = open(dir.file, () => (day + 1) * 1000);
    expect(await left(second)).toEqual(['b', 'c']);
  });

  it('are deleted after later commits, a bounded number at a time', async () => {
    using dir = directory();
    let now = 0;
    await using table = open(dir.file, () => now);
    for (let start = 0; start < 500; start += 100) {
      await table.commit(Array.from({ length: 100 }, (_, index) => expiring(`${start + index}`, day)));
    }
    now = (day + 1) * 1000;
    const counts: number[] = [];
    for (let commits = 0; commits < 4; commits += 1) {
      await table.commit([put(item('q', 's'))]);
      await new Promise((resolve) => setImmediate(resolve));
      counts.push((await left(table)).length);
    }
    expect(counts).toEqual([300, 100, 0, 0]);
  });
});
