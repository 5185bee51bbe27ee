import { describe, expect, it } from 'vitest';
import type { Change, Table } from '../../../control/store/table.ts';
import { commit, freshPartition, item, put, store } from './support.ts';

const outcomes = async (commits: readonly Promise<{ outcome: string }>[]): Promise<string[]> =>
  (await Promise.all(commits)).map(({ outcome }) => outcome);

export function describeConcurrency(table: () => Table): void {
  describe('concurrent commits', () => {
    it('to make one item: exactly one does', async () => {
      const pk = freshPartition();
      const racers = Array.from({ length: 24 }, (_, by) =>
        commit(table(), put(item(pk, 'a', { by }), { item: 'absent' })),
      );
      const results = await Promise.all(racers);
      const winners = results.flatMap(({ outcome }, by) => (outcome === 'done' ? [by] : []));
      expect(winners).toHaveLength(1);
      expect((await table().get({ pk, sk: 'a' }))?.data.by).toBe(winners[0]);
    });

    it('that take from one number never take more than there is', async () => {
      const pk = freshPartition();
      await store(table(), item(pk, 'host', { free: { cpu: 100 } }));
      const take = (by: number, index: number): Change[] => [
        {
          kind: 'update',
          key: { pk, sk: 'host' },
          add: [{ path: ['free', 'cpu'], by: -by }],
          when: [{ path: ['free', 'cpu'], is: '>=', value: by }],
        },
        put(item(pk, `task-${index}`, { by }), { item: 'absent' }),
      ];
      // Every other one alone, because one change and several are written in different ways.
      const amounts = Array.from({ length: 30 }, (_, index) => 3 + (index % 5));
      const results = await outcomes(
        amounts.map((by, index) => commit(table(), ...take(by, index).slice(0, index % 2 === 0 ? 2 : 1))),
      );
      const taken = amounts.filter((_, index) => results[index] === 'done').reduce((sum, by) => sum + by, 0);
      expect(taken).toBeLessThanOrEqual(100);
      expect(taken).toBeGreaterThan(100 - 7);
      expect((await table().get({ pk, sk: 'host' }))?.data.free).toEqual({ cpu: 100 - taken });
      const tasks = (await table().query(pk, { prefix: 'task-' })).items.length;
      expect(tasks).toBe(results.filter((outcome, index) => outcome === 'done' && index % 2 === 0).length);
    });

    it('that move between items keep the sum', async () => {
      const pk = freshPartition();
      const accounts = ['a', 'b', 'c'];
      await store(table(), ...accounts.map((sk) => item(pk, sk, { n: 10 })));
      const move = (from: string, to: string): Promise<{ outcome: string }> =>
        commit(
          table(),
          {
            kind: 'update',
            key: { pk, sk: from },
            add: [{ path: ['n'], by: -4 }],
            when: [{ path: ['n'], is: '>=', value: 4 }],
          },
          { kind: 'update', key: { pk, sk: to }, add: [{ path: ['n'], by: 4 }], when: [] },
        );
      await Promise.all(accounts.flatMap((from) => accounts.filter((to) => to !== from).map((to) => move(from, to))));
      const left = (await table().query(pk)).items.map(({ data }) => Number(data.n));
      expect(left.reduce((sum, n) => sum + n, 0)).toBe(30);
      expect(Math.min(...left)).toBeGreaterThanOrEqual(0);
    });

    it('with one that fails among them: the others are made', async () => {
      const pk = freshPartition();
      await store(table(), item(pk, 'a'));
      const broken: Change = { kind: 'update', key: { pk, sk: 'a' }, add: [{ path: ['none'], by: 1 }], when: [] };
      const results = await Promise.allSettled([
        commit(table(), put(item(pk, 'b'))),
        commit(table(), broken),
        commit(table(), put(item(pk, 'a'), { item: 'absent' })),
        commit(table(), put(item(pk, 'c'))),
      ]);
      expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
      expect((await table().query(pk)).items.map(({ sk }) => sk)).toEqual(['a', 'b', 'c']);
    });
  });
}
