/** The audit log beside the changes that it tells of: on both stores, and wherever a process ends. */
import { afterEach, describe, expect, it } from 'vitest';
import { auditedTable } from '../../control/audit/audited-table.ts';
import type { Change } from '../../control/store/table.ts';
import { whyNoDynoxide } from '../support/dynoxide.ts';
import { Death, interceptCommits } from './support/intercepted-table.ts';
import { type StoreKind, startWorld, type World, type WorldOptions } from './support/world.ts';

let world: World;
afterEach(() => world[Symbol.asyncDispose]());

const start = async (options: WorldOptions = {}): Promise<void> => {
  world = await startWorld(options);
};
const entries = async (input = {}) => (await world.call('ListAuditEntries', input)).entries;
const changing = (commits: readonly (readonly Change[])[]) =>
  commits.map((changes) => changes.map((change) => (change.kind === 'put' ? change.item.pk : change.key.pk)));

const kinds: readonly StoreKind[] = whyNoDynoxide() === undefined ? ['sqlite', 'dynamodb'] : ['sqlite'];

describe.each(kinds)('on %s', (store) => {
  it('an entry is in the commit of the change, and takes no other', async () => {
    const commits: (readonly Change[])[] = [];
    const wrap: WorldOptions['wrap'] = (table) =>
      interceptCommits(table, (changes, forward) => {
        commits.push(changes);
        return forward(changes);
      });
    await start({ store, wrap });
    await world.register('web');
    await world.host();
    commits.length = 0;
    await world.call('RunTask', { taskDefinition: 'web', count: 30 });
    const [first, ...others] = changing(commits);
    expect(first?.filter((pk) => pk.startsWith('audit#'))).toHaveLength(1);
    expect(first?.filter((pk) => pk.startsWith('task#'))).toHaveLength(24);
    expect(others.flat().filter((pk) => pk.startsWith('audit#'))).toEqual([]);
    const [entry] = await entries({ operation: ['RunTask'] });
    expect(entry).toMatchObject({ operation: 'RunTask', parameters: { count: 30 }, outcome: 'ok' });
    expect(entry?.made).toHaveLength(10);
  });

  it('entries are forgotten after their time', async () => {
    await start({ store, settings: { auditSeconds: 3600 } });
    await world.register('web');
    world.advance(3599);
    expect(await entries()).toHaveLength(1);
    world.advance(2);
    expect(await entries()).toEqual([]);
  });
});

describe('a process that ends', () => {
  it.each([
    ['before the change', 'before', 0],
    ['after it, and before its answer', 'after', 1],
  ] as const)('%s leaves change and entry, or neither', async (_, when, count) => {
    const death = new Death(1, when);
    await start({ wrap: death.wrap });
    const other = await world.another();
    await world.register('web');
    death.arm();
    await expect(world.call('RunTask', { taskDefinition: 'web' })).rejects.toThrow();
    const { taskArns } = await world.call('ListTasks', {}, { control: other });
    expect(taskArns).toHaveLength(count);
    const left = (await world.call('ListAuditEntries', {}, { control: other })).entries;
    expect(left.filter(({ operation }) => operation === 'RunTask')).toHaveLength(count);
    expect(world.logged.map(({ msg }) => msg)).toEqual(['a call could not be written into the audit log']);
  });
});

it('a call that fails after a change says so, and what it had made', async () => {
  let fails = false;
  await start({
    wrap: (table) =>
      interceptCommits(table, (changes, forward) => {
        const isSecond = changing([changes])[0]?.some((pk) => pk.startsWith('task#')) && fails;
        fails ||= changing([changes])[0]?.some((pk) => pk.startsWith('task#')) ?? false;
        return isSecond ? Promise.reject(new Error('the disk is gone')) : forward(changes);
      }),
  });
  await world.register('web');
  await expect(world.call('RunTask', { taskDefinition: 'web', count: 40 })).rejects.toThrow('the disk is gone');
  const [entry] = await entries({ operation: ['RunTask'] });
  expect(entry).toMatchObject({ operation: 'RunTask', outcome: 'error', error: { code: 'ServerException' } });
  expect(entry?.made).toHaveLength(10);
});

it('changes of one call that come at once are made one by one until one has taken the entry along', async () => {
  const commits: (readonly Change[])[] = [];
  await start();
  const store = interceptCommits(world.table, (changes, forward) => {
    commits.push(changes);
    return forward(changes);
  });
  const put = (pk: string, condition: 'exists' | 'absent'): Change[] => [
    { kind: 'put', item: { pk, sk: 'item', v: 1, data: {} }, when: [{ item: condition }] },
  ];
  const [entry] = put('entry', 'absent');
  const { table, hasChanged } = auditedTable(store, () => entry ?? raise());
  const check: Change = { kind: 'check', key: { pk: 'a', sk: 'item' }, when: [{ item: 'absent' }] };
  const results = await Promise.all(
    [[check], put('a', 'exists'), put('b', 'absent'), put('c', 'absent')].map((changes) => table.commit(changes)),
  );
  expect(results.map(({ outcome }) => outcome)).toEqual(['done', 'refused', 'done', 'done']);
  expect(changing(commits)).toEqual([['a'], ['a', 'entry'], ['b', 'entry'], ['c']]);
  expect(hasChanged()).toBe(true);
});

function raise(): never {
  throw new Error('there is no entry');
}

it('nothing is kept where it is switched off', async () => {
  await start({ settings: { auditSeconds: 0 } });
  await world.register('web');
  await expect(entries()).rejects.toMatchObject({ code: 'UnsupportedFeatureException' });
  expect((await world.table.query('audit#0')).items).toEqual([]);
});
