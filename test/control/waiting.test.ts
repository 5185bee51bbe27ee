import { describe, expect, it } from 'vitest';
import { idOf, startWorld, type World } from './support/world.ts';

async function run(world: World, request: Record<string, unknown>): Promise<string[]> {
  return (await world.call('RunTask', request)).tasks.map(({ taskArn }) => idOf(taskArn));
}

async function tasksOf(world: World, ids: readonly string[]) {
  return (await world.call('DescribeTasks', { tasks: ids })).tasks;
}

describe('a task that fits nowhere', () => {
  it('waits with an explanation, and is placed when a host joins', async () => {
    await using world = await startWorld();
    await world.register('job');
    const ids = await run(world, { taskDefinition: 'job' });
    expect(await tasksOf(world, ids)).toMatchObject([
      { lastStatus: 'PROVISIONING', explanation: { sentence: 'the cluster has no hosts' } },
    ]);
    const host = await world.host();
    await world.control.loops.idle();
    expect(await tasksOf(world, ids)).toMatchObject([{ lastStatus: 'PENDING', hostName: 'host-1' }]);
    expect((await tasksOf(world, ids))[0]).not.toHaveProperty('explanation');
    expect((await host.fetch())?.tasks.map(({ taskId }) => taskId)).toEqual(ids);
  });

  it('is placed when another one ends, oldest first', async () => {
    await using world = await startWorld();
    const host = await world.host({ memoryMib: 512 });
    await world.register('job', { memory: 512 });
    const [running = ''] = await run(world, { taskDefinition: 'job' });
    const [older = ''] = await run(world, { taskDefinition: 'job' });
    world.advance(1);
    const [younger = ''] = await run(world, { taskDefinition: 'job' });
    await host.obey();
    host.end(running);
    await host.report();
    await world.control.loops.idle();
    expect(await tasksOf(world, [older, younger])).toMatchObject([
      { lastStatus: 'PENDING' },
      { lastStatus: 'PROVISIONING' },
    ]);
  });

  it('does not hold up smaller ones behind it', async () => {
    await using world = await startWorld();
    await world.register('big', { memory: 4000 });
    await world.register('small', { memory: 100 });
    const big = await run(world, { taskDefinition: 'big' });
    const small = await run(world, { taskDefinition: 'small', count: 5 });
    await world.host({ memoryMib: 1000 });
    await world.control.loops.idle();
    expect((await tasksOf(world, small)).map(({ lastStatus }) => lastStatus)).toEqual(small.map(() => 'PENDING'));
    expect(await tasksOf(world, big)).toMatchObject([{ lastStatus: 'PROVISIONING' }]);
  });

  it('gets a new explanation when that changes', async () => {
    await using world = await startWorld();
    await world.register('job', { memory: 4000 });
    const ids = await run(world, { taskDefinition: 'job', count: 3 });
    await world.host({ memoryMib: 1000 });
    await world.control.loops.idle();
    const sentences = new Set((await tasksOf(world, ids)).map(({ explanation }) => explanation?.sentence));
    expect([...sentences]).toEqual(['1 host: memory (largest free 1000 MiB, needs 4000; the largest has 1000 in all)']);
    const versions = (await tasksOf(world, ids)).map(({ version }) => version);
    await world.loop('place-pending');
    expect((await tasksOf(world, ids)).map(({ version }) => version)).toEqual(versions);
  });

  it('stops by a verdict that says what was lacking once its deadline has passed', async () => {
    await using world = await startWorld();
    await world.host({ memoryMib: 1000 });
    await world.register('job', { memory: 4000 });
    const ids = await run(world, { taskDefinition: 'job', placementTimeoutSeconds: 30 });
    world.advance(29);
    await world.loop('expire-waiting');
    expect(await tasksOf(world, ids)).toMatchObject([{ lastStatus: 'PROVISIONING' }]);
    world.advance(1);
    await world.loop('expire-waiting');
    const [task] = await tasksOf(world, ids);
    expect(task).toMatchObject({ lastStatus: 'STOPPED', desiredStatus: 'STOPPED', stopCode: 'TaskFailedToStart' });
    const lack = '1 host: memory (largest free 1000 MiB, needs 4000; the largest has 1000 in all)';
    expect(task?.stoppedReason).toBe(
      `TaskFailedToStart: RESOURCE:MEMORY: no host could take the task within 30 s: ${lack}`,
    );
    expect(task?.containers).toMatchObject([{ lastStatus: 'STOPPED' }]);
    expect((await world.call('ListTasks', { desiredStatus: 'STOPPED' })).taskArns).toHaveLength(1);
    await world.host({ name: 'large', memoryMib: 8000 });
    await world.control.loops.idle();
    expect(await tasksOf(world, ids)).toMatchObject([{ lastStatus: 'STOPPED' }]);
  });

  it.each([
    ['the request', { tags: [{ key: 'gantry:placement-timeout-seconds', value: '30' }] }],
    ['the revision', {}],
  ])('has a deadline by a tag of %s, as any client can send it', async (_, input) => {
    await using world = await startWorld();
    await world.register('job', { memory: 4000 });
    const { taskDefinition } = await world.call('DescribeTaskDefinition', { taskDefinition: 'job' });
    const tags = [{ key: 'gantry:placement-timeout-seconds', value: '60' }];
    await world.call('TagResource', { resourceArn: taskDefinition.taskDefinitionArn, tags });
    const ids = await run(world, { taskDefinition: 'job', ...input });
    const seconds = Object.hasOwn(input, 'tags') ? 30 : 60;
    world.advance(seconds - 1);
    await world.loop('expire-waiting');
    expect(await tasksOf(world, ids)).toMatchObject([{ lastStatus: 'PROVISIONING' }]);
    world.advance(1);
    await world.loop('expire-waiting');
    expect(await tasksOf(world, ids)).toMatchObject([{ lastStatus: 'STOPPED', stopCode: 'TaskFailedToStart' }]);
  });

  it('is told why by the dimension that refuses it', async () => {
    await using world = await startWorld();
    await world.host({ name: 'busy', memoryMib: 1000, cpuUnits: 4096 });
    await world.host({ name: 'slow', memoryMib: 4000, cpuUnits: 256 });
    await world.host({ name: 'taken', memoryMib: 4000, cpuUnits: 4096, reservedPorts: ['tcp/8080'] });
    await world.register('web', { memory: 2000, cpu: 512, hostPort: 8080 });
    const [task] = await tasksOf(world, await run(world, { taskDefinition: 'web' }));
    const { histogram = [], nearest = [], sentence } = task?.explanation ?? {};
    expect(histogram.map(({ dimension, reason, hosts }) => [dimension, reason, hosts])).toEqual([
      ['cpu', 'RESOURCE:CPU', 1],
      ['memory', 'RESOURCE:MEMORY', 1],
      ['ports', 'RESOURCE:PORTS', 1],
    ]);
    expect(nearest.map(({ name, lacks }) => `${name}: ${lacks.join(', ')}`).sort()).toEqual([
      'busy: memory: 1000 MiB in all, needs 2000',
      'slow: CPU: 256 units in all, needs 512',
      'taken: ports: tcp/8080 is reserved',
    ]);
    for (const { detail } of histogram) expect(sentence).toContain(`1 host: ${detail}`);
  });
});

