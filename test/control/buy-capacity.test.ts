/** Hosts that follow the tasks that wait, step by step, on a fake fleet and a clock that the test moves. */
import { describe, expect, it } from 'vitest';
import { openPurchases, pastPurchases } from '../../control/store/purchases.ts';
import { CapacitySim } from './support/capacity-sim.ts';
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
});
