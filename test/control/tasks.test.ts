import { describe, expect, it } from 'vitest';
import { idOf, startWorld, type World } from './support/world.ts';

const arn = (id: string, cluster = 'default'): string => `arn:aws:ecs:us-east-1:000000000000:task/${cluster}/${id}`;
const unknown = 'f'.repeat(32);
const day = 24 * 3600;

async function runOne(world: World, request: object = {}): Promise<string> {
  await world.register('job');
  const { tasks } = await world.call('RunTask', { taskDefinition: 'job', ...request });
  return idOf(tasks[0]?.taskArn);
}

describe('DescribeTasks', () => {
  it('answers those that there are, each once, and the others as MISSING', async () => {
    await using world = await startWorld();
    const id = await runOne(world);
    const { tasks, failures } = await world.call('DescribeTasks', {
      tasks: [unknown, id, arn(id), 'nonsense', arn(unknown), id],
    });
    expect(tasks.map(({ taskArn }) => taskArn)).toEqual([arn(id)]);
    expect(failures).toEqual([
      { arn: arn(unknown), reason: 'MISSING' },
      { arn: arn('nonsense'), reason: 'MISSING' },
      { arn: arn(unknown), reason: 'MISSING' },
    ]);
  });

  it('knows the tasks of its own cluster only', async () => {
    await using world = await startWorld();
    await world.call('CreateCluster', { clusterName: 'blue' });
    const id = await runOne(world);
    const { tasks, failures } = await world.call('DescribeTasks', { cluster: 'blue', tasks: [id] });
    expect([tasks, failures]).toEqual([[], [{ arn: arn(id, 'blue'), reason: 'MISSING' }]]);
    await expect(world.call('DescribeTasks', { cluster: 'blue', tasks: [arn(id)] })).rejects.toMatchObject({
      code: 'InvalidParameterException',
      message: 'Identifier is for cluster default. Your cluster is blue',
    });
  });

  it.each([
    [{ cluster: 'nowhere', tasks: [unknown] }, 'ClusterNotFoundException', 'Cluster not found.'],
    [{ tasks: [] }, 'InvalidParameterException', 'Tasks cannot be empty.'],
    [{ tasks: Array.from({ length: 101 }, () => unknown) }, 'InvalidParameterException', 'tasks may name at most 100.'],
  ])('refuses %j', async (request, code, message) => {
    await using world = await startWorld();
    await expect(world.call('DescribeTasks', request)).rejects.toMatchObject({ code, message });
  });
});

describe('DescribeContainerInstances', () => {
  it('answers those that there are, each once, and the others as MISSING', async () => {
    await using world = await startWorld();
    const { hostId } = await world.host();
    const host = `arn:aws:ecs:us-east-1:000000000000:container-instance/default/${hostId}`;
    const { containerInstances, failures } = await world.call('DescribeContainerInstances', {
      containerInstances: [hostId, unknown, host],
    });
    expect(containerInstances).toMatchObject([{ containerInstanceArn: host, status: 'ACTIVE', agentConnected: true }]);
    expect(failures).toEqual([{ arn: host.replace(hostId, unknown), reason: 'MISSING' }]);
    await expect(world.call('DescribeContainerInstances', { containerInstances: [] })).rejects.toMatchObject({
      code: 'InvalidParameterException',
      message: 'Container Instances cannot be empty.',
    });
    await expect(world.call('ListContainerInstances', { status: 'GONE' })).rejects.toMatchObject({
      code: 'InvalidParameterException',
      field: 'status',
    });
    await expect(world.call('GetHost', { host: 'host-9' })).rejects.toMatchObject({
      code: 'ResourceNotFoundException',
    });
  });
});

