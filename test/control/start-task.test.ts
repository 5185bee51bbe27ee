import { describe, expect, it } from 'vitest';
import { breaches } from './support/invariants.ts';
import { hostView, idOf, startWorld, type World } from './support/world.ts';

const hostArn = (hostId: string): string => `arn:aws:ecs:us-east-1:000000000000:container-instance/default/${hostId}`;
const start = (world: World, containerInstances: string[], members: object = {}) =>
  world.call('StartTask', { taskDefinition: 'job', containerInstances, ...members });

describe.each(['sqlite', 'dynamodb'] as const)('StartTask over %s', (store) => {
  it('starts one task on each host that is named, by id, ARN or name', async () => {
    await using world = await startWorld({ store });
    await world.register('job', { memory: 100 });
    const [one, two, three] = await Promise.all(['one', 'two', 'three'].map((name) => world.host({ name })));
    if (one === undefined || two === undefined || three === undefined) throw new Error('three hosts');
    const { tasks, failures } = await start(world, [one.hostId, hostArn(two.hostId), 'three', one.hostId]);
    expect(failures).toEqual([]);
    expect(tasks.map(({ containerInstanceArn }) => containerInstanceArn)).toEqual(
      [one, two, three, one].map(({ hostId }) => hostArn(hostId)),
    );
    expect(tasks[0]).toMatchObject({ lastStatus: 'PENDING', group: 'family:job', launchType: 'EC2' });
    await one.obey();
    expect([...one.started].sort()).toEqual([tasks[0], tasks[3]].map((task) => idOf(task?.taskArn)).sort());
    expect(await hostView(world, 'one')).toMatchObject({ runningTasksCount: 2 });
    expect(await breaches(world.table)).toEqual([]);
  });

  it('by many at once takes no more of a host than it has', async () => {
    await using world = await startWorld({ store });
    await world.register('job', { memory: 100 });
    const host = await world.host({ memoryMib: 350 });
    const answers = await Promise.all(Array.from({ length: 6 }, () => start(world, [host.hostId])));
    expect(answers.flatMap(({ tasks }) => tasks)).toHaveLength(3);
    const failures = answers.flatMap((answer) => answer.failures);
    expect(failures).toHaveLength(3);
    for (const failure of failures)
      expect(failure).toMatchObject({
        arn: hostArn(host.hostId),
        reason: 'RESOURCE:MEMORY',
        detail: expect.any(String),
      });
    expect(await breaches(world.table)).toEqual([]);
  });
});

describe('StartTask', () => {
  it('answers a failure for each host that cannot take the task, and starts it on the others', async () => {
    await using world = await startWorld();
    await world.register('job', { memory: 100, hostPort: 8080 });
    const hosts = await Promise.all(
      ['fine', 'small', 'draining', 'gone'].map((name) =>
        world.host({ name, memoryMib: name === 'small' ? 50 : 1000 }),
      ),
    );
    const [fine = '', small = '', draining = '', gone = ''] = hosts.map(({ hostId }) => hostId);
    await world.call('UpdateContainerInstancesState', { containerInstances: [draining], status: 'DRAINING' });
    await world.call('DeregisterContainerInstance', { containerInstance: gone });
    const none = 'a'.repeat(32);
    await start(world, [fine]);
    const { tasks, failures } = await start(world, [fine, small, draining, gone, none, 'nowhere']);
    expect(tasks).toEqual([]);
    expect(failures.map(({ arn, reason }) => ({ arn, reason }))).toEqual([
      { arn: hostArn(fine), reason: 'RESOURCE:PORTS' },
      { arn: hostArn(small), reason: 'RESOURCE:MEMORY' },
      { arn: hostArn(draining), reason: 'INACTIVE' },
      { arn: hostArn(gone), reason: 'INACTIVE' },
      { arn: hostArn(none), reason: 'MISSING' },
      { arn: hostArn('nowhere'), reason: 'MISSING' },
    ]);
  });

  it('carries over what a task can be given', async () => {
    await using world = await startWorld();
    await world.call('RegisterTaskDefinition', {
      family: 'job',
      containerDefinitions: [{ name: 'app', image: 'busybox', memory: 100 }],
      tags: [{ key: 'team', value: 'a' }],
    });
    await world.host();
    const { tasks } = await start(world, ['host-1'], {
      group: 'mine',
      startedBy: 'me',
      overrides: { containerOverrides: [{ name: 'app', command: ['true'] }] },
      tags: [{ key: 'own' }],
      propagateTags: 'TASK_DEFINITION',
      enableECSManagedTags: true,
    });
    expect(tasks).toMatchObject([
      {
        group: 'mine',
        startedBy: 'me',
        overrides: { containerOverrides: [{ name: 'app', command: ['true'] }] },
        tags: [{ key: 'own' }, { key: 'team', value: 'a' }, { key: 'aws:ecs:clusterName', value: 'default' }],
      },
    ]);
    expect((await world.call('ListTasks', { startedBy: 'me' })).taskArns).toEqual([tasks[0]?.taskArn]);
  });

  it('repeated by the SDK starts nothing twice, also where the first call has filled the host', async () => {
    await using world = await startWorld();
    await world.register('job', { memory: 100 });
    const host = await world.host({ memoryMib: 150 });
    const repeat = () =>
      world.call('StartTask', { taskDefinition: 'job', containerInstances: [host.hostId] }, { invocationId: 'once' });
    const first = await repeat();
    expect(first.tasks).toHaveLength(1);
    const others = await Promise.all([repeat(), repeat()]);
    for (const other of others) expect(other).toEqual(first);
    expect((await world.call('ListTasks', {})).taskArns).toHaveLength(1);
  });

  it.each([
    [{ containerInstances: [] }, 'InvalidParameterException', 'containerInstances'],
    [
      { containerInstances: Array.from({ length: 11 }, () => 'host-1') },
      'InvalidParameterException',
      'containerInstances',
    ],
    [{ startedBy: 'x'.repeat(37) }, 'InvalidParameterException', 'startedBy'],
    [{ taskDefinition: 'nothing' }, 'ClientException', 'taskDefinition'],
    [{ cluster: 'nowhere' }, 'ClusterNotFoundException', 'cluster'],
    [{ enableExecuteCommand: true }, 'ClientException', 'enableExecuteCommand'],
  ])('refuses %j', async (members, code, field) => {
    await using world = await startWorld();
    await world.register('job');
    await world.host();
    await expect(start(world, ['host-1'], members)).rejects.toMatchObject({ code, field });
    expect((await world.call('ListTasks', {})).taskArns).toEqual([]);
  });
});

describe('UpdateContainerAgent', () => {
  it('says that the agent follows its release', async () => {
    await using world = await startWorld();
    const host = await world.host();
    await expect(world.call('UpdateContainerAgent', { containerInstance: host.hostId })).rejects.toMatchObject({
      code: 'NoUpdateAvailableException',
      message: 'There is no update available for the agent of host-1, which is 0.1.0.',
      hint: expect.stringContaining('release'),
    });
    await expect(world.call('UpdateContainerAgent', { containerInstance: 'nowhere' })).rejects.toMatchObject({
      code: 'InvalidParameterException',
      field: 'containerInstance',
    });
  });
});
