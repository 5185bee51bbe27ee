/** How notices come together: in several ways, again, earlier and later, without a deadline, over hosts of any kind; and what tasks hear of it. */
import { describe, expect, it } from 'vitest';
import { drainInstance } from '../../control/hosts/drain-instance.ts';
import { drainHosts } from '../../control/loops/drain-hosts.ts';
import { taskHasChanged } from '../../control/operations/views/events.ts';
import { clusterDrains } from '../../control/store/drains.ts';
import { partitions } from '../../control/store/keys.ts';
import type { Table } from '../../control/store/table.ts';
import { getTask } from '../../control/store/tasks.ts';
import { meaningOf } from '../../core/ec2-notice.ts';
import { hostPaths } from '../../core/host-protocol.ts';
import { allTasks, replacedBy, settle, startBusy, statuses } from './support/busy-sim.ts';
import type { CapacitySim } from './support/capacity-sim.ts';
import { interceptCommits } from './support/intercepted-table.ts';
import { breaches } from './support/invariants.ts';
import { ProtocolError, type ScriptedHost } from './support/scripted-host.ts';
import { hostView, idOf, startWorld } from './support/world.ts';

const notify = (host: ScriptedHost, body: unknown) => host.request('POST', hostPaths.notice(host.hostId), body);
const successorsIn = async (sim: CapacitySim) => (await allTasks(sim)).filter(({ replaces }) => replaces !== undefined);

/** To a moment that need not be a whole second away. */
const advanceTo = (sim: CapacitySim, at: number): void => sim.advance((at - sim.now()) / 1000);

