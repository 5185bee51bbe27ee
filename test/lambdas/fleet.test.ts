/** The function that buys hosts, from outside: events in, what the store and a fake fleet have afterwards out. */
import { describe, expect, it } from 'vitest';
import type { ControlDeps } from '../../control/deps.ts';
import { storedOffers, storeOffers } from '../../control/store/offers.ts';
import { openPurchases } from '../../control/store/purchases.ts';
import type { Table } from '../../control/store/table.ts';
import { createFleetHandler } from '../../lambdas/fleet/handler.ts';
import { rememberingOffers } from '../../lambdas/fleet/remembered-offers.ts';
import { CapacitySim, type SimOptions } from '../control/support/capacity-sim.ts';
import { offerOf, sizesOf } from '../control/support/fake-fleet.ts';
import { interceptCommits } from '../control/support/intercepted-table.ts';
import { lambdaContext } from './support/events.ts';

interface FleetFunction {
  readonly deps: ControlDeps;
  minute(remainingMs?: number): Promise<{ clusters: number; failed: number }>;
  call(...clusters: string[]): Promise<{ clusters: number; failed: number }>;
  invoke(event: unknown): Promise<unknown>;
}

/** One execution environment of the function: time goes by its sleeping. */
async function start(sim: CapacitySim, table: Table = sim.table): Promise<FleetFunction> {
  const { deps: made } = await sim.process({ table, fleet: undefined });
  const sleep = async (ms: number): Promise<void> => sim.advance(ms / 1000);
  const fleet = rememberingOffers(made, sim.fleet);
  const deps = { ...made, sleep, activate: () => {}, fleet, catalogue: fleet };
  const handle = createFleetHandler(deps);
  return {
    deps,
    minute: (remainingMs = 120_000) =>
      handle({ time: new Date(sim.now()).toISOString(), source: 'aws.scheduler' }, lambdaContext(remainingMs)),
    call: (...clusters) => handle({ clusters }, lambdaContext()),
    invoke: (event) => handle(event, lambdaContext()),
  };
}

const startSim = (options: SimOptions = {}) => CapacitySim.start({ store: 'dynamodb', ...options });

/** Partitions that are queried, in order. */
function watched(table: Table): { readonly table: Table; readonly queried: string[] } {
  const queried: string[] = [];
  const query: Table['query'] = (pk, options) => {
    queried.push(pk);
    return table.query(pk, options);
  };
  return { queried, table: { ...interceptCommits(table, (changes, forward) => forward(changes)), query } };
}

describe('a minute', () => {
  it('buys for what waits, and tells the tasks of it before it ends', async () => {
    await using sim = await startSim();
    const [id = ''] = await sim.runTasks(3);
    const fleet = await start(sim);
    expect(await fleet.minute()).toEqual({ clusters: 1, failed: 0 });
    expect(sim.fleet.living.length).toBeGreaterThan(0);
    expect((await sim.task(id)).headline).toMatch(/has not joined yet/);
    const asked = sim.fleet.asked.length;
    await fleet.minute();
    expect(sim.fleet.asked).toHaveLength(asked);
  });

  it('ends a host when it has been empty for long enough, not a minute later', async () => {
    await using sim = await startSim({ policy: { idleSeconds: 40 } });
    const ids = await sim.runTasks(1);
    const fleet = await start(sim);
    await fleet.minute();
    await sim.moveHosts();
    await sim.moveHosts();
    await sim.finish(ids);
    const emptyAt = sim.now();
    await fleet.minute();
    const [host] = sim.fleet.instances.values();
    expect(host?.endedAt).toBe(emptyAt + 40_000);
    expect(await openPurchases(sim.table, 'default')).toEqual([]);
  });

  it('leaves to the next one what comes when it has no time left', async () => {
    await using sim = await startSim({ policy: { idleSeconds: 40 } });
    const ids = await sim.runTasks(1);
    const fleet = await start(sim);
    await fleet.minute();
    await sim.moveHosts();
    await sim.moveHosts();
    await sim.finish(ids);
    const before = sim.now();
    await fleet.minute(30_000);
    expect(sim.fleet.living).toHaveLength(1);
    expect(sim.now() - before).toBeLessThanOrEqual(20_000);
  });

  it('goes on with what was bought by a provider that the cluster no longer has', async () => {
    await using sim = await startSim({ policy: { idleSeconds: 0 } });
    const ids = await sim.runTasks(1);
    const fleet = await start(sim);
    await fleet.minute();
    await sim.moveHosts();
    await sim.moveHosts();
    await sim.finish(ids);
    await sim.call('PutClusterCapacityProviders', {
      cluster: 'default',
      capacityProviders: [],
      defaultCapacityProviderStrategy: [],
    });
    expect(await fleet.minute()).toEqual({ clusters: 1, failed: 0 });
    expect(sim.fleet.living).toEqual([]);
    expect(await fleet.minute()).toEqual({ clusters: 0, failed: 0 });
  });

  it('of clusters that have nothing to buy by reads the list of them and whether anything was bought, and no more', async () => {
    await using sim = await startSim();
    await sim.call('PutClusterCapacityProviders', {
      cluster: 'default',
      capacityProviders: [],
      defaultCapacityProviderStrategy: [],
    });
    await sim.call('CreateCluster', { clusterName: 'blue' });
    await sim.runTasks(1);
    const { table, queried } = watched(sim.table);
    const fleet = await start(sim, table);
    queried.length = 0;
    expect(await fleet.minute()).toEqual({ clusters: 0, failed: 0 });
    expect(queried).toEqual(['clusters', 'purchases#blue', 'purchases#default']);
    expect(sim.fleet.asked).toEqual([]);
  });

  it('does for other clusters what fails for one, and counts it', async () => {
    await using sim = await startSim();
    await sim.call('CreateCluster', { clusterName: 'blue' });
    await sim.call('CreateCapacityProvider', { name: 'blue-pool', cluster: 'blue', gantry: {} });
    await sim.runTasks(1);
    const query: Table['query'] = (pk, options) =>
      pk === 'purchases#blue' ? Promise.reject(new Error('no')) : sim.table.query(pk, options);
    const broken = { ...interceptCommits(sim.table, (changes, forward) => forward(changes)), query };
    const fleet = await start(sim, broken);
    expect(await fleet.minute()).toEqual({ clusters: 2, failed: 1 });
    expect(sim.fleet.living).not.toEqual([]);
    expect(sim.logged).toContainEqual(expect.objectContaining({ loop: 'buy-capacity', cluster: 'blue' }));
  });
});

