import { describe, expect, it } from 'vitest';
import { callOperation } from '../../control/http/call.ts';
import type { Principal } from '../../control/operations/context.ts';
import { everyRight } from '../../core/model/rights.ts';
import { errorLevel, idOf, startWorld, type World } from './support/world.ts';

const arn = (resource: string): string => `arn:aws:ecs:us-east-1:000000000000:${resource}`;
const tag = (world: World, resourceArn: string, tags: object[]) => world.call('TagResource', { resourceArn, tags });
const untag = (world: World, resourceArn: string, ...tagKeys: string[]) =>
  world.call('UntagResource', { resourceArn, tagKeys });
const tagsOf = async (world: World, resourceArn: string) =>
  (await world.call('ListTagsForResource', { resourceArn })).tags;

/** One resource of each kind, by its ARN, and how a Describe operation shows its tags. */
async function resources(world: World) {
  await world.register('job', { memory: 100 });
  const host = await world.host();
  const { tasks } = await world.call('RunTask', { taskDefinition: 'job' });
  await world.call('CreateCapacityProvider', { name: 'fleet', gantry: {} });
  const [task = ''] = tasks.map(({ taskArn }) => taskArn);
  const described = async (include: string[] | undefined) => ({
    cluster: (await world.call('DescribeClusters', { include })).clusters[0]?.tags,
    task: (await world.call('DescribeTasks', { tasks: [task], include })).tasks[0]?.tags,
    definition: (await world.call('DescribeTaskDefinition', { taskDefinition: 'job', include })).tags,
    host: (await world.call('DescribeContainerInstances', { containerInstances: [host.hostId], include }))
      .containerInstances[0]?.tags,
    provider: (await world.call('DescribeCapacityProviders', { capacityProviders: ['fleet'], include }))
      .capacityProviders[0]?.tags,
  });
  const arns = {
    cluster: arn('cluster/default'),
    task,
    definition: arn('task-definition/job:1'),
    host: arn(`container-instance/default/${host.hostId}`),
    provider: arn('capacity-provider/fleet'),
  };
  return { host, arns, described };
}

const sameOfAll = <T>(value: T) => ({ cluster: value, task: value, definition: value, host: value, provider: value });

describe.each(['sqlite', 'dynamodb'] as const)('tags over %s', (store) => {
  it('of every kind of resource are given, replaced, listed, described where asked for, and taken away', async () => {
    await using world = await startWorld({ store });
    const { arns, described } = await resources(world);
    for (const resource of Object.values(arns)) {
      expect(await tagsOf(world, resource), resource).toEqual([]);
      expect(
        await tag(world, resource, [
          { key: 'team', value: 'a' },
          { key: 'Team', value: 'b' },
        ]),
      ).toEqual({});
      await tag(world, resource, [
        { key: 'team', value: 'c' },
        { key: 'empty', value: '' },
      ]);
      expect(await tagsOf(world, resource), resource).toEqual([
        { key: 'team', value: 'c' },
        { key: 'Team', value: 'b' },
        { key: 'empty', value: '' },
      ]);
      expect(await untag(world, resource, 'Team', 'empty', 'never')).toEqual({});
    }
    expect(await described(['TAGS'])).toEqual(sameOfAll([{ key: 'team', value: 'c' }]));
    expect(await described(undefined)).toEqual(sameOfAll([]));
    expect(world.logged.filter(({ level }) => level >= errorLevel)).toEqual([]);
  });

  it('given by many at once are all there', async () => {
    await using world = await startWorld({ store });
    const { arns } = await resources(world);
    const keys = ['a', 'b', 'c', 'd', 'e', 'f'];
    for (const resource of Object.values(arns)) {
      await tag(world, resource, [{ key: 'old' }]);
      await Promise.all([untag(world, resource, 'old'), ...keys.map((key) => tag(world, resource, [{ key }]))]);
      expect((await tagsOf(world, resource)).map(({ key }) => key).sort(), resource).toEqual(keys);
    }
  });
});