describe('StopTask', () => {
  it('ends a waiting task at once', async () => {
    await using world = await startWorld();
    await world.register('job');
    const ids = await run(world, { taskDefinition: 'job' });
    const { task } = await world.call('StopTask', { task: ids[0], reason: 'no longer needed' });
    expect(task).toMatchObject({ lastStatus: 'STOPPED', stopCode: 'UserInitiated', stoppedReason: 'no longer needed' });
    await world.host();
    await world.control.loops.idle();
    expect(await tasksOf(world, ids)).toMatchObject([{ lastStatus: 'STOPPED' }]);
    expect(await world.call('ListTasks', {})).toEqual({ taskArns: [] });
  });

  it('tells the host of a placed one, whatever it is doing, and is idempotent', async () => {
    await using world = await startWorld();
    const host = await world.host();
    await world.register('job');
    for (const moment of ['placed', 'accepted', 'running'] as const) {
      const [id = ''] = await run(world, { taskDefinition: 'job' });
      if (moment === 'accepted') {
        await host.fetch();
        await host.report();
      }
      if (moment === 'running') await host.obey();
      const first = await world.call('StopTask', { task: id });
      const again = await world.call('StopTask', { task: id, reason: 'another reason' });
      expect(again.task.version).toBe(first.task.version);
      expect(first.task.desiredStatus).toBe('STOPPED');
      expect((await world.call('ListTasks', { desiredStatus: 'STOPPED' })).taskArns).toContain(first.task.taskArn);
      await host.obey();
      await host.obey();
      const [task] = await tasksOf(world, [id]);
      expect(task, moment).toMatchObject({
        lastStatus: 'STOPPED',
        stopCode: 'UserInitiated',
        stoppedReason: 'Task stopped by user',
      });
      expect((await world.call('StopTask', { task: id })).task.version).toBe(task?.version);
    }
    expect((await world.call('GetHosts', {})).hosts[0]).toMatchObject({ runningTasksCount: 0, pendingTasksCount: 0 });
  });

  it('does not know tasks of another cluster, or none', async () => {
    await using world = await startWorld();
    await world.call('CreateCluster', { clusterName: 'other' });
    await world.register('job');
    const [id = ''] = await run(world, { taskDefinition: 'job' });
    const notFound = { code: 'InvalidParameterException', message: 'The referenced task was not found.' };
    await expect(world.call('StopTask', { cluster: 'other', task: id })).rejects.toMatchObject(notFound);
    await expect(world.call('StopTask', { task: 'f'.repeat(32) })).rejects.toMatchObject(notFound);
    await expect(world.call('StopTask', { task: 'nonsense' })).rejects.toMatchObject(notFound);
  });
});
