import { describe, expect, it } from 'vitest';
import type { Change, Table } from '../../control/store/table.ts';
import { hostView, startWorld } from './support/world.ts';

/** Every request to the store, in order. */
class Ledger {
  readonly reads: string[] = [];
  readonly commits: (readonly Change[])[] = [];

  clear(): void {
    this.reads.length = 0;
    this.commits.length = 0;
  }

  readonly wrap = (table: Table): Table => ({
    get: (key) => {
      this.reads.push(`${key.pk.replace(/#.*/, '')}/${key.sk.replace(/^[0-9a-f]{32}$/, 'ID')}`);
      return table.get(key);
    },
    getMany: (keys) => {
      this.reads.push(`${keys.length} items`);
      return table.getMany(keys);
    },
    query: (pk, options) => {
      this.reads.push(`query ${pk.replace(/#.*/, '')}`);
      return table.query(pk, options);
    },
    queryHistory: (pk, options) => {
      this.reads.push('history');
      return table.queryHistory(pk, options);
    },
    commit: (changes) => {
      this.commits.push(changes);
      return table.commit(changes);
    },
    close: () => table.close(),
  });
}

/** What the store charges by, near enough: DynamoDB counts names and values. */
const bytesOf = (change: Change | undefined): number => JSON.stringify(change).length;

describe('a heartbeat', () => {
  it('costs one write of one unit and one read; who the host is is read once in five minutes', async () => {
    const ledger = new Ledger();
    await using world = await startWorld({ wrap: ledger.wrap });
    const host = await world.host();
    await host.heartbeat();
    for (let beat = 0; beat < 3; beat += 1) {
      ledger.clear();
      world.advance(5);
      await host.heartbeat();
      expect(ledger.reads).toEqual(['hosts/ID']);
      expect(ledger.commits).toMatchObject([
        [{ kind: 'put', item: { pk: `host#${host.hostId}`, sk: 'lease' }, when: [] }],
      ]);
      // One unit is 1 KiB; a transaction would cost two.
      expect(bytesOf(ledger.commits[0]?.[0])).toBeLessThan(200);
    }
    ledger.clear();
    world.advance(300);
    await host.heartbeat();
    expect(ledger.reads.toSorted()).toEqual(['host/identity', 'hosts/ID']);
    expect(ledger.commits).toHaveLength(1);
  });

  it('answers the ETag of what is desired: the one fetched, until something changes', async () => {
    await using world = await startWorld();
    const host = await world.host();
    expect(await host.heartbeat()).toBe(host.etag);
    await world.register('job');
    await world.call('RunTask', { taskDefinition: 'job' });
    const etag = await host.heartbeat();
    expect(etag).not.toBe(host.etag);
    await host.fetch();
    expect(host.etag).toBe(etag);
  });

  it('of a host that was silent makes it connected, with what waits placed on it', async () => {
    await using world = await startWorld();
    const host = await world.host();
    await world.loop('mark-silent');
    for (let step = 0; step < 4; step += 1) {
      world.advance(5);
      await world.loop('mark-silent');
    }
    expect((await hostView(world)).agentConnected).toBe(false);
    await world.register('job');
    await world.call('RunTask', { taskDefinition: 'job' });
    await host.heartbeat();
    await world.control.loops.idle();
    expect((await hostView(world)).agentConnected).toBe(true);
    expect((await world.call('GetTasks', {})).tasks).toMatchObject([{ lastStatus: 'PENDING' }]);
  });

  it('of a host that another process retired is refused nothing and changes nothing, at once and five minutes later', async () => {
    const ledger = new Ledger();
    await using world = await startWorld({ wrap: ledger.wrap });
    const host = await world.host();
    const other = await world.another();
    const named = { containerInstance: host.hostId };
    await world.call('DeregisterContainerInstance', named, { control: other });
    const etag = await host.heartbeat();
    expect(etag).not.toBe(host.etag);
    expect((await host.fetch())?.tasks).toEqual([]);
    expect(host.etag).toBe(etag);
    world.advance(301);
    ledger.clear();
    expect(await host.heartbeat()).toBe(etag);
    expect(ledger.commits).toEqual([]);
    expect(await hostView(world, host.hostId)).toMatchObject({ status: 'INACTIVE', agentConnected: false });
  });
});
