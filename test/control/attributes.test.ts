import { describe, expect, it } from 'vitest';
import { hostView, startWorld, type World } from './support/world.ts';

const hostArn = (hostId: string): string => `arn:aws:ecs:us-east-1:000000000000:container-instance/default/${hostId}`;
const put = (world: World, targetId: string, attributes: Record<string, string | undefined>) =>
  world.call('PutAttributes', {
    attributes: Object.entries(attributes).map(([name, value]) => ({ name, value, targetId })),
  });
const remove = (world: World, targetId: string, ...names: string[]) =>
  world.call('DeleteAttributes', { attributes: names.map((name) => ({ name, targetId })) });
const shownOf = async (world: World, host = 'host-1') =>
  Object.fromEntries((await hostView(world, host)).attributes.map(({ name, value }) => [name, value]));
const onStack = (expression: string) => ({
  taskDefinition: 'job',
  launchType: 'EC2',
  placementConstraints: [{ type: 'memberOf', expression }],
});

describe.each(['sqlite', 'dynamodb'] as const)('attributes over %s', (store) => {
  it('are put, decide about placement at once, and are taken away', async () => {
    await using world = await startWorld({ store });
    await world.register('job');
    const host = await world.host();
    const blue = onStack('attribute:stack == blue');
    expect((await world.call('RunTask', blue)).tasks).toEqual([]);
    const { attributes } = await world.call('PutAttributes', {
      attributes: [
        { name: 'stack', value: 'green', targetType: 'container-instance', targetId: hostArn(host.hostId) },
        { name: 'ssd', targetId: host.hostId },
      ],
    });
    expect(attributes).toEqual([
      { name: 'stack', value: 'green', targetId: hostArn(host.hostId) },
      { name: 'ssd', targetId: hostArn(host.hostId) },
    ]);
    await put(world, 'host-1', { stack: 'blue' });
    expect(await shownOf(world)).toEqual({ 'ecs.os-type': 'linux', stack: 'blue', ssd: undefined });
    expect((await world.call('RunTask', blue)).tasks).toHaveLength(1);
    const waiting = await world.call('RunTask', { ...onStack('attribute:stack == red'), launchType: undefined });
    expect(waiting.tasks).toMatchObject([{ lastStatus: 'PROVISIONING' }]);
    await put(world, host.hostId, { stack: 'red' });
    await world.control.loops.idle();
    const { tasks } = await world.call('DescribeTasks', { tasks: [waiting.tasks[0]?.taskArn] });
    expect(tasks).toMatchObject([{ lastStatus: 'PENDING', containerInstanceArn: hostArn(host.hostId) }]);
    expect((await remove(world, host.hostId, 'stack', 'never')).attributes).toHaveLength(2);
    expect(await shownOf(world)).toEqual({ 'ecs.os-type': 'linux', ssd: undefined });
    expect((await world.call('RunTask', blue)).tasks).toEqual([]);
  });

  it('put by many at once are all there, beside placements', async () => {
    await using world = await startWorld({ store });
    await world.register('job', { memory: 10 });
    const host = await world.host();
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    await Promise.all([
      ...names.map((name) => put(world, host.hostId, { [name]: '1' })),
      ...names.map(() => world.call('RunTask', { taskDefinition: 'job' })),
    ]);
    expect(Object.keys(await shownOf(world)).toSorted()).toEqual([...names, 'ecs.os-type'].toSorted());
    expect((await hostView(world)).pendingTasksCount).toBe(6);
  });
});