describe('tags', () => {
  it('of a revision and its deregistration do not undo each other', async () => {
    await using world = await startWorld();
    await world.register('job');
    const resource = arn('task-definition/job:1');
    await Promise.all([
      world.call('DeregisterTaskDefinition', { taskDefinition: 'job:1' }),
      ...['a', 'b', 'c'].map((key) => tag(world, resource, [{ key }])),
    ]);
    const found = await world.call('DescribeTaskDefinition', { taskDefinition: 'job:1', include: ['TAGS'] });
    expect(found.taskDefinition.status).toBe('INACTIVE');
    expect(found.tags.map(({ key }) => key).sort()).toEqual(['a', 'b', 'c']);
  });

  it('of a host survive that its agent registers again', async () => {
    await using world = await startWorld();
    const { host, arns } = await resources(world);
    await tag(world, arns.host, [{ key: 'rack', value: '7' }]);
    await host.register(undefined, { memoryMib: 4096 });
    expect(await tagsOf(world, arns.host)).toEqual([{ key: 'rack', value: '7' }]);
  });

  it('of a task do not disturb what its agent reports, and end with it', async () => {
    await using world = await startWorld();
    const { host, arns } = await resources(world);
    await tag(world, arns.task, [{ key: 'a' }]);
    await host.obey();
    host.end(idOf(arns.task));
    await Promise.all([host.report(), ...['b', 'c'].map((key) => tag(world, arns.task, [{ key }]).catch(() => {}))]);
    const { tasks } = await world.call('DescribeTasks', { tasks: [arns.task] });
    expect(tasks).toMatchObject([{ lastStatus: 'STOPPED', containers: [{ exitCode: 0 }] }]);
    await expect(tag(world, arns.task, [{ key: 'late' }])).rejects.toMatchObject({
      code: 'InvalidParameterException',
      message: 'The specified task is stopped. Specify a running task and try again.',
    });
    expect(await tagsOf(world, arns.task)).toContainEqual({ key: 'a' });
  });

  it('that say that a task may be replaced hold from then on', async () => {
    await using world = await startWorld();
    const { arns } = await resources(world);
    const mayMove = async () =>
      (await world.table.get({ pk: `task#${idOf(arns.task)}`, sk: 'task' }))?.data.replaceable;
    await tag(world, arns.task, [{ key: 'gantry:replaceable', value: 'true' }]);
    expect(await mayMove()).toBe(true);
    await tag(world, arns.task, [{ key: 'other' }]);
    expect(await mayMove()).toBe(true);
    await untag(world, arns.task, 'gantry:replaceable');
    expect(await mayMove()).toBeUndefined();
  });

  it('of the service stay beside 50 of the caller', async () => {
    await using world = await startWorld();
    await world.register('job');
    const { tasks } = await world.call('RunTask', { taskDefinition: 'job', enableECSManagedTags: true });
    const [task = ''] = tasks.map(({ taskArn }) => taskArn);
    const fifty = Array.from({ length: 50 }, (_, index) => ({ key: `k${index}` }));
    await tag(world, task, fifty);
    await expect(tag(world, task, [{ key: 'one more' }])).rejects.toMatchObject({
      code: 'InvalidParameterException',
      field: 'tags',
    });
    await tag(world, task, [{ key: 'k7', value: 'changed' }]);
    expect(await tagsOf(world, task)).toHaveLength(51);
    expect((await tagsOf(world, task))[0]).toEqual({ key: 'aws:ecs:clusterName', value: 'default' });
    await expect(untag(world, task, 'aws:ecs:clusterName')).rejects.toMatchObject({ field: 'tagKeys[0]' });
  });

  it.each([
    [[{ key: 'aws:mine' }], 'tags[0].key'],
    [[{ key: 'ok' }, { key: 'AWS:mine' }], 'tags[1].key'],
    [[{ key: '' }], 'tags[0].key'],
    [[{ key: 'x'.repeat(129) }], 'tags[0].key'],
    [[{ key: 'x', value: 'x'.repeat(257) }], 'tags[0].value'],
    [[{ key: 'x' }, { key: 'x' }], 'tags[1].key'],
    [[], 'tags'],
    [Array.from({ length: 51 }, (_, index) => ({ key: `k${index}` })), 'tags'],
  ])('like %j are refused', async (tags, field) => {
    await using world = await startWorld();
    await expect(tag(world, arn('cluster/default'), tags)).rejects.toMatchObject({
      code: 'InvalidParameterException',
      field,
    });
    expect(await tagsOf(world, arn('cluster/default'))).toEqual([]);
  });
});

