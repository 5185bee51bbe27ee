import { describe, expect, it } from 'vitest';
import { keys } from '../../control/store/keys.ts';
import type { ScriptedHost } from './support/scripted-host.ts';
import { amounts, hostView, idOf, startWorld, type World } from './support/world.ts';

describe('the desired set', () => {
  it('has an ETag that changes with it', async () => {
    await using world = await startWorld();
    const host = await world.host();
    expect(await host.fetch()).toBeUndefined();
    await world.register('job');
    const { tasks } = await world.call('RunTask', { taskDefinition: 'job' });
    const set = await host.fetch();
    expect(set?.tasks).toMatchObject([
      {
        taskId: idOf(tasks[0]?.taskArn),
        desired: { status: 'RUNNING', version: 1 },
        spec: { family: 'job', revision: 1, networkMode: 'bridge', containers: [{ name: 'app', image: 'busybox' }] },
      },
    ]);
    expect(await host.fetch()).toBeUndefined();
    await world.call('StopTask', { task: idOf(tasks[0]?.taskArn) });
    expect((await host.fetch())?.tasks).toMatchObject([{ desired: { status: 'STOPPED', version: 2 } }]);
  });

  it('is answered whole to an agent that knows the generation from another store or epoch', async () => {
    await using world = await startWorld();
    const host = await world.host();
    const etag = host.etag ?? '';
    expect(etag).toContain(world.control.deps.storeEpoch);
    host.etag = etag.replace(world.control.deps.storeEpoch, 'another');
    expect(await host.fetch()).toMatchObject({ storeEpoch: world.control.deps.storeEpoch });
    expect(host.etag).toBe(etag);
    await world.table.commit([
      { kind: 'update', key: keys.hostCapacity('default', host.hostId), add: [{ path: ['epoch'], by: 1 }], when: [] },
    ]);
    expect(await host.fetch()).toMatchObject({ hostEpoch: 2 });
  });

  it('carries the overrides of each task', async () => {
    await using world = await startWorld();
    const host = await world.host();
    await world.register('job');
    const override = { name: 'app', command: ['echo', 'hi'], environment: [{ name: 'A', value: '1' }] };
    await world.call('RunTask', { taskDefinition: 'job', overrides: { containerOverrides: [override] } });
    const [container] = (await host.fetch())?.tasks[0]?.spec.containers ?? [];
    expect(container?.command).toEqual(['echo', 'hi']);
    expect(container?.environment).toContainEqual({ name: 'A', value: '1' });
  });
});