describe('a stopped task', () => {
  async function stopped(world: World): Promise<string> {
    const host = await world.host();
    const id = await runOne(world);
    await host.obey();
    host.end(id);
    await host.report();
    return id;
  }

  it.each([
    ['7 days', {}, 7 * day],
    ['as long as is set', { retentionSeconds: 3600 }, 3600],
  ])('is described for %s, and then gone everywhere', async (_, settings, retention) => {
    await using world = await startWorld({ settings });
    const id = await stopped(world);
    const seen = async () => [
      (await world.call('DescribeTasks', { tasks: [id] })).tasks.length,
      (await world.call('ListTasks', { desiredStatus: 'STOPPED' })).taskArns.length,
      (await world.call('GetTasks', {})).tasks.length,
    ];
    world.advance(retention - 1);
    expect(await seen()).toEqual([1, 1, 1]);
    world.advance(1);
    expect(await seen()).toEqual([0, 0, 0]);
    await expect(world.call('StopTask', { task: id })).rejects.toMatchObject({
      message: 'The referenced task was not found.',
    });
    await expect(world.call('GetTask', { task: id })).rejects.toMatchObject({ code: 'ResourceNotFoundException' });
  });
});

describe('GetTask', () => {
  it('waits until the task runs or has stopped, or can never run, without asking again and again', async () => {
    await using world = await startWorld();
    const host = await world.host();
    const id = await runOne(world);
    const running = world.call('GetTask', { task: id, wait: 'running' });
    const stopped = world.call('GetTask', { task: id, wait: 'stopped' });
    await host.obey();
    expect(await running).toMatchObject({ reached: 'yes', task: { lastStatus: 'RUNNING' } });
    host.end(id, 3);
    await host.report();
    expect(await stopped).toMatchObject({ reached: 'yes', task: { containers: [{ exitCode: 3 }] } });
    expect(await world.call('GetTask', { task: id, wait: 'running' })).toMatchObject({ reached: 'never' });
  });

  it('hears of a task that waits: when it is placed, when it is stopped', async () => {
    await using world = await startWorld();
    const id = await runOne(world);
    const running = world.call('GetTask', { task: id, wait: 'running' });
    const host = await world.host();
    await world.control.loops.idle();
    await host.obey();
    expect(await running).toMatchObject({ reached: 'yes' });
    const other = await runOne(world, { placementTimeoutSeconds: 60, overrides: { memory: '9999' } });
    const stopped = world.call('GetTask', { task: other, wait: 'stopped' });
    await world.call('StopTask', { task: other });
    expect(await stopped).toMatchObject({ reached: 'yes' });
  });

  it('waits until it is no longer the version that the caller knows', async () => {
    await using world = await startWorld();
    const host = await world.host();
    const id = await runOne(world);
    const wait = 'changed';
    const { task } = await world.call('GetTask', { task: id });
    const changed = world.call('GetTask', { task: id, wait, version: task.version });
    await host.obey();
    const after = await changed;
    expect(after.reached).toBe('yes');
    expect(after.task.version).toBeGreaterThan(task.version);
    // Whoever comes late has not missed it.
    expect(await world.call('GetTask', { task: id, wait, version: task.version })).toMatchObject({ reached: 'yes' });
    host.end(id, 0);
    await host.report();
    const { version } = (await world.call('GetTask', { task: id })).task;
    expect(await world.call('GetTask', { task: id, wait, version })).toMatchObject({ reached: 'never' });
    for (const half of [{ wait } as const, { version }, { wait: 'stopped', version } as const])
      await expect(world.call('GetTask', { task: id, ...half })).rejects.toMatchObject({ field: 'version' });
  });

  it('answers the task as it is when the time is over', async () => {
    await using world = await startWorld();
    const id = await runOne(world);
    expect(await world.call('GetTask', { task: id, wait: 'running', timeout: 0.01 })).toMatchObject({
      reached: 'not-yet',
      task: { lastStatus: 'PROVISIONING' },
    });
    await expect(world.call('GetTask', { task: id, wait: 'running', timeout: 26 })).rejects.toMatchObject({
      code: 'InvalidParameterException',
      field: 'timeout',
    });
    await expect(world.call('GetTask', { task: unknown, wait: 'running' })).rejects.toMatchObject({
      code: 'ResourceNotFoundException',
    });
  });
});