describe('the ARN of what is tagged', () => {
  const id = 'a'.repeat(32);
  it.each([
    ['default', 'InvalidParameterException', 'names nothing that has tags'],
    [arn(`container/default/${id}/x`), 'InvalidParameterException', 'names nothing that has tags'],
    [arn(`task/${id}`), 'InvalidParameterException', 'Long arn format must be used for tagging operations'],
    [
      'arn:aws:ecs:us-east-1:111111111111:cluster/default',
      'InvalidParameterException',
      'Your accountId is 000000000000',
    ],
    ['arn:aws:ecs:eu-west-1:000000000000:cluster/default', 'InvalidParameterException', 'Your region is us-east-1'],
    [arn('cluster/nowhere'), 'ClusterNotFoundException', 'Cluster not found.'],
    [arn('cluster/no spaces'), 'ClusterNotFoundException', 'Cluster not found.'],
    [arn(`task/nowhere/${id}`), 'ClusterNotFoundException', 'Cluster not found.'],
    [arn(`task/default/${id}`), 'ResourceNotFoundException', 'The specified task does not exist.'],
    [arn('task/default/x'), 'ResourceNotFoundException', 'The specified task does not exist.'],
    [arn(`container-instance/default/${id}`), 'ResourceNotFoundException', 'container instance does not exist'],
    [arn('task-definition/job:9'), 'ResourceNotFoundException', 'The specified task definition does not exist.'],
    [arn('task-definition/job'), 'ResourceNotFoundException', 'The specified task definition does not exist.'],
    [arn('capacity-provider/none'), 'ResourceNotFoundException', 'The specified capacity provider does not exist.'],
    [
      arn('cluster/gone'),
      'InvalidParameterException',
      'The specified cluster is inactive. Specify an active cluster and',
    ],
  ])('%s is refused where it names nothing here', async (resource, code, message) => {
    await using world = await startWorld();
    await world.call('CreateCluster', { clusterName: 'gone' });
    await world.call('DeleteCluster', { cluster: 'gone' });
    const refusal = { code, message: expect.stringContaining(message) };
    await expect(tag(world, resource, [{ key: 'a' }])).rejects.toMatchObject(refusal);
    await expect(untag(world, resource, 'a')).rejects.toMatchObject(refusal);
    await expect(tagsOf(world, resource)).rejects.toMatchObject(refusal);
  });

  it('of a host that is none any more is refused', async () => {
    await using world = await startWorld();
    const { arns, host } = await resources(world);
    await world.call('DeregisterContainerInstance', { containerInstance: host.hostId, force: true });
    await expect(tag(world, arns.host, [{ key: 'a' }])).rejects.toMatchObject({
      message: 'The specified container instance is inactive. Specify an active container instance and try again.',
    });
  });
});

describe('who may tag', () => {
  it('is who may make what is tagged, in the cluster of it', async () => {
    await using world = await startWorld();
    const { arns } = await resources(world);
    const as = (actions: Principal['actions'], clusters: Principal['clusters'], resourceArn: string) => {
      const principal = { arn: 'arn:aws:iam::000000000000:user/other', ...everyRight, actions, clusters };
      const { deps, handlers } = world.control;
      const context = { deps, principal, requestId: 'r' };
      return callOperation('TagResource', handlers, context, { resourceArn, tags: [{ key: 'a' }] });
    };
    await as(['run'], 'all', arns.task);
    await as(['register'], 'all', arns.definition);
    for (const resource of [arns.cluster, arns.host, arns.provider]) await as(['administer'], 'all', resource);
    const denied = { code: 'AccessDeniedException' };
    await expect(as(['read'], 'all', arns.task)).rejects.toMatchObject(denied);
    await expect(as(['register', 'administer'], 'all', arns.task)).rejects.toMatchObject(denied);
    await expect(as(['run'], 'all', arns.definition)).rejects.toMatchObject(denied);
    for (const resource of [arns.cluster, arns.host, arns.provider])
      await expect(as(['run', 'register'], 'all', resource), resource).rejects.toMatchObject(denied);
    for (const resource of [arns.cluster, arns.host, arns.task, arns.provider])
      await expect(as(['run', 'administer'], ['mine'], resource), resource).rejects.toMatchObject(denied);
  });
});