describe('a report', () => {
  async function runningTask(world: World, host: ScriptedHost): Promise<string> {
    await world.register('job', { cpu: 100, memory: 100 });
    const { tasks } = await world.call('RunTask', { taskDefinition: 'job' });
    await host.obey();
    return idOf(tasks[0]?.taskArn);
  }

  it('gives back what a task held exactly once, however often and in whatever order it comes', async () => {
    await using world = await startWorld();
    const host = await world.host({ cpuUnits: 1000, memoryMib: 1000 });
    const id = await runningTask(world, host);
    const entry = host.tasks.get(id);
    if (entry === undefined) throw new Error('the host has no such task');
    const running = entry.observation;
    host.end(id);
    const base = { storeEpoch: host.storeEpoch, hostEpoch: host.hostEpoch, full: false };
    const stopped = { ...base, tasks: [{ taskId: id, desiredVersion: 1, observation: entry.observation }] };
    const late = { ...base, tasks: [{ taskId: id, desiredVersion: 1, observation: running }] };
    await Promise.all([stopped, stopped, late, stopped].map((report) => host.reportExactly(report)));
    for (const report of [late, stopped, late])
      expect(await host.reportExactly(report)).toMatchObject({ forget: [id] });
    expect(amounts((await hostView(world)).remainingResources)).toEqual({ CPU: 1000, MEMORY: 1000 });
    expect((await world.call('DescribeTasks', { tasks: [id] })).tasks).toMatchObject([{ lastStatus: 'STOPPED' }]);
    await world.loop('audit');
  });

  it('of many ends at once gives everything back', async () => {
    await using world = await startWorld();
    const host = await world.host({ cpuUnits: 10_000, memoryMib: 10_000 });
    await world.register('job', { cpu: 10, memory: 10 });
    await world.call('RunTask', { taskDefinition: 'job', count: 80 });
    await host.obey();
    for (const id of host.tasks.keys()) host.end(id);
    const answer = await host.report();
    expect(answer.forget).toHaveLength(80);
    expect(amounts((await hostView(world)).remainingResources)).toEqual({ CPU: 10_000, MEMORY: 10_000 });
    expect((await world.call('GetTasks', { desiredStatus: 'STOPPED' })).tasks).toHaveLength(80);
  });

  it('of several changes of one task counts by its newest, in whatever order they are told', async () => {
    await using world = await startWorld();
    const host = await world.host();
    const id = await runningTask(world, host);
    const entry = host.tasks.get(id);
    if (entry === undefined) throw new Error('the host has no such task');
    const { observation } = entry;
    const told = (['STOPPING', 'STOPPED', 'DEPROVISIONING'] as const).map((status, index) => ({
      taskId: id,
      desiredVersion: 1,
      observation: {
        ...observation,
        status,
        stoppedAt: world.now(),
        sequence: observation.sequence + ([1, 3, 2][index] ?? 0),
      },
    }));
    const base = { storeEpoch: host.storeEpoch, hostEpoch: host.hostEpoch, full: false };
    expect(await host.reportExactly({ ...base, tasks: told })).toEqual({
      accepted: [{ taskId: id, sequence: observation.sequence + 3 }],
      forget: [id],
    });
  });

  it("is heard only about the host's own tasks", async () => {
    await using world = await startWorld();
    const host = await world.host({ name: 'a' });
    const id = await runningTask(world, host);
    const stranger = await world.host({ name: 'b' });
    const entry = host.tasks.get(id);
    if (entry === undefined) throw new Error('the host has no such task');
    host.end(id);
    const tasks = [{ taskId: id, desiredVersion: 1, observation: entry.observation }];
    const report = { storeEpoch: stranger.storeEpoch, hostEpoch: stranger.hostEpoch, full: false, tasks };
    expect(await stranger.reportExactly(report)).toMatchObject({ forget: [id] });
    expect((await world.call('DescribeTasks', { tasks: [id] })).tasks).toMatchObject([{ lastStatus: 'RUNNING' }]);
  });

  it('of an unknown task is answered with: forget it', async () => {
    await using world = await startWorld();
    const host = await world.host();
    const observation = { status: 'RUNNING' as const, sequence: 3, acceptedAt: 1, containers: [] };
    const taskId = 'a'.repeat(32);
    const base = { storeEpoch: host.storeEpoch, hostEpoch: host.hostEpoch, full: true };
    expect(await host.reportExactly({ ...base, tasks: [{ taskId, desiredVersion: 1, observation }] })).toEqual({
      accepted: [{ taskId, sequence: 3 }],
      forget: [taskId],
    });
  });

  it('under a host epoch that is over is heard, and does not make the host placeable', async () => {
    await using world = await startWorld();
    const host = await world.host();
    const id = await runningTask(world, host);
    await world.table.commit([
      {
        kind: 'update',
        key: keys.hostCapacity('default', host.hostId),
        add: [
          { path: ['epoch'], by: 1 },
          { path: ['generation'], by: 1 },
        ],
        when: [],
      },
    ]);
    world.advance(1);
    host.end(id);
    await host.report({ full: true });
    expect((await world.call('DescribeTasks', { tasks: [id] })).tasks).toMatchObject([{ lastStatus: 'STOPPED' }]);
    const request = { taskDefinition: 'job', launchType: 'EC2' };
    expect((await world.call('RunTask', request)).failures).toMatchObject([{ reason: 'AGENT' }]);
    await host.fetch();
    await host.report({ full: true });
    expect((await world.call('RunTask', request)).failures).toEqual([]);
  });

  it('that moves a task backwards is acknowledged, logged, and changes nothing', async () => {
    await using world = await startWorld();
    const host = await world.host();
    const id = await runningTask(world, host);
    const entry = host.tasks.get(id);
    if (entry === undefined) throw new Error('the host has no such task');
    const observation = { ...entry.observation, status: 'PENDING' as const, sequence: 99 };
    const base = { storeEpoch: host.storeEpoch, hostEpoch: host.hostEpoch, full: false };
    const tasks = [{ taskId: id, desiredVersion: 1, observation }];
    expect(await host.reportExactly({ ...base, tasks })).toEqual({
      accepted: [{ taskId: id, sequence: 99 }],
      forget: [],
    });
    expect((await world.call('DescribeTasks', { tasks: [id] })).tasks).toMatchObject([{ lastStatus: 'RUNNING' }]);
    expect(world.logged).toMatchObject([{ msg: 'an observation was not accepted', taskId: id }]);
  });

  it('under another store epoch is refused', async () => {
    await using world = await startWorld();
    const host = await world.host();
    const report = { storeEpoch: 'another', hostEpoch: host.hostEpoch, full: true, tasks: [] };
    await expect(host.reportExactly(report)).rejects.toMatchObject({ status: 409, code: 'ConflictException' });
  });
});

describe('the health of a host', () => {
  it('is answered where it is asked for', async () => {
    await using world = await startWorld();
    const host = await world.host();
    const described = async (include?: string[]) =>
      (await world.call('DescribeContainerInstances', { containerInstances: [host.hostId], include }))
        .containerInstances[0];
    expect(await described()).not.toHaveProperty('healthStatus');
    const include = ['CONTAINER_INSTANCE_HEALTH'];
    expect((await described(include))?.healthStatus).toEqual({
      overallStatus: 'OK',
      details: [{ type: 'CONTAINER_RUNTIME', status: 'OK' }],
    });
    for (let step = 0; step < 6; step += 1) {
      world.advance(5);
      await world.loop('mark-silent');
    }
    expect((await described(include))?.healthStatus).toMatchObject({ overallStatus: 'INSUFFICIENT_DATA' });
    await expect(described(['COLOURS'])).rejects.toMatchObject({ code: 'InvalidParameterException' });
  });
});
