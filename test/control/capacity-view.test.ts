import { describe, expect, it } from 'vitest';
import { createCapacityView } from '../../control/capacity-view.ts';
import { addHostCapacity, getHostCapacity } from '../../control/store/hosts.ts';
import { keys } from '../../control/store/keys.ts';
import type { Page, Table } from '../../control/store/table.ts';
import { interceptCommits } from './support/intercepted-table.ts';
import { startWorld, type World } from './support/world.ts';

/** The world's store, whose reads of hosts are counted and end when the test lets them. */
class HeldReads {
  begun = 0;
  items = 0;
  #gate = Promise.resolve();

  readonly wrap = (table: Table): Table => ({
    ...interceptCommits(table, (changes, forward) => forward(changes)),
    query: async (...args): Promise<Page> => {
      this.begun += 1;
      const page = await table.query(...args);
      await this.#gate;
      this.items += page.items.length;
      return page;
    },
  });

  hold(): () => void {
    const gate = Promise.withResolvers<void>();
    this.#gate = gate.promise;
    return gate.resolve;
  }
}

const shards = 8;
const viewOf = (world: World) => {
  const reads = new HeldReads();
  return { reads, view: createCapacityView(reads.wrap(world.table), { now: world.now }) };
};

/** Hosts by their capacity alone. Answers their ids. */
async function addHosts(world: World, count: number): Promise<string[]> {
  const { hostId: model } = await world.host();
  const capacity = await getHostCapacity(world.table, 'default', model);
  if (capacity === undefined) throw new Error('a host has a capacity');
  // Their first digits choose the shard.
  const ids = Array.from({ length: count - 1 }, (_, n) => n.toString(16).padStart(4, '0').padEnd(32, 'f'));
  for (let from = 0; from < ids.length; from += 100)
    await world.table.commit(ids.slice(from, from + 100).map((hostId) => addHostCapacity({ ...capacity, hostId })));
  return [model, ...ids];
}

describe('the capacity view', () => {
  it('is read once a second at most, and once for all who ask at once', async () => {
    await using world = await startWorld();
    await world.host();
    const { reads, view } = viewOf(world);
    await Promise.all([view.hosts('default'), view.hosts('default'), view.hosts('default')]);
    await view.hosts('default');
    expect(reads.begun).toBe(shards);
    world.advance(0.999);
    await view.hosts('default');
    expect(reads.begun).toBe(shards);
    world.advance(0.001);
    await world.host({ name: 'late' });
    expect((await view.hosts('default')).map(({ name }) => name).sort()).toEqual(['host-1', 'late']);
    expect(reads.begun).toBe(2 * shards);
  });

  it('is read strongly only by a read that began after it was asked for', async () => {
    await using world = await startWorld();
    const { reads, view } = viewOf(world);
    const letGo = reads.hold();
    const early = view.readStrongly('default');
    await world.host();
    const late = [view.readStrongly('default'), view.readStrongly('default')];
    letGo();
    expect(await early).toEqual([]);
    for (const hosts of await Promise.all(late)) expect(hosts).toHaveLength(1);
    expect(reads.begun, 'those who wait share one').toBe(2 * shards);
  });

  it('of a large cluster is a part, and more with each refresh, none of which costs more than another', async () => {
    await using world = await startWorld();
    const { reads, view } = viewOf(world);
    const ids = await addHosts(world, 300);
    const known = async (): Promise<number> => new Set((await view.hosts('default')).map(({ hostId }) => hostId)).size;
    expect(await known()).toBe(128);
    for (let seconds = 1; seconds <= 20; seconds += 1) {
      world.advance(1);
      const before = reads.items;
      await view.hosts('default');
      expect(reads.items - before).toBeLessThanOrEqual(40);
    }
    expect(await known()).toBe(ids.length);
    const [gone = ''] = ids;
    await world.table.commit([{ kind: 'delete', key: keys.hostCapacity('default', gone), when: [] }]);
    for (let seconds = 1; seconds <= 20; seconds += 1) {
      world.advance(1);
      await view.hosts('default');
    }
    expect((await view.hosts('default')).map(({ hostId }) => hostId).sort()).toEqual(ids.slice(1).sort());
  });

  it('is read once by a RunTask, however long that takes, and however often others are quicker', async () => {
    const slow = { lookUp: async () => {}, overtaken: 0 };
    const reads = new HeldReads();
    const wrap = (table: Table): Table => {
      const counted = reads.wrap(table);
      const query: Table['query'] = async (pk, options) => {
        // Beside the hosts, a call reads which revision is the newest.
        if (!pk.startsWith('family#')) return counted.query(pk, options);
        await slow.lookUp();
        return table.query(pk, options);
      };
      const commit: Table['commit'] = async (changes, options) => {
        slow.overtaken -= 1;
        return slow.overtaken < 0 ? counted.commit(changes, options) : { outcome: 'conflict' };
      };
      return { ...counted, query, commit };
    };
    await using world = await startWorld({ wrap });
    await world.host();
    await world.register('job');
    for (const [seconds, conflicts] of [
      [0, 0],
      [5, 0],
      [5, 2],
    ] as const) {
      world.advance(1);
      reads.begun = 0;
      slow.lookUp = async () => {
        await expect.poll(() => reads.begun).toBe(shards);
        world.advance(seconds);
        slow.overtaken = conflicts;
      };
      const { tasks } = await world.call('RunTask', { taskDefinition: 'job' });
      expect(tasks).toMatchObject([{ hostName: 'host-1' }]);
      expect(reads.begun, `with a look-up of ${seconds} s and ${conflicts} conflicts`).toBe(shards);
    }
  });

  it('survives a read that fails', async () => {
    await using world = await startWorld();
    await world.host();
    let fails = true;
    const query: Table['query'] = async (...args) => {
      if (fails) throw new Error('no store');
      return world.table.query(...args);
    };
    const view = createCapacityView({ ...new HeldReads().wrap(world.table), query }, { now: world.now });
    const failing = view.readStrongly('default');
    const following = view.readStrongly('default').catch((error: unknown) => error);
    await expect(failing).rejects.toThrow('no store');
    await following;
    fails = false;
    expect(await view.hosts('default')).toHaveLength(1);
  });
});
