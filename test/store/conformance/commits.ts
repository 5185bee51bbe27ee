import { describe, expect, it } from 'vitest';
import type { Change, Condition, Item, Path, Table } from '../../../control/store/table.ts';
import { TableUsageError } from '../../../control/store/values.ts';
import { commit, freshPartition, item, put, store } from './support.ts';

const done = { outcome: 'done' };
const refused = (stored: Item) => ({ outcome: 'refused', failed: [{ index: 0, item: stored }] });

/** Each condition with what it says of an item with this data, and of no item at all. */
const subject = {
  free: 10,
  name: 'b',
  live: true,
  nothing: null,
  ports: { 'tcp/80': 'x', 'a.b': { size: 1 } },
  list: [1],
};
const conditions: [Condition, boolean, boolean][] = [
  [{ item: 'exists' }, true, false],
  [{ item: 'absent' }, false, true],
  [{ path: ['free'], is: 'exists' }, true, false],
  [{ path: ['nothing'], is: 'exists' }, true, false],
  [{ path: ['none'], is: 'exists' }, false, false],
  [{ path: ['none'], is: 'absent' }, true, true],
  [{ path: ['free'], is: 'absent' }, false, true],
  [{ path: ['ports', 'tcp/80'], is: 'exists' }, true, false],
  [{ path: ['ports', 'udp/80'], is: 'absent' }, true, true],
  [{ path: ['ports', 'a.b', 'size'], is: '=', value: 1 }, true, false],
  [{ path: ['name', 'of', 'no', 'map'], is: 'absent' }, true, true],
  [{ path: ['list', 'length'], is: 'absent' }, true, true],
  [{ path: ['toString'], is: 'absent' }, true, true],
  [{ path: ['free'], is: '=', value: 10 }, true, false],
  [{ path: ['free'], is: '=', value: 11 }, false, false],
  [{ path: ['free'], is: '=', value: '10' }, false, false],
  [{ path: ['free'], is: '<', value: 11 }, true, false],
  [{ path: ['free'], is: '<', value: 10 }, false, false],
  [{ path: ['free'], is: '<=', value: 10 }, true, false],
  [{ path: ['free'], is: '<=', value: 9 }, false, false],
  [{ path: ['free'], is: '>', value: 9 }, true, false],
  [{ path: ['free'], is: '>', value: 10 }, false, false],
  [{ path: ['free'], is: '>=', value: 9 }, true, false],
  [{ path: ['free'], is: '>=', value: 11 }, false, false],
  [{ path: ['free'], is: '>', value: '1' }, false, false],
  [{ path: ['none'], is: '<', value: 1 }, false, false],
  [{ path: ['name'], is: '=', value: 'b' }, true, false],
  [{ path: ['name'], is: '>', value: 'B' }, true, false],
  [{ path: ['name'], is: '<', value: 'é' }, true, false],
  [{ path: ['name'], is: '<', value: '' }, false, false],
  [{ path: ['live'], is: '=', value: true }, true, false],
  [{ path: ['live'], is: '=', value: false }, false, false],
  [{ path: ['nothing'], is: '=', value: false }, false, false],
  [{ path: ['nothing'], is: '<', value: 1 }, false, false],
];

