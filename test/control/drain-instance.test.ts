/** What hosts that go owe to their tasks: one successor to each that may be replaced, and time to every other. */
import { describe, expect, it } from 'vitest';
import { drainInstance } from '../../control/hosts/drain-instance.ts';
import { clusterDrains } from '../../control/store/drains.ts';
import { hostPaths } from '../../core/host-protocol.ts';
import { allTasks, replacedBy, settle, startBusy, statuses } from './support/busy-sim.ts';
import { CapacitySim } from './support/capacity-sim.ts';
import { offerOf } from './support/fake-fleet.ts';
import { ProcessGone } from './support/intercepted-table.ts';
import { breaches } from './support/invariants.ts';
import { Mortal } from './support/mortal.ts';

const reason = 'EC2 takes the spot instance back.';

describe('a spot interruption', () => {
  it('starts one successor of each replaceable task at once, and stops no other before the deadline', async () => {
    const { sim, loop, jobs, replaceable } = await startBusy({ jobs: 2, replaceable: 2 });
    await using _ = sim;
    const before = [...sim.hosts.keys()];
    const deadline = sim.now() + 110_000;
    const notice = { deadline, stopCode: 'SpotInterruption' as const, reason };
    for (const instanceId of before) expect(await drainInstance(sim.client.deps, instanceId, notice)).toBe(true);
    const successors = (await allTasks(sim)).filter(({ replaces }) => replaces !== undefined);
    expect(replacedBy(successors)).toEqual([...replaceable].sort());
    expect(await statuses(sim, [...jobs, ...replaceable]), 'their successors do not run yet').not.toContain('STOPPED');
    for (const instanceId of before) await drainInstance(sim.client.deps, instanceId, notice);
    await settle(sim, loop);
    expect(await statuses(sim, replaceable)).toEqual(['STOPPED', 'STOPPED']);
    expect(await sim.task(replaceable[0] ?? '')).toMatchObject({
      stopCode: 'SpotInterruption',
      stoppedReason: expect.stringMatching(/^EC2 takes the spot instance back\. The task [0-9a-f]{32} runs instead\.$/),
    });
    expect(await statuses(sim, jobs)).toEqual(['RUNNING', 'RUNNING']);
    const now = (await allTasks(sim)).filter(({ replaces }) => replaces !== undefined);
    expect(now.map(({ id }) => id).sort()).toEqual(successors.map(({ id }) => id).sort());
    expect(
      await statuses(
        sim,
        now.map(({ id }) => id),
      ),
    ).toEqual(['RUNNING', 'RUNNING']);
    for (const { hostName } of now) expect(before).not.toContain(hostName);
    sim.advance((deadline - sim.now()) / 1000 - 1);
    await settle(sim, loop, 0);
    expect(await statuses(sim, jobs)).toEqual(['RUNNING', 'RUNNING']);
    sim.advance(1);
    await settle(sim, loop);
    for (const id of jobs)
      expect(await sim.task(id)).toMatchObject({
        lastStatus: 'STOPPED',
        stopCode: 'SpotInterruption',
        stoppedReason: reason,
      });
    expect(sim.fleet.living.map(({ instanceId }) => instanceId)).not.toEqual(expect.arrayContaining(before));
    expect(await clusterDrains(sim.table, 'default')).toEqual([]);
    expect(await breaches(sim.table)).toEqual([]);
  });

  it('does not know instances of others, and lets one that is no host yet become none', async () => {
    await using sim = await CapacitySim.start({ fleet: { bootMs: { least: 1000, most: 1000 } } });
    const notice = { deadline: sim.now(), stopCode: 'SpotInterruption' as const, reason };
    expect(await drainInstance(sim.client.deps, 'i-0123456789abcdef0', notice)).toBe(false);
    const loop = await sim.process({ fleet: sim.fleet });
    await sim.runTasks(1);
    await loop.run('buy-capacity');
    const [early = ''] = sim.fleet.instances.keys();
    expect(await drainInstance(sim.client.deps, early, notice)).toBe(true);
    expect(await drainInstance(sim.client.deps, early, notice)).toBe(false);
  });

  it.each(Array.from({ length: 24 }, (_, index) => index + 1))(
    'has one successor for each, whenever whoever empties the host dies (act %i)',
    async (acts) => {
      const { sim, jobs, replaceable } = await startBusy({ jobs: 3, replaceable: 3, seed: acts });
      await using _ = sim;
      const deadline = sim.now() + 110_000;
      const notice = { deadline, stopCode: 'SpotInterruption' as const, reason };
      const instances = [...sim.hosts.keys()];
      const mortal = new Mortal(acts, acts % 2 === 0 ? 'before' : 'after');
      const dying = await sim.process({ table: mortal.table(sim.table), fleet: mortal.fleet(sim.fleet) });
      try {
        for (const instanceId of instances) await drainInstance(dying.deps, instanceId, notice);
        await dying.run('drain-hosts', 'buy-capacity');
      } catch (error) {
        if (!(error instanceof ProcessGone)) throw error;
      }
      const next = await sim.process({ fleet: sim.fleet });
      // Each host says it itself, too, and EventBridge again.
      for (const host of sim.hosts.values())
        await host.request('POST', hostPaths.notice(host.hostId), { kind: 'spot-interruption', at: deadline + 30_000 });
      for (const instanceId of instances) await drainInstance(next.deps, instanceId, notice);
      // Purchases of the dead are asked for again after a minute.
      for (let round = 0; round < 12; round += 1) {
        sim.advance(8);
        await next.run('drain-hosts', 'buy-capacity');
        await sim.moveHosts();
        expect(await statuses(sim, jobs)).toEqual(jobs.map(() => 'RUNNING'));
      }
      const successors = (await allTasks(sim)).filter(({ replaces }) => replaces !== undefined);
      expect(replacedBy(successors)).toEqual([...replaceable].sort());
      expect(await statuses(sim, replaceable)).toEqual(replaceable.map(() => 'STOPPED'));
      expect(await breaches(sim.table)).toEqual([]);
    },
  );
});