describe('notices of one machine', () => {
  it('begin one drain, though they come in two ways at once and again', async () => {
    const { sim, loop, jobs, replaceable } = await startBusy({ jobs: 2, replaceable: 4 });
    await using _ = sim;
    const at = sim.now() + 120_000;
    const event = meaningOf({ kind: 'spot-interruption', at: at + 700 });
    const everywhere = () =>
      Promise.all(
        [...sim.hosts].flatMap(([instanceId, host]) => [
          drainInstance(loop.deps, instanceId, event),
          notify(host, { kind: 'spot-interruption', at }),
        ]),
      );
    await everywhere();
    await everywhere();
    expect(replacedBy(await successorsIn(sim))).toEqual([...replaceable].sort());
    const drains = await clusterDrains(sim.table, 'default');
    expect(drains.map(({ deadline }) => deadline)).toEqual([...sim.hosts].map(() => at - 30_000));
    await settle(sim, loop);
    expect(new Set(await statuses(sim, replaceable))).toEqual(new Set(['STOPPED']));
    expect(new Set(await statuses(sim, jobs))).toEqual(new Set(['RUNNING']));
    expect(replacedBy(await successorsIn(sim))).toEqual([...replaceable].sort());
    expect(await breaches(sim.table)).toEqual([]);
  });

  it('stop nothing else a millisecond too early, and say when they will', async () => {
    const { sim, loop, jobs } = await startBusy({ jobs: 3, replaceable: 0 });
    await using _ = sim;
    const at = sim.now() + 120_000;
    for (const host of sim.hosts.values()) await notify(host, { kind: 'spot-interruption', at });
    const deadline = at - 30_000;
    expect(await drainHosts.activate(loop.deps, 'default')).toEqual({ changed: 0, againAt: deadline });
    advanceTo(sim, deadline - 1);
    expect(await drainHosts.activate(loop.deps, 'default')).toEqual({ changed: 0, againAt: deadline });
    await sim.moveHosts();
    expect(new Set(await statuses(sim, jobs))).toEqual(new Set(['RUNNING']));
    advanceTo(sim, deadline);
    expect(await drainHosts.activate(loop.deps, 'default')).toEqual({ changed: 3 });
    await sim.moveHosts();
    expect(new Set(await statuses(sim, jobs))).toEqual(new Set(['STOPPED']));
  });

  it('keep their deadlines though another host cannot be looked at', async () => {
    const { sim, loop, jobs } = await startBusy({ jobs: 4, replaceable: 0 });
    await using _ = sim;
    const at = sim.now() + 120_000;
    for (const host of sim.hosts.values()) await notify(host, { kind: 'spot-interruption', at });
    const [blind = ''] = (await clusterDrains(sim.table, 'default')).map(({ hostId }) => hostId);
    const table: Table = {
      ...interceptCommits(sim.table, (changes, forward) => forward(changes)),
      query: (pk, options) =>
        pk === partitions.host(blind) ? Promise.reject(new Error('unreadable')) : sim.table.query(pk, options),
    };
    advanceTo(sim, at - 30_000);
    await expect(drainHosts.activate({ ...loop.deps, table }, 'default')).rejects.toThrow('unreadable');
    await sim.moveHosts();
    expect((await statuses(sim, jobs)).toSorted()).toEqual(['RUNNING', 'RUNNING', 'STOPPED', 'STOPPED']);
    await settle(sim, loop);
    expect(new Set(await statuses(sim, jobs))).toEqual(new Set(['STOPPED']));
  });

  it('heed the earliest deadline, with its reason', async () => {
    const { sim, loop, jobs } = await startBusy({ jobs: 1, replaceable: 0 });
    await using _ = sim;
    const [instanceId = '', host] = [...sim.hosts][0] ?? [];
    const [id = ''] = jobs;
    if (host === undefined) throw new Error('there is a host');
    const inForce = async () => (await clusterDrains(sim.table, 'default')).map(({ deadline }) => deadline);
    const days = 24 * 3_600_000;

    await notify(host, { kind: 'rebalance' });
    expect(await inForce()).toEqual([undefined]);
    expect((await sim.task(id)).headline).toMatch(/, which may go: EC2 recommends .*; it may run to its end$/);

    await notify(host, { kind: 'retirement', at: sim.now() + 14 * days });
    const retirement = sim.now() + 14 * days - 600_000;
    await notify(host, { kind: 'retirement', at: sim.now() + 15 * days });
    await notify(host, { kind: 'rebalance' });
    expect(await inForce()).toEqual([retirement]);
    sim.advance(24 * 3600);
    await settle(sim, loop);
    expect(await sim.task(id)).toMatchObject({
      lastStatus: 'RUNNING',
      hostGoes: { stopsAt: new Date(retirement), reason: expect.stringMatching(/^EC2 retires the instance/) },
    });

    const at = sim.now() + 120_000;
    await drainInstance(loop.deps, instanceId, meaningOf({ kind: 'spot-interruption', at }));
    expect(await inForce()).toEqual([at - 30_000]);
    advanceTo(sim, at - 30_000);
    await settle(sim, loop);
    expect(await sim.task(id)).toMatchObject({
      lastStatus: 'STOPPED',
      stopCode: 'SpotInterruption',
      stoppedReason: expect.stringMatching(/^EC2 takes the spot instance back at 2100-01-02 .* UTC\.$/),
    });
    expect(sim.fleet.living).toEqual([]);
    expect(await clusterDrains(sim.table, 'default')).toEqual([]);
  });

  it('leave a task one successor that finds no host before the deadline', async () => {
    const { sim, loop, replaceable } = await startBusy({ jobs: 1, replaceable: 3 });
    await using _ = sim;
    sim.fleet.faults = { noCapacity: 1 };
    const at = sim.now() + 120_000;
    for (const host of sim.hosts.values()) await notify(host, { kind: 'spot-interruption', at });
    const made = replacedBy(await successorsIn(sim));
    expect(made).toEqual([...replaceable].sort());
    advanceTo(sim, at - 30_001);
    await settle(sim, loop, 1);
    advanceTo(sim, at);
    await settle(sim, loop);
    expect(new Set(await statuses(sim, replaceable))).toEqual(new Set(['STOPPED']));
    for (const id of replaceable)
      expect((await sim.task(id)).stoppedReason).toMatch(/^EC2 takes the spot instance back at .* UTC\.$/);
    expect(new Set((await successorsIn(sim)).map(({ hostId }) => hostId))).toEqual(new Set([undefined]));

    sim.fleet.faults = {};
    sim.advance(600);
    await settle(sim, loop, 8);
    const successors = await successorsIn(sim);
    expect(replacedBy(successors)).toEqual(made);
    expect(successors.map(({ observed }) => observed?.status)).toEqual(['RUNNING', 'RUNNING', 'RUNNING']);
  });
});