export function describeCommits(table: () => Table): void {
  describe('conditions', () => {
    it.each(conditions)('%j: %s of the item, %s of no item', async (condition, ofItem, ofNone) => {
      const pk = freshPartition();
      const stored = item(pk, 'there', subject);
      const mark = (sk: string): Change => put(item(pk, sk));
      await store(table(), stored);
      const check = (sk: string): Change => ({ kind: 'check', key: { pk, sk }, when: [condition] });
      expect(await commit(table(), check('there'), mark('1'))).toEqual(ofItem ? done : refused(stored));
      expect(await commit(table(), check('none'), mark('2'))).toEqual(
        ofNone ? done : { outcome: 'refused', failed: [{ index: 0 }] },
      );
    });

    it('compare strings by UTF-8 bytes', async () => {
      const pk = freshPartition();
      await store(table(), item(pk, 'a', { text: '\uffee' })); // Sorts after U+1F3D7 by UTF-16 units, before it by bytes.
      const change: Change = { kind: 'delete', key: { pk, sk: 'a' }, when: [{ path: ['text'], is: '<', value: '🏗' }] };
      expect(await commit(table(), change)).toEqual(done);
    });

    it('must all hold', async () => {
      const pk = freshPartition();
      const stored = item(pk, 'a', { free: 5, status: 'ACTIVE' });
      await store(table(), stored);
      const take = (by: number, status: string): Change => ({
        kind: 'update',
        key: { pk, sk: 'a' },
        add: [{ path: ['free'], by: -by }],
        when: [
          { path: ['free'], is: '>=', value: by },
          { path: ['status'], is: '=', value: status },
        ],
      });
      expect(await commit(table(), take(5, 'DRAINING'))).toEqual(refused(stored));
      expect(await commit(table(), take(6, 'ACTIVE'))).toEqual(refused(stored));
      expect(await commit(table(), take(5, 'ACTIVE'))).toEqual(done);
      expect((await table().get({ pk, sk: 'a' }))?.data.free).toBe(0);
    });

    it('are those of every kind of change', async () => {
      const pk = freshPartition();
      const stored = item(pk, 'a', { n: 1 });
      await store(table(), stored);
      const key = { pk, sk: 'a' };
      const when: Condition[] = [{ path: ['n'], is: '=', value: 2 }];
      expect(await commit(table(), put(item(pk, 'a'), ...when))).toEqual(refused(stored));
      expect(await commit(table(), { kind: 'update', key, set: [{ path: ['m'], value: 2 }], when })).toEqual(
        refused(stored),
      );
      expect(await commit(table(), { kind: 'delete', key, when })).toEqual(refused(stored));
      expect(await commit(table(), { kind: 'check', key, when })).toEqual(refused(stored));
      expect(await table().get(key)).toStrictEqual(stored);
    });
  });

  describe('put', () => {
    it('writes the whole item, over what was there', async () => {
      const pk = freshPartition();
      await store(table(), item(pk, 'a', { old: 1 }, { v: 1, expiresAt: 4_000_000_000 }));
      await store(table(), item(pk, 'a', { new: 1 }, { v: 2 }));
      expect(await table().get({ pk, sk: 'a' })).toStrictEqual(item(pk, 'a', { new: 1 }, { v: 2 }));
    });

    it('makes an item once, on the condition that it is absent', async () => {
      const pk = freshPartition();
      const first = item(pk, 'a', { by: 'first' });
      expect(await commit(table(), put(first, { item: 'absent' }))).toEqual(done);
      expect(await commit(table(), put(item(pk, 'a', { by: 'second' }), { item: 'absent' }))).toEqual(refused(first));
    });
  });

  describe('update', () => {
    const update = (
      pk: string,
      changes: Omit<Extract<Change, { kind: 'update' }>, 'kind' | 'key' | 'when'>,
    ): Change => ({
      kind: 'update',
      key: { pk, sk: 'a' },
      ...changes,
      when: [],
    });

    it('sets, adds and removes members, at any depth, and leaves the rest of the item alone', async () => {
      const pk = freshPartition();
      const envelope = { v: 3, history: { pk: `h-${pk}`, sk: 'a' }, expiresAt: 4_000_000_000 };
      const data = {
        free: { cpu: 100, memory: 7 },
        ports: { 'tcp/80': 'x' },
        size: 1,
        name: 'n',
        'a.b': 1,
        rest: ['r'],
      };
      await store(table(), item(pk, 'a', data, envelope));
      const changes = update(pk, {
        set: [
          { path: ['ports', 'tcp/443'], value: { task: 't', '#1': [null, ''] } },
          { path: ['status'], value: 'ACTIVE' },
          { path: ['a.b'], value: false },
        ],
        add: [
          { path: ['free', 'cpu'], by: -30 },
          { path: ['size'], by: 0 },
        ],
        remove: [['ports', 'tcp/80'], ['name'], ['never-there'], ['free', 'gpu']],
      });
      expect(await commit(table(), changes)).toEqual(done);
      expect(await table().get({ pk, sk: 'a' })).toStrictEqual(
        item(
          pk,
          'a',
          {
            free: { cpu: 70, memory: 7 },
            ports: { 'tcp/443': { task: 't', '#1': [null, ''] } },
            size: 1,
            status: 'ACTIVE',
            'a.b': false,
            rest: ['r'],
          },
          envelope,
        ),
      );
    });

    it('is refused, and makes nothing, where there is no item', async () => {
      const pk = freshPartition();
      const missing = { outcome: 'refused', failed: [{ index: 0 }] };
      const absent: Condition[] = [{ path: ['n'], is: 'absent' }];
      expect(await commit(table(), update(pk, { set: [{ path: ['n'], value: 1 }] }))).toEqual(missing);
      expect(await commit(table(), { ...update(pk, { remove: [['n']] }), when: absent })).toEqual(missing);
      expect(await commit(table(), update(pk, { set: [{ path: ['n'], value: 1 }] }), put(item(pk, 'b')))).toEqual(
        missing,
      );
      expect(await table().query(pk)).toEqual({ items: [] });
    });

    const impossible: [string, Omit<Extract<Change, { kind: 'update' }>, 'kind' | 'key' | 'when'>][] = [
      ['through a map that is not there', { set: [{ path: ['none', 'x'], value: 1 }] }],
      ['through a number', { set: [{ path: ['n', 'x'], value: 1 }] }],
      ['through a list', { set: [{ path: ['list', 'x'], value: 1 }] }],
      ['that adds to nothing', { add: [{ path: ['none'], by: 1 }] }],
      ['that adds to a text', { add: [{ path: ['text'], by: 1 }] }],
    ];
    it.each(impossible)('%s throws, and nothing of the commit is written', async (_, changes) => {
      const pk = freshPartition();
      const stored = item(pk, 'a', { n: 1, text: '1', list: [1] });
      await store(table(), stored);
      await expect(commit(table(), update(pk, changes))).rejects.toThrow(TableUsageError);
      await expect(commit(table(), put(item(pk, 'b')), update(pk, changes))).rejects.toThrow(TableUsageError);
      expect(await table().query(pk)).toStrictEqual({ items: [stored] });
    });

    it('that is impossible and refused is refused', async () => {
      const pk = freshPartition();
      await store(table(), item(pk, 'a'));
      const changes = {
        ...update(pk, { set: [{ path: ['none', 'x'], value: 1 }] }),
        when: [{ item: 'absent' as const }],
      };
      expect(await commit(table(), changes)).toMatchObject({ outcome: 'refused' });
    });

    const overlapping: [Path, Path][] = [
      [['a'], ['a']],
      [['a'], ['a', 'b']],
      [['a', 'b', 'c'], ['a']],
    ];
    it.each(overlapping)('of %j and %j at once is a mistake', async (one, other) => {
      const pk = freshPartition();
      await store(table(), item(pk, 'a', { a: { b: { c: 1 } } }));
      const change = update(pk, { set: [{ path: one, value: 1 }], remove: [other] });
      await expect(table().commit([change])).rejects.toThrow(TableUsageError);
    });
  });

  describe('delete', () => {
    it('removes the item, and is done where there is none', async () => {
      const pk = freshPartition();
      await store(table(), item(pk, 'a'), item(pk, 'b'));
      const change: Change = { kind: 'delete', key: { pk, sk: 'a' }, when: [] };
      expect(await commit(table(), change)).toEqual(done);
      expect(await commit(table(), change)).toEqual(done);
      expect((await table().query(pk)).items.map(({ sk }) => sk)).toEqual(['b']);
    });
  });

  describe('a commit of several changes', () => {
    it('is made as a whole: puts, updates, deletes and checks of several partitions', async () => {
      const [one, two] = [freshPartition(), freshPartition()];
      await store(table(), item(one, 'a', { n: 1 }), item(two, 'a'), item(two, 'b', { live: true }));
      const result = await commit(
        table(),
        put(item(one, 'b', { made: true }), { item: 'absent' }),
        { kind: 'update', key: { pk: one, sk: 'a' }, add: [{ path: ['n'], by: 1 }], when: [] },
        { kind: 'delete', key: { pk: two, sk: 'a' }, when: [{ item: 'exists' }] },
        { kind: 'check', key: { pk: two, sk: 'b' }, when: [{ path: ['live'], is: '=', value: true }] },
      );
      expect(result).toEqual(done);
      expect((await table().query(one)).items).toStrictEqual([
        item(one, 'a', { n: 2 }),
        item(one, 'b', { made: true }),
      ]);
      expect((await table().query(two)).items).toStrictEqual([item(two, 'b', { live: true })]);
    });

    it('is refused as a whole, with each condition that failed and the item as it is', async () => {
      const pk = freshPartition();
      const [a, c] = [item(pk, 'a', { n: 1 }), item(pk, 'c', { n: 3 })];
      await store(table(), a, c);
      const result = await commit(
        table(),
        put(item(pk, 'a'), { item: 'absent' }),
        put(item(pk, 'b')),
        {
          kind: 'update',
          key: { pk, sk: 'c' },
          add: [{ path: ['n'], by: 1 }],
          when: [{ path: ['n'], is: '<', value: 3 }],
        },
        { kind: 'delete', key: { pk, sk: 'd' }, when: [{ item: 'exists' }] },
      );
      expect(result).toStrictEqual({
        outcome: 'refused',
        failed: [{ index: 0, item: a }, { index: 2, item: c }, { index: 3 }],
      });
      expect((await table().query(pk)).items).toStrictEqual([a, c]);
    });
  });
}
