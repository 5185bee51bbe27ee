/** Hosts that follow the tasks that wait, step by step, on a fake fleet and a clock that the test moves. */
import { describe, expect, it } from 'vitest';
import { openPurchases, pastPurchases } from '../../control/store/purchases.ts';
import { CapacitySim } from './support/capacity-sim.ts';
import { sizesOf } from './support/fake-fleet.ts';
import { breaches } from './support/invariants.ts';

const livingIds = (sim: CapacitySim): string[] => sim.fleet.living.map(({ instanceId }) => instanceId);

describe('capacity', () => {
  it('is bought for tasks that wait, runs them, and goes again', async () => {
    await using sim = await CapacitySim.start();
    const loop = await sim.process({ fleet: sim.fleet });
    const ids = await sim.runTasks(3);
    await loop.run('buy-capacity');
    expect(sim.fleet.living.length).toBeGreaterThan(0);
    await loop.run('buy-capacity');
    expect((await sim.task(ids[0] ?? '')).headline).toMatch(/^waits for a host: .*i-0.* has not joined yet/);
    const bought = livingIds(sim);
    await sim.moveHosts();
    await sim.moveHosts();
    for (const id of ids) expect(await sim.task(id)).toMatchObject({ lastStatus: 'RUNNING' });
    expect((await sim.task(ids[0] ?? '')).headline).not.toContain('joined');
    sim.advance(3600);
    await loop.run('buy-capacity');
    expect(livingIds(sim)).toEqual(bought);
    await sim.finish(ids);
    await loop.run('buy-capacity');
    sim.advance(59);
    await loop.run('buy-capacity');
    expect(livingIds(sim)).toEqual(bought);
    sim.advance(2);
    await loop.run('buy-capacity');
    expect(livingIds(sim)).toEqual([]);
    expect(await openPurchases(sim.table, 'default')).toEqual([]);
    expect(await pastPurchases(sim.table, 'default', 10)).toMatchObject([{ state: 'CLOSED', covers: ids.toSorted() }]);
    expect(await breaches(sim.table)).toEqual([]);
  });

  it('is bought once, also by two processes at the same time', async () => {
    await using sim = await CapacitySim.start();
    const [first, second] = [await sim.process({ fleet: sim.fleet }), await sim.process({ fleet: sim.fleet })];
    await sim.runTasks(8);
    await Promise.all([first.run('buy-capacity'), second.run('buy-capacity')]);
    await Promise.all([first.run('buy-capacity'), second.run('buy-capacity')]);
    expect(sim.fleet.living.reduce((sum, { offer }) => sum + sizesOf(offer).cpuUnits, 0)).toBe(8 * 1024);
    expect(new Set(sim.fleet.asked.map(({ id }) => id)).size).toBe(1);
  });

  it('says on each task why none is bought', async () => {
    await using sim = await CapacitySim.start({ limits: { maxHosts: 1 } });
    const loop = await sim.process({ fleet: sim.fleet });
    await sim.call('RegisterTaskDefinition', {
      family: 'huge',
      containerDefinitions: [{ name: 'app', image: 'busybox', memory: 98_304 }],
    });
    const [huge = ''] = await sim.runTasks(1, 'huge', { placementTimeoutSeconds: 60 });
    const jobs = await sim.runTasks(20);
    await loop.run('buy-capacity');
    await loop.run('place-pending', 'buy-capacity');
    expect((await sim.task(huge)).headline).toMatch(/no allowed instance type has 96 GiB.*; the largest has 16 GiB/);
    const headlines = await Promise.all(jobs.map(async (id) => (await sim.task(id)).headline));
    const limit = headlines.filter((text) =>
      text.includes('the limit of 1 host (maxHosts) is reached, with 1 there or on order'),
    );
    const coming = headlines.filter((text) => text.includes('launched and has not joined yet'));
    expect([limit.length, coming.length]).toEqual([12, 8]);
    const { version } = await sim.task(huge);
    await loop.run('place-pending', 'buy-capacity', 'place-pending', 'buy-capacity');
    expect((await sim.task(huge)).version, 'neither loop overwrites the other').toBe(version);
    sim.advance(60);
    await loop.run('expire-waiting');
    expect((await sim.task(huge)).stoppedReason).toMatch(/^TaskFailedToStart: .*; no allowed instance type has 96 GiB/);
  });

  it('is asked for again, once, where the answer was lost', async () => {
    await using sim = await CapacitySim.start({ fleet: { faults: { rejectsAfter: 1 } } });
    const loop = await sim.process({ fleet: sim.fleet });
    await sim.runTasks(2);
    await loop.run('buy-capacity');
    expect(await openPurchases(sim.table, 'default')).toMatchObject([{ state: 'OPEN', instances: [] }]);
    sim.fleet.faults = {};
    sim.advance(59);
    await loop.run('buy-capacity');
    expect(sim.fleet.asked).toHaveLength(1);
    sim.advance(1);
    await loop.run('buy-capacity');
    expect(sim.fleet.asked).toHaveLength(2);
    const [purchase] = await openPurchases(sim.table, 'default');
    expect(purchase).toMatchObject({ state: 'LAUNCHED', instances: [{ instanceId: livingIds(sim)[0] }] });
    expect(livingIds(sim)).toHaveLength(1);
  });

  it('is taken from the list where nobody remembers the answer any more', async () => {
    await using sim = await CapacitySim.start({
      fleet: { faults: { rejectsAfter: 1 } },
      policy: { joinSeconds: 3600 },
    });
    const loop = await sim.process({ fleet: sim.fleet });
    await sim.runTasks(2);
    await loop.run('buy-capacity');
    sim.fleet.faults = {};
    sim.advance(11 * 60);
    await loop.run('buy-capacity');
    expect(sim.fleet.asked).toHaveLength(1);
    expect(await openPurchases(sim.table, 'default')).toMatchObject([
      { state: 'LAUNCHED', instances: [{ instanceId: livingIds(sim)[0] }] },
    ]);
  });

  it('is asked for again as soon as the fleet would have answered', async () => {
    await using sim = await CapacitySim.start({ fleet: { faults: { rejectsAfter: 1 } } });
    const loop = await sim.process({ fleet: Object.assign(sim.fleet, { answersWithinMs: 2_000 }) });
    await sim.runTasks(2);
    await loop.run('buy-capacity');
    sim.fleet.faults = {};
    sim.advance(1.9);
    await loop.run('buy-capacity');
    expect(await openPurchases(sim.table, 'default')).toMatchObject([{ state: 'OPEN' }]);
    sim.advance(0.1);
    await loop.run('buy-capacity');
    expect(await openPurchases(sim.table, 'default')).toMatchObject([
      { state: 'LAUNCHED', instances: [{ instanceId: livingIds(sim)[0] }] },
    ]);
  });

  it('that shows after it was given up is ended, and not before that is sure', async () => {
    const bootMs = { least: 3_600_000, most: 3_600_000 };
    await using sim = await CapacitySim.start({
      fleet: { faults: { rejectsAfter: 1 }, visibleAfterMs: 700_000, bootMs },
    });
    const loop = await sim.process({ fleet: sim.fleet });
    const ids = await sim.runTasks(2);
    await loop.run('buy-capacity');
    sim.fleet.faults = {};
    const [stranger = ''] = livingIds(sim);
    sim.advance(10 * 60);
    await loop.run('buy-capacity');
    expect(await pastPurchases(sim.table, 'default', 10)).toMatchObject([{ state: 'CLOSED', instances: [] }]);
    expect(livingIds(sim), 'its tasks are bought for again').toHaveLength(2);
    for (const id of ids) await sim.call('StopTask', { task: id });
    sim.advance(99);
    await loop.run('buy-capacity');
    expect(livingIds(sim)).toContain(stranger);
    sim.advance(61);
    await loop.run('buy-capacity');
    expect(livingIds(sim)).not.toContain(stranger);
  });

  it('is ended again where its end was taken and did not come about', async () => {
    await using sim = await CapacitySim.start({ policy: { joinSeconds: 60 } });
    const loop = await sim.process({ fleet: sim.fleet });
    await sim.runTasks(4);
    await loop.run('buy-capacity');
    await sim.moveHosts();
    const [first = '', second = ''] = livingIds(sim);
    expect((await openPurchases(sim.table, 'default')).map(({ instances }) => instances.length)).toEqual([2]);
    sim.fleet.faults = { endsNothing: 1 };
    await sim.call('DeregisterContainerInstance', {
      containerInstance: sim.hosts.get(first)?.hostId ?? '',
      force: true,
    });
    await loop.run('buy-capacity');
    sim.fleet.faults = {};
    expect(livingIds(sim)).toEqual([first, second]);
    sim.advance(120);
    await loop.run('buy-capacity');
    expect(livingIds(sim)).toEqual([second]);
  });

  it('goes also while nobody says what is on offer', async () => {
    await using sim = await CapacitySim.start();
    const loop = await sim.process({ fleet: sim.fleet });
    const ids = await sim.runTasks(1);
    await loop.run('buy-capacity');
    await sim.moveHosts();
    for (const id of ids) await sim.call('StopTask', { task: id });
    await sim.moveHosts();
    await loop.run('buy-capacity');
    sim.fleet.faults = { offersNothing: 1 };
    sim.advance(10 * 60);
    await loop.run('buy-capacity');
    expect(livingIds(sim)).toEqual([]);
  });

  it('that does not join in time is ended by name, and replaced', async () => {
    await using sim = await CapacitySim.start({ fleet: { faults: { neverJoins: 1 } }, policy: { joinSeconds: 120 } });
    const loop = await sim.process({ fleet: sim.fleet });
    const ids = await sim.runTasks(1);
    await loop.run('buy-capacity');
    const [silent = ''] = livingIds(sim);
    sim.fleet.faults = {};
    sim.advance(119);
    await loop.run('buy-capacity');
    expect(livingIds(sim)).toEqual([silent]);
    sim.advance(1);
    await loop.run('buy-capacity');
    expect(sim.logged.filter(({ msg }) => msg === 'a host is ended')).toMatchObject([
      { instanceId: silent, why: `small ${silent} has not joined within 2 min of its launch` },
    ]);
    expect(livingIds(sim)).toHaveLength(1);
    expect(livingIds(sim)).not.toContain(silent);
    await sim.moveHosts();
    await sim.moveHosts();
    expect(await sim.task(ids[0] ?? '')).toMatchObject({ lastStatus: 'RUNNING' });
  });

  it('that does not join is replaced by another offer, or in another zone, until that is forgotten', async () => {
    await using sim = await CapacitySim.start({ fleet: { faults: { neverJoins: 1 } }, policy: { joinSeconds: 120 } });
    const loop = await sim.process({ fleet: sim.fleet });
    const ids = await sim.runTasks(1);
    await loop.run('buy-capacity');
    const placeOf = ({ offer, zone }: { offer: string; zone: string }) => `${offer}/${zone}`;
    const [silent] = await sim.fleet.list('default');
    if (silent === undefined) throw new Error('nothing was launched');
    const tried = [placeOf(silent)];
    for (const _ of [1, 2]) {
      sim.advance(120);
      await loop.run('buy-capacity');
      sim.advance(30);
      tried.push(
        ...(await sim.fleet.list('default'))
          .filter(({ state }) => state !== 'ended' && state !== 'ending')
          .map(placeOf),
      );
    }
    expect(new Set(tried).size).toBe(3);
    await loop.run('buy-capacity');
    const { headline } = await sim.task(ids[0] ?? '');
    expect(headline).toContain('has not joined yet');
  });

  it('is bought elsewhere where there is none, which is asked for again after a while', async () => {
    await using sim = await CapacitySim.start();
    const loop = await sim.process({ fleet: sim.fleet });
    for (const zone of ['zone-a', 'zone-b'])
      for (const offer of ['small', 'large']) sim.fleet.exhausted.add(`${offer}/${zone}`);
    const ids = await sim.runTasks(1);
    for (let round = 0; round < 3; round += 1) await loop.run('buy-capacity');
    const asked = sim.fleet.asked.length;
    expect((await sim.task(ids[0] ?? '')).headline).toContain('There is no small in zone-a now.');
    sim.fleet.exhausted.delete('large/zone-b');
    sim.fleet.exhausted.delete('small/zone-b');
    sim.advance(4 * 60);
    await loop.run('buy-capacity');
    expect(sim.fleet.asked).toHaveLength(asked);
    sim.advance(70);
    await loop.run('buy-capacity');
    expect(sim.fleet.living).toMatchObject([{ zone: 'zone-b' }]);
  });

  it('ends with its cluster', async () => {
    await using sim = await CapacitySim.start({ fleet: { bootMs: { least: 3_600_000, most: 3_600_000 } } });
    const loop = await sim.process({ fleet: sim.fleet });
    const [id = ''] = await sim.runTasks(1);
    await loop.run('buy-capacity');
    await sim.call('StopTask', { task: id });
    await sim.call('PutClusterCapacityProviders', {
      cluster: 'default',
      capacityProviders: [],
      defaultCapacityProviderStrategy: [],
    });
    await sim.call('DeleteCluster', { cluster: 'default' });
    sim.advance(2);
    await loop.run('buy-capacity');
    expect(livingIds(sim)).toEqual([]);
    expect(await openPurchases(sim.table, 'default')).toEqual([]);
  });

  it('follows the tasks over a store with faults', async () => {
    await using sim = await CapacitySim.start({ store: 'faulty-dynamodb', policy: { consolidation: 'replace' } });
    const loop = await sim.process({ fleet: sim.fleet });
    const ids = [...(await sim.runTasks(5)), ...(await sim.runTasks(5, 'replaceable-job'))];
    const isAll = async (status: string): Promise<boolean> =>
      (await Promise.all(ids.map((id) => sim.task(id)))).every(({ lastStatus }) => lastStatus === status);
    const until = async (holds: () => Promise<boolean>): Promise<void> => {
      for (let round = 0; !(await holds()); round += 1) {
        expect(round).toBeLessThan(30);
        await loop.run('buy-capacity', 'drain-hosts', 'place-pending');
        await sim.moveHosts();
        sim.advance(10);
      }
    };
    await until(() => isAll('RUNNING'));
    await sim.finish(ids);
    await until(async () => livingIds(sim).length === 0 && (await openPurchases(sim.table, 'default')).length === 0);
    expect(await isAll('STOPPED')).toBe(true);
    expect(await breaches(sim.table)).toEqual([]);
  });
});