describe('a rebalance recommendation', () => {
  it('moves what may be replaced, leaves everything else alone, and lets the host go when it is empty', async () => {
    const { sim, loop, jobs, replaceable } = await startBusy({ jobs: 1, replaceable: 1 });
    await using _ = sim;
    const before = [...sim.hosts.keys()];
    for (const host of sim.hosts.values()) await notify(host, { kind: 'rebalance' });
    await settle(sim, loop);
    expect(await statuses(sim, replaceable)).toEqual(['STOPPED']);
    for (let hour = 0; hour < 24; hour += 1) {
      sim.advance(3600);
      await settle(sim, loop, 1);
    }
    expect(await statuses(sim, jobs)).toEqual(['RUNNING']);
    expect(sim.fleet.living.map(({ instanceId }) => instanceId)).toEqual(expect.arrayContaining(before));
    await sim.finish(jobs);
    await settle(sim, loop);
    expect(sim.fleet.living.filter(({ instanceId }) => before.includes(instanceId))).toEqual([]);
    expect(await clusterDrains(sim.table, 'default')).toEqual([]);
  });
});

describe('what a task hears', () => {
  it('is said before it is stopped: by its view, its story and an event', async () => {
    const { sim, jobs, replaceable } = await startBusy({ jobs: 1, replaceable: 1 });
    await using _ = sim;
    const [job = '', other = ''] = [...jobs, ...replaceable];
    const seen = await getTask(sim.table, job);
    const at = sim.now() + 120_000;
    for (const host of sim.hosts.values()) await notify(host, { kind: 'spot-interruption', at });
    const [successor] = await successorsIn(sim);
    const told = await sim.task(job);
    expect(told).toMatchObject({ desiredStatus: 'RUNNING', hostGoes: { stopsAt: new Date(at - 30_000) } });
    expect(told.headline).toMatch(/^runs on \S+, which goes: EC2 takes .* UTC; it is stopped at .* UTC unless it has/);
    expect(told.story.map(({ phase }) => phase)).toContain('host-goes');
    const moved = await sim.task(other);
    expect(moved.headline).toContain(`; the task ${successor?.id} takes its place, at `);
    expect(idOf(moved.replacedByTaskArn)).toBe(successor?.id);
    const now = await getTask(sim.table, job);
    expect(now !== undefined && taskHasChanged(seen, now)).toBe(true);
    expect((await sim.task(successor?.id ?? '')).hostGoes).toBeUndefined();
    // Said again, nothing changes.
    for (const host of sim.hosts.values()) await notify(host, { kind: 'spot-interruption', at });
    expect((await sim.task(job)).version).toBe(told.version);
  });
});

describe('hosts that nobody bought', () => {
  it('are drained on their own word, and on no other host’s', async () => {
    await using world = await startWorld();
    await world.register('job');
    const host = await world.host();
    const { tasks } = await world.call('RunTask', { taskDefinition: 'job' });
    await host.obey();
    const id = idOf(tasks[0]?.taskArn);
    const other = await world.host({ name: 'host-2' });
    const at = world.now() + 120_000;
    const body = { kind: 'spot-interruption', at };
    await expect(other.request('POST', hostPaths.notice(host.hostId), body)).rejects.toBeInstanceOf(ProtocolError);
    await expect(notify(host, { kind: 'spot-interruption' })).rejects.toThrow('at');
    await expect(notify(host, { kind: 'of another time' })).rejects.toThrow('kind');
    expect((await hostView(world)).status).toBe('ACTIVE');
    await notify(host, body);
    expect((await hostView(world)).status).toBe('DRAINING');
    expect((await hostView(world, 'host-2')).status).toBe('ACTIVE');
    world.advance(90);
    await world.loop('drain-hosts');
    const { task } = await world.call('GetTask', { task: id });
    expect(task).toMatchObject({ desiredStatus: 'STOPPED', stopCode: 'SpotInterruption' });
  });

  it('may be used again after a recommendation, and not where the machine goes', async () => {
    await using world = await startWorld();
    await world.register('job');
    const host = await world.host();
    const { tasks } = await world.call('RunTask', { taskDefinition: 'job' });
    await host.obey();
    const use = () =>
      world.call('UpdateContainerInstancesState', { containerInstances: [host.hostId], status: 'ACTIVE' });
    await notify(host, { kind: 'rebalance' });
    const view = async () => (await world.call('GetTask', { task: tasks[0]?.taskArn ?? '' })).task;
    expect((await view()).headline).toContain('may go');
    await use();
    await world.loop('drain-hosts');
    expect((await hostView(world)).status).toBe('ACTIVE');
    expect((await view()).headline).toBe('runs on host-1');
    expect(await clusterDrains(world.table, 'default')).toEqual([]);

    await notify(host, { kind: 'retirement', at: world.now() + 86_400_000 });
    await use();
    await world.loop('drain-hosts');
    expect((await hostView(world)).status).toBe('DRAINING');
    expect((await view()).lastStatus).toBe('RUNNING');
  });
});