describe('attributes', () => {
  it("survive that the agent registers again; what it reports then is the agent's", async () => {
    await using world = await startWorld();
    const host = await world.host({ attributes: { rack: '1' } });
    await put(world, host.hostId, { stack: 'blue', zone: 'a' });
    await host.register(undefined, { attributes: { 'ecs.os-type': 'linux', rack: '2' } });
    expect(await shownOf(world)).toEqual({ 'ecs.os-type': 'linux', rack: '2', stack: 'blue', zone: 'a' });
    await host.register(undefined, { attributes: { 'ecs.os-type': 'linux', zone: 'b' }, memoryMib: 4096 });
    expect(await shownOf(world)).toEqual({ 'ecs.os-type': 'linux', stack: 'blue', zone: 'b' });
    await expect(remove(world, host.hostId, 'zone')).rejects.toMatchObject({
      code: 'InvalidParameterException',
      message: expect.stringContaining('reports the attribute zone itself'),
    });
    await host.register(undefined, { attributes: { 'ecs.os-type': 'linux' } });
    expect(await shownOf(world)).toEqual({ 'ecs.os-type': 'linux', stack: 'blue' });
  });

  it('are at most 10 a host, those that it reports apart', async () => {
    await using world = await startWorld();
    const host = await world.host({ attributes: { rack: '1' } });
    const ten = Array.from({ length: 10 }, (_, index) => `a${index}`);
    await put(world, host.hostId, Object.fromEntries(ten.map((name) => [name, '1'])));
    await expect(put(world, host.hostId, { more: '1' })).rejects.toMatchObject({
      code: 'AttributeLimitExceededException',
      message: 'You can apply up to 10 custom attributes for each resource.',
    });
    await put(world, host.hostId, { a3: '2' });
    await remove(world, host.hostId, 'a0');
    await put(world, host.hostId, { more: '1' });
    expect(Object.keys(await shownOf(world))).toHaveLength(12);
  });

  it.each([
    [{ name: 'ecs.instance-type', value: 'x' }, 'InvalidParameterException', 'attributes[0].name'],
    [{ name: 'com.amazonaws.ecs.x' }, 'InvalidParameterException', 'attributes[0].name'],
    [{ name: 'Gantry.capacity-provider', value: 'x' }, 'InvalidParameterException', 'attributes[0].name'],
    [{ name: 'rack', value: '2' }, 'InvalidParameterException', 'attributes[0].name'],
    [{ name: '' }, 'InvalidParameterException', 'attributes[0].name'],
    [{ name: 'no spaces' }, 'InvalidParameterException', 'attributes[0].name'],
    [{ name: '__proto__' }, 'InvalidParameterException', 'attributes[0].name'],
    [{ name: 'a:b' }, 'InvalidParameterException', 'attributes[0].name'],
    [{ name: 'x'.repeat(129) }, 'InvalidParameterException', 'attributes[0].name'],
    [{ name: 'x', value: ' x' }, 'InvalidParameterException', 'attributes[0].value'],
    [{ name: 'x', value: 'x'.repeat(129) }, 'InvalidParameterException', 'attributes[0].value'],
    [{ name: 'x', value: '' }, 'InvalidParameterException', 'attributes[0].value'],
    [{ name: 'x', targetType: 'task' }, 'InvalidParameterException', 'attributes[0].targetType'],
    [{ name: 'x', targetId: undefined }, 'InvalidParameterException', 'attributes[0].targetId'],
    [{ name: 'x', targetId: 'nowhere' }, 'TargetNotFoundException', 'attributes[0].targetId'],
    [{ name: 'x', targetId: 'a'.repeat(32) }, 'TargetNotFoundException', 'attributes[0].targetId'],
  ])('like %j are refused, and nothing of the call is done', async (attribute, code, field) => {
    await using world = await startWorld();
    await world.host({ attributes: { rack: '1' } });
    const fine = { name: 'fine', value: '1', targetId: 'host-1' };
    const attributes = [{ targetId: 'host-1', ...attribute }, fine];
    await expect(world.call('PutAttributes', { attributes })).rejects.toMatchObject({ code, field });
    expect(await shownOf(world)).toEqual({ 'ecs.os-type': 'linux', rack: '1' });
  });

  it('given twice, too many, none, or of a host that is none any more are refused', async () => {
    await using world = await startWorld();
    const host = await world.host();
    const one = { name: 'x', targetId: host.hostId };
    for (const attributes of [
      [one, { ...one, value: '2' }],
      [],
      Array.from({ length: 11 }, (_, i) => ({ ...one, name: `x${i}` })),
    ])
      await expect(world.call('PutAttributes', { attributes })).rejects.toMatchObject({
        code: 'InvalidParameterException',
      });
    await world.call('DeregisterContainerInstance', { containerInstance: host.hostId });
    await expect(world.call('PutAttributes', { attributes: [one] })).rejects.toMatchObject({
      code: 'TargetNotFoundException',
    });
    await expect(world.call('PutAttributes', { cluster: 'nowhere', attributes: [one] })).rejects.toMatchObject({
      code: 'ClusterNotFoundException',
    });
  });

  it('are listed by name and value, in pages without a gap', async () => {
    await using world = await startWorld();
    const hosts = [];
    for (const name of ['one', 'two', 'three']) hosts.push(await world.host({ name }));
    for (const [index, { hostId }] of hosts.entries())
      await put(world, hostId, { stack: index === 0 ? 'a' : 'b', ssd: undefined });
    const list = (input: object) => world.call('ListAttributes', { targetType: 'container-instance', ...input });
    const all = (await list({})).attributes;
    expect(all).toHaveLength(9);
    const paged = [];
    let nextToken: string | undefined;
    do {
      const page = await list({ maxResults: 2, nextToken });
      paged.push(...page.attributes);
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    expect(paged).toEqual(all);
    expect((await list({ attributeName: 'stack', attributeValue: 'a' })).attributes).toEqual([
      { name: 'stack', value: 'a', targetId: hostArn(hosts[0]?.hostId ?? '') },
    ]);
    expect((await list({ attributeName: 'ssd' })).attributes).toHaveLength(3);
    expect((await list({ attributeName: 'none' })).attributes).toEqual([]);
    await expect(list({ attributeValue: 'a' })).rejects.toMatchObject({ field: 'attributeValue' });
    await expect(list({ targetType: 'task' })).rejects.toMatchObject({ field: 'targetType' });
    await expect(list({ nextToken: 'x' })).rejects.toMatchObject({ field: 'nextToken' });
  });
});