describe('consolidation', () => {
  it('moves what may be replaced, and never stops anything else', async () => {
    const { sim, loop, jobs, replaceable } = await startConsolidating();
    await using _ = sim;
    for (let round = 0; round < 40; round += 1) {
      sim.advance(20);
      await loop.run('drain-hosts', 'buy-capacity');
      await sim.moveHosts();
      expect(await statuses(sim, jobs)).toEqual(jobs.map(() => 'RUNNING'));
    }
    const all = await allTasks(sim);
    const running = all.filter(({ observed }) => observed?.status === 'RUNNING');
    expect(running).toHaveLength(jobs.length + replaceable.length);
    expect(all.filter(({ replaces }) => replaces !== undefined).length).toBeGreaterThan(0);
    for (const { id, desired } of all)
      if (desired.status === 'STOPPED') expect(all.filter(({ replaces }) => replaces === id)).toHaveLength(1);
    expect(sim.fleet.living.length).toBeLessThan(4);
    expect(await breaches(sim.table)).toEqual([]);
  });
});

/** Four hosts that are half empty: two of them with a task that may not be replaced. */
async function startConsolidating() {
  const sim = await CapacitySim.start({
    policy: { consolidation: 'replace', idleSeconds: 60 },
    fleet: { offers: [{ ...offerOf('small'), zones: ['zone-a'] }] },
  });
  const loop = await sim.process({ fleet: sim.fleet });
  const tasks: string[][] = [];
  for (const family of ['job', 'job', 'replaceable-job', 'replaceable-job']) {
    const ids = await sim.runTasks(2, family);
    tasks.push(ids);
    await loop.run('buy-capacity');
    for (let round = 0; round < 3; round += 1) await sim.moveHosts();
    await loop.run('buy-capacity');
  }
  await sim.finish(tasks.map(([first = '']) => first));
  const [a, b, c, d] = tasks.map(([, second = '']) => second);
  return { sim, loop, jobs: [a ?? '', b ?? ''], replaceable: [c ?? '', d ?? ''] };
}
