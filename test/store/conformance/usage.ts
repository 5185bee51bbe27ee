import { describe, expect, it } from 'vitest';
import { type Change, type Item, maxChangesPerCommit, type Table } from '../../../control/store/table.ts';
import { TableUsageError } from '../../../control/store/values.ts';
import { commit, freshPartition, item, put, store } from './support.ts';

type Update = Extract<Change, { kind: 'update' }>;
const key = { pk: 'p', sk: 's' };
const update = (changes: Partial<Update>): Change => ({ kind: 'update', key, when: [], ...changes });
const deep = (levels: number): Item['data'] => (levels === 0 ? {} : { d: deep(levels - 1) });

/** What can never succeed, whatever the store holds: a mistake of the caller, found before anything is read or written. */
const mistakes: [string, readonly Change[]][] = [
  ['no change', []],
  ['more changes than fit', Array.from({ length: maxChangesPerCommit + 1 }, (_, index) => put(item('p', `s${index}`)))],
  ['an item twice', [put(item('p', 's')), { kind: 'delete', key, when: [] }]],
  ['an empty partition key', [put(item('', 's'))]],
  ['an empty sort key', [put(item('p', ''))]],
  ['an empty key in the history', [put(item('p', 's', {}, { history: { pk: 'h', sk: '' } }))]],
  ['a partition key that is too long', [put(item('p'.repeat(2049), 's'))]],
  ['a sort key that is too long', [put(item('p', 'é'.repeat(513)))]],
  ['a key that is no text', [put(item('p', '\ud800'))]],
  ['a schema version that is no whole number', [put(item('p', 's', {}, { v: 1.5 }))]],
  ['an expiry in fractions of seconds', [put(item('p', 's', {}, { expiresAt: 1.5 }))]],
  ['a number that is none', [put(item('p', 's', { n: Number.NaN }))]],
  ['a number that is too large', [put(item('p', 's', { n: 1e126 }))]],
  ['a number that is too small', [put(item('p', 's', { n: 1e-131 }))]],
  ['a value nested too deeply', [put(item('p', 's', deep(32)))]],
  ['a member without a name', [put(item('p', 's', { '': 1 }))]],
  ['a member named __proto__', [put(item('p', 's', JSON.parse('{ "a": { "__proto__": 1 } }')))]],
  ['an update that changes nothing', [update({ set: [], remove: [] })]],
  ['an update that adds a fraction', [update({ add: [{ path: ['n'], by: 0.1 }] })]],
  ['an update through a member without a name', [update({ remove: [['a', '']] })]],
  ['a check without a condition', [{ kind: 'check', key, when: [] }]],
  ['an order of booleans', [{ kind: 'check', key, when: [{ path: ['b'], is: '<', value: true }] }]],
];

export function describeUsage(table: () => Table): void {
  describe('mistakes of the caller', () => {
    it.each(mistakes)('%s', async (_, changes) => {
      await expect(table().commit(changes)).rejects.toThrow(TableUsageError);
    });

    it.each([
      ['get', () => table().get({ pk: '', sk: 's' })],
      ['getMany', () => table().getMany([{ pk: 'p', sk: '' }])],
      [
        'getMany of too many',
        () => table().getMany(Array.from({ length: 101 }, (_, index) => ({ pk: 'p', sk: `${index}` }))),
      ],
      ['query', () => table().query('')],
      ['query with a limit of 0', () => table().query('p', { limit: 0 })],
      ['queryHistory', () => table().queryHistory('')],
    ])('%s', async (_, call) => {
      await expect(call()).rejects.toThrow(TableUsageError);
    });
  });

  describe('limits', () => {
    it('takes as many changes as DynamoDB does', async () => {
      const pk = freshPartition();
      const changes = Array.from({ length: maxChangesPerCommit }, (_, index) => put(item(pk, `s${index}`)));
      expect(await commit(table(), ...changes)).toEqual({ outcome: 'done' });
      expect((await table().query(pk)).items).toHaveLength(maxChangesPerCommit);
    });

    it('takes the longest keys and the deepest values', async () => {
      const stored = item(`${freshPartition()}${'p'.repeat(2000)}`, 'é'.repeat(512), deep(31));
      await store(table(), stored);
      expect(await table().get(stored)).toStrictEqual(stored);
    });

    const tooLarge = { name: 'GantryError', code: 'ClientException' };

    it('takes an item of almost 400 KB and refuses a larger one', async () => {
      const pk = freshPartition();
      await store(table(), item(pk, 'a', { bulk: 'x'.repeat(409_000) }));
      await expect(table().commit([put(item(pk, 'b', { bulk: 'x'.repeat(410_000) }))])).rejects.toMatchObject(tooLarge);
      await expect(table().commit([put(item(pk, 'b', { bulk: 'é'.repeat(205_000) }))])).rejects.toMatchObject(tooLarge);
      expect(await table().get({ pk, sk: 'b' })).toBeUndefined();
    });

    it('refuses an update that makes an item too large', async () => {
      const pk = freshPartition();
      const stored = item(pk, 'a', { bulk: 'x'.repeat(300_000) });
      await store(table(), stored);
      const grow: Change = {
        kind: 'update',
        key: { pk, sk: 'a' },
        set: [{ path: ['more'], value: 'x'.repeat(200_000) }],
        when: [],
      };
      await expect(commit(table(), grow)).rejects.toMatchObject(tooLarge);
      await expect(commit(table(), grow, put(item(pk, 'b')))).rejects.toMatchObject(tooLarge);
      expect(await table().get({ pk, sk: 'a' })).toStrictEqual(stored);
    });

    it('refuses a commit of more than 4 MB', async () => {
      const pk = freshPartition();
      const changes = Array.from({ length: 11 }, (_, index) =>
        put(item(pk, `s${index}`, { bulk: 'x'.repeat(390_000) })),
      );
      await expect(table().commit(changes)).rejects.toMatchObject(tooLarge);
    });
  });
}