describe('a call by wake', () => {
  it('looks at the clusters that it names alone', async () => {
    await using sim = await startSim();
    await sim.runTasks(1);
    const fleet = await start(sim);
    expect(await fleet.call('blue')).toEqual({ clusters: 1, failed: 0 });
    expect(sim.fleet.asked).toEqual([]);
    await fleet.call('default');
    expect(sim.fleet.living).not.toEqual([]);
  });

  it('ends, though the fleet refuses again and again', async () => {
    await using sim = await startSim({ fleet: { faults: { throttled: 1 } } });
    await sim.runTasks(1);
    const before = sim.now();
    expect(await (await start(sim)).call('default')).toEqual({ clusters: 1, failed: 0 });
    expect(sim.now() - before).toBeLessThanOrEqual(10_000);
    expect(await openPurchases(sim.table, 'default')).toMatchObject([{ state: 'OPEN' }]);
  });

  it('twice at the same time buys once', async () => {
    await using sim = await startSim();
    await sim.runTasks(4);
    const [one, two] = [await start(sim), await start(sim)];
    await Promise.all([one.call('default'), two.call('default')]);
    const orders = new Set(sim.fleet.asked.map(({ id }) => id));
    expect(orders.size).toBe(1);
    expect(sim.fleet.living.reduce((sum, { offer }) => sum + sizesOf(offer).cpuUnits, 0)).toBe(4 * 1024);
  });

  it.each([{}, { clusters: 'default' }, undefined])('that cannot be read (%j) is refused', async (event) => {
    await using sim = await startSim();
    await expect((await start(sim)).invoke(event)).rejects.toThrow();
  });
});

describe('what is on offer', () => {
  const names = (offers: readonly { name: string }[] | undefined) => offers?.map(({ name }) => name);

  it('is stored for those who have no fleet, and read from there by the next process', async () => {
    await using sim = await startSim();
    await sim.runTasks(1);
    await (await start(sim)).call('default');
    const stored = await storedOffers(sim.table, 'default');
    expect(names(stored?.offers)).toEqual(['small', 'large']);
    sim.fleet.offers = () => Promise.reject(new Error('prices are slow'));
    const next = await start(sim);
    expect(names(await next.deps.catalogue?.offers('default'))).toEqual(['small', 'large']);
    await expect(next.deps.catalogue?.offers('default')).rejects.toThrow('slow');
  });

  it('is asked for again once what is stored is old', async () => {
    await using sim = await startSim();
    await storeOffers(sim.table, 'default', { offers: [offerOf('ancient')], readAt: sim.now() - 16 * 60_000 });
    const { deps } = await start(sim);
    expect(names(await deps.catalogue?.offers('default'))).toEqual(['small', 'large']);
    expect(await storedOffers(sim.table, 'default')).toMatchObject({ readAt: sim.now() });
  });

  it('is asked for again where nobody knew before how to launch hosts', async () => {
    await using sim = await startSim();
    await storeOffers(sim.table, 'default', { offers: [], readAt: sim.now() });
    const { deps } = await start(sim);
    expect(names(await deps.catalogue?.offers('default'))).toEqual(['small', 'large']);
    expect(names((await storedOffers(sim.table, 'default'))?.offers)).toEqual(['small', 'large']);
  });

  it('is stored again at once where there is something else, and not for a price that has moved', async () => {
    await using sim = await startSim();
    const { deps } = await start(sim);
    await deps.catalogue?.offers('default');
    sim.advance(60);
    sim.fleet.offers = async () => [
      offerOf('small', { hourlyUsd: 0.2 }),
      offerOf('large', { cpuUnits: 8192, memoryMib: 16_384, hourlyUsd: 0.4 }),
    ];
    await deps.catalogue?.offers('default');
    expect((await storedOffers(sim.table, 'default'))?.readAt).toBe(sim.now() - 60_000);
    sim.fleet.offers = async () => [offerOf('small')];
    await deps.catalogue?.offers('default');
    expect(names((await storedOffers(sim.table, 'default'))?.offers)).toEqual(['small']);
  });

  it('is used where it cannot be stored', async () => {
    await using sim = await startSim();
    const broken = interceptCommits(sim.table, (changes, forward) =>
      changes.some((change) => 'item' in change && change.item.pk.startsWith('offers#'))
        ? Promise.reject(new Error('the table is full'))
        : forward(changes),
    );
    const { deps } = await start(sim, broken);
    expect(names(await deps.catalogue?.offers('default'))).toEqual(['small', 'large']);
    expect(sim.logged).toContainEqual(
      expect.objectContaining({ msg: 'what is on offer could not be stored; the next look tries again' }),
    );
  });
});
