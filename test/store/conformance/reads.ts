import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Item, QueryOptions, Table } from '../../../control/store/table.ts';
import { commit, eventually, freshPartition, item, put, readThrough, store } from './support.ts';

/** Any text without lone surrogates, NUL and the code points above U+FFFF among it. */
const key = fc.string({ minLength: 1, maxLength: 6, unit: 'binary' });
const bytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** What a query should find, worked out from the keys alone. */
function expectedKeys(keys: readonly string[], { prefix = '', after, descending = false }: QueryOptions): string[] {
  const beyond = (sk: string): boolean =>
    after === undefined || (descending ? bytes(sk, after) < 0 : bytes(sk, after) > 0);
  const found = keys.filter((sk) => sk.startsWith(prefix) && beyond(sk)).toSorted(bytes);
  return descending ? found.toReversed() : found;
}

export function describeReads(table: () => Table): void {
  describe('get', () => {
    it('answers what was put, every kind of value, and leaves undefined members out', async () => {
      const pk = freshPartition();
      const data = {
        text: 'grüße 🏗️ \u0000 "\\',
        empty: '',
        numbers: [0, -1, 1.5, 9007199254740991, 1e21, 1e-9, 123456789.123],
        flags: { yes: true, no: false, nothing: null },
        nested: { list: [[], {}, [{ deep: ['x'] }]], 'tcp/80': 1, 'a.b': 2, '#name': 3, ':value': 4, ключ: 5 },
      };
      const stored = item(pk, 'a', data, { v: 7, history: { pk: 'h', sk: `h-${pk}` }, expiresAt: 4_000_000_000 });
      await store(table(), { ...stored, data: { ...data, left: undefined, inside: { left: undefined } } });
      expect(await table().get({ pk, sk: 'a' })).toStrictEqual({ ...stored, data: { ...data, inside: {} } });
    });

    it('answers undefined where there is no item', async () => {
      const pk = freshPartition();
      expect(await table().get({ pk, sk: 'a' })).toBeUndefined();
    });

    it('sees what was acknowledged', async () => {
      const key = { pk: freshPartition(), sk: 'a' };
      for (const count of [1, 2, 3, 4, 5]) {
        await store(table(), item(key.pk, key.sk, { count }));
        expect((await table().get(key))?.data.count).toBe(count);
      }
    });

    it('replaces what no store can hold: lone surrogates, and the sign of zero', async () => {
      const pk = freshPartition();
      await store(table(), item(pk, 'a', { text: 'a\ud800b', zero: -0 }));
      expect((await table().get({ pk, sk: 'a' }))?.data).toStrictEqual({ text: 'a\ufffdb', zero: 0 });
    });
  });

  describe('getMany', () => {
    it('answers the items that there are, each once', async () => {
      const pk = freshPartition();
      const items = Array.from({ length: 60 }, (_, index) => item(pk, `k${index}`, { index }));
      await store(table(), ...items);
      const keys = Array.from({ length: 99 }, (_, index) => ({ pk, sk: `k${index}` }));
      const found = await table().getMany([...keys, { pk, sk: 'k0' }]);
      expect(found.toSorted((a, b) => bytes(a.sk, b.sk))).toStrictEqual(items.toSorted((a, b) => bytes(a.sk, b.sk)));
    });

    it('answers nothing for no keys', async () => {
      expect(await table().getMany([])).toEqual([]);
    });
  });

  describe('query', () => {
    it('answers one partition in the order of the UTF-8 bytes of its sort keys', async () => {
      const pk = freshPartition();
      const ascending = ['A', 'a', 'a#1', 'b', 'é', '\uffee', '🏗'];
      await store(table(), ...ascending.toReversed().map((sk) => item(pk, sk)), item(freshPartition(), 'a'));
      expect((await table().query(pk)).items.map(({ sk }) => sk)).toEqual(ascending);
      const descending = await table().query(pk, { descending: true });
      expect(descending.items.map(({ sk }) => sk)).toEqual(ascending.toReversed());
    });

    it('answers an empty page without next for a partition that has nothing', async () => {
      expect(await table().query(freshPartition())).toEqual({ items: [] });
    });

    it('finds what prefix, after and descending ask for, page by page', async () => {
      const options = fc.record(
        {
          prefix: fc.string({ maxLength: 2, unit: fc.constantFrom('a', 'b', '\u{10ffff}', '\ud7ff') }),
          after: key,
          descending: fc.boolean(),
          limit: fc.integer({ min: 1, max: 4 }),
        },
        { requiredKeys: [] },
      );
      const few = fc.string({
        minLength: 1,
        maxLength: 3,
        unit: fc.constantFrom('a', 'b', '\u{10ffff}', '\ud7ff', '\ue000'),
      });
      const keys = fc.uniqueArray(fc.oneof(few, key), { maxLength: 12 });
      await fc.assert(
        fc.asyncProperty(keys, fc.array(options, { minLength: 3, maxLength: 3 }), async (sortKeys, questions) => {
          const pk = freshPartition();
          await store(table(), ...sortKeys.map((sk) => item(pk, sk)));
          const onKeys = questions.flatMap((question) => [question, { ...question, after: sortKeys[0] ?? 'a' }]);
          for (const question of onKeys) {
            const found = await readThrough((page) => table().query(pk, page), question);
            expect(found.map(({ sk }) => sk)).toEqual(expectedKeys(sortKeys, question));
          }
        }),
        { numRuns: 30 },
      );
    });

    it('ends pages early rather than answer more than 1 MB', async () => {
      const pk = freshPartition();
      const items = ['a', 'b', 'c', 'd', 'e'].map((sk) => item(pk, sk, { bulk: sk.repeat(300_000) }));
      for (const large of items) await store(table(), large);
      const first = await table().query(pk);
      expect(first.items.length).toBeLessThan(items.length);
      expect(first.next).toBe(first.items.at(-1)?.sk);
      expect(await readThrough((page) => table().query(pk, page))).toStrictEqual(items);
    });
  });

  describe('queryHistory', () => {
    const history = (pk: string) => (options: QueryOptions) => table().queryHistory(pk, options);
    const inHistory = (pk: string, place: string, sk: string, data = {}): Item =>
      item(pk, sk, data, { history: { pk: `history-of-${pk}`, sk: place } });

    it('answers the items with a place in it, in the order of the places, whatever their keys', async () => {
      const pk = freshPartition();
      const items = [inHistory(pk, '1', 'z'), inHistory(pk, '2', 'y', { n: 1 }), inHistory(`${pk}'`, '3', 'x')].map(
        (stored) => ({ ...stored, history: { pk: `history-of-${pk}`, sk: stored.history?.sk ?? '' } }),
      );
      await store(table(), ...items, item(pk, 'not in the history'));
      await eventually(async () => expect(await readThrough(history(`history-of-${pk}`))).toStrictEqual(items));
    });

    it('takes the same options, on the places', async () => {
      const pk = freshPartition();
      const places = ['a1', 'a2', 'a3', 'b1', 'b2', 'b3', '🏗'];
      await store(table(), ...places.map((place) => inHistory(pk, place, `k-${place}`)));
      await eventually(async () => expect(await readThrough(history(`history-of-${pk}`))).toHaveLength(places.length));
      const questions: QueryOptions[] = [
        { prefix: 'a' },
        { prefix: 'a', after: 'a1' },
        { prefix: 'b', descending: true, limit: 2 },
        { prefix: 'b', descending: true, after: 'b3', limit: 1 },
        { after: 'a3', limit: 1 },
        { descending: true, limit: 3 },
      ];
      for (const question of questions) {
        await eventually(async () => {
          const found = await readThrough(history(`history-of-${pk}`), question);
          expect(found.map((stored) => stored.history?.sk)).toEqual(expectedKeys(places, question));
        });
      }
    });

    it('follows its items: updated, moved, taken out and deleted', async () => {
      const pk = freshPartition();
      const places = async () =>
        (await readThrough(history(`history-of-${pk}`))).map((stored) => [stored.history?.sk, stored.data]);
      await store(table(), inHistory(pk, '1', 'a', { n: 1 }), inHistory(pk, '2', 'b'), inHistory(pk, '3', 'c'));
      await eventually(async () =>
        expect(await places()).toEqual([
          ['1', { n: 1 }],
          ['2', {}],
          ['3', {}],
        ]),
      );
      await commit(table(), { kind: 'update', key: { pk, sk: 'a' }, add: [{ path: ['n'], by: 1 }], when: [] });
      await commit(table(), put(item(pk, 'b')), put(inHistory(pk, '4', 'c')));
      await eventually(async () =>
        expect(await places()).toEqual([
          ['1', { n: 2 }],
          ['4', {}],
        ]),
      );
      await commit(table(), { kind: 'delete', key: { pk, sk: 'a' }, when: [] });
      await eventually(async () => expect(await places()).toEqual([['4', {}]]));
    });
  });
}
