/** Expressions of the cluster query language where they bind placement, and where they choose hosts to list. */
import { describe, expect, it } from 'vitest';
import type { Input, Output } from '../../core/api/operations.ts';
import { breaches } from './support/invariants.ts';
import { idOf, startWorld, type World } from './support/world.ts';

const memberOf = (expression: string) => [{ type: 'memberOf', expression }];

const runOf = async (world: World, request: Partial<Input<'RunTask'>>, control = world.control) =>
  world.call('RunTask', { taskDefinition: 'job', ...request }, { control });

describe.each(['sqlite', 'dynamodb'] as const)('memberOf over %s', (store) => {
  it('binds tasks to hosts, by the request and by the revision together', async () => {
    await using world = await startWorld({ store });
    await world.host({ name: 'dev-a', attributes: { stack: 'dev', zone: 'a' } });
    await world.host({ name: 'prod-a', attributes: { stack: 'prod', zone: 'a' } });
    await world.host({ name: 'prod-b', attributes: { stack: 'prod', zone: 'b' } });
    const registered = await world.call('RegisterTaskDefinition', {
      family: 'job',
      containerDefinitions: [{ name: 'app', image: 'busybox', memory: 64 }],
      placementConstraints: memberOf('attribute:stack == prod'),
    });
    expect(registered.taskDefinition.placementConstraints).toEqual(memberOf('attribute:stack == prod'));
    expect((await world.call('DescribeTaskDefinition', { taskDefinition: 'job' })).taskDefinition).toMatchObject({
      placementConstraints: memberOf('attribute:stack == prod'),
    });
    const anywhere = await runOf(world, { count: 20, placementStrategy: [{ type: 'spread', field: 'instanceId' }] });
    expect(new Set(anywhere.tasks.map(({ hostName }) => hostName))).toEqual(new Set(['prod-a', 'prod-b']));
    const inB = await runOf(world, { count: 5, placementConstraints: memberOf('attribute:zone in [b, c]') });
    expect(inB.tasks.map(({ hostName }) => hostName)).toEqual(Array.from({ length: 5 }, () => 'prod-b'));
  });

  it('is what a refusal names, and what a waiting task waits for', async () => {
    await using world = await startWorld({ store });
    const old = await world.host({ name: 'old', attributes: { stack: 'dev' } });
    await world.host({ name: 'bare' });
    await world.register('job');
    const placementConstraints = memberOf('attribute:stack == prod and not(task:group == loud)');
    const refused = await runOf(world, { placementConstraints, launchType: 'EC2' });
    expect(refused).toMatchObject({
      tasks: [],
      failures: [
        {
          reason: 'MemberOf placement constraint unsatisfied.',
          detail:
            '2 hosts: memberOf attribute:stack == prod and not(task:group == loud) ' +
            '(attribute:stack is dev, task:group is not set; attribute:stack is not set, task:group is not set)',
        },
      ],
    });
    const { tasks } = await runOf(world, { placementConstraints });
    const [waiting] = tasks;
    expect(waiting?.lastStatus).toBe('PROVISIONING');
    const shown = async () => (await world.call('GetTask', { task: idOf(waiting?.taskArn) })).task;
    expect((await shown()).explanation?.histogram).toMatchObject([{ dimension: 'memberOf', hosts: 2 }]);
    await world.host({ name: 'new', attributes: { stack: 'prod' } });
    await world.loop('place-pending');
    expect(await shown()).toMatchObject({ lastStatus: 'PENDING', hostName: 'new' });
    expect((await world.call('ListTasks', { containerInstance: old.hostId })).taskArns).toEqual([]);
  });

  it('holds between tasks that keep away from each other, whoever places them at the same time', async () => {
    await using world = await startWorld({ store });
    for (const name of ['one', 'two', 'three', 'four']) await world.host({ name });
    await world.register('job', { memory: 16 });
    const planes = [world.control, await world.another()];
    const calls = Array.from({ length: 16 }, (_, index) => {
      const [own, other] = index % 2 === 0 ? ['cats', 'dogs'] : ['dogs', 'cats'];
      const placementConstraints = memberOf(`not(task:group == ${other})`);
      return runOf(world, { group: own, placementConstraints }, planes[index % 4 < 2 ? 0 : 1]);
    });
    const tasks = (await Promise.all(calls)).flatMap((answer) => answer.tasks);
    await world.loop('place-pending');
    const groups = new Map<string, Set<string>>();
    for (const { taskArn } of tasks) {
      const { group, hostName } = (await world.call('GetTask', { task: idOf(taskArn) })).task;
      if (hostName !== undefined) groups.set(hostName, (groups.get(hostName) ?? new Set()).add(group ?? ''));
    }
    expect(groups.size).toBeGreaterThan(1);
    for (const [host, own] of groups) expect([...own], host).toHaveLength(1);
    expect(await breaches(world.table)).toEqual([]);
  });

  it('counts the tasks that it has placed itself', async () => {
    await using world = await startWorld({ store });
    await world.host({ name: 'one' });
    await world.host({ name: 'two' });
    await world.register('job', { memory: 16 });
    const { tasks, failures } = await runOf(world, {
      count: 9,
      launchType: 'EC2',
      placementConstraints: memberOf('runningTasksCount < 3'),
    });
    expect(tasks.map(({ hostName = '' }) => hostName).toSorted()).toEqual(['one', 'one', 'one', 'two', 'two', 'two']);
    expect(failures.map(({ reason }) => reason)).toEqual(Array(3).fill('MemberOf placement constraint unsatisfied.'));
  });

  it('chooses among hosts that are listed, on every page', async () => {
    await using world = await startWorld({ store });
    for (let index = 0; index < 12; index += 1)
      await world.host({ name: `host-${index}`, attributes: { half: index < 6 ? 'low' : 'high', place: `${index}` } });
    const filter = 'attribute:half == high and attribute:place < 11';
    const names: string[] = [];
    const arns: string[] = [];
    let nextToken: string | undefined;
    do {
      const page: Output<'GetHosts'> = await world.call('GetHosts', { filter, limit: 2, nextToken });
      names.push(...page.hosts.map(({ hostName }) => hostName));
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    do {
      const page: Output<'ListContainerInstances'> = await world.call('ListContainerInstances', {
        filter,
        maxResults: 2,
        nextToken,
      });
      arns.push(...page.containerInstanceArns);
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    expect(names.toSorted()).toEqual(['host-10', 'host-6', 'host-7', 'host-8', 'host-9']);
    expect(arns).toHaveLength(5);
    expect((await world.call('GetHosts', { filter: '' })).hosts).toHaveLength(12);
  });
});

describe('a filter of hosts', () => {
  it('asks for everything that ECS has', async () => {
    await using world = await startWorld();
    const busy = await world.host({ name: 'busy', attributes: { stack: 'prod' } });
    world.advance(3600);
    await busy.fetch();
    const idle = await world.host({ name: 'idle' });
    await world.register('job');
    await runOf(world, { group: 'service:web', placementConstraints: memberOf('attribute:stack exists') });
    const listed = async (filter: string) =>
      (await world.call('GetHosts', { filter })).hosts.map(({ hostName }) => hostName).toSorted();
    expect(await listed('agentConnected == true')).toEqual(['busy', 'idle']);
    expect(await listed('agentConnected != true')).toEqual([]);
    expect(await listed('attribute:stack != dev')).toEqual(['busy']);
    expect(await listed('task:group == service:web')).toEqual(['busy']);
    expect(await listed('task:group !exists')).toEqual(['idle']);
    expect(await listed('registeredAt < 2100-01-01T00:30:00')).toEqual(['busy']);
    expect(await listed('registeredAt >= 2100-01-01T01:00:00Z')).toEqual(['idle']);
    expect(await listed('ec2InstanceId exists')).toEqual([]);
    // Placed, but it does not run yet.
    expect(await listed('runningTasksCount > 0')).toEqual([]);
    await busy.obey();
    expect(await listed('runningTasksCount > 0')).toEqual(['busy']);
    expect(await listed('runningTasksCount == 0 and agentVersion == 0.1.0')).toEqual(['idle']);
    await idle.register(undefined, { agentVersion: '0.2.0' });
    expect(await listed('agentVersion > 0.1.0')).toEqual(['idle']);
  });

  it('that cannot be read is refused where it goes wrong', async () => {
    await using world = await startWorld();
    for (const operation of ['GetHosts', 'ListContainerInstances'] as const)
      await expect(world.call(operation, { filter: 'attribute:stack = prod' })).rejects.toMatchObject({
        code: 'InvalidParameterException',
        field: 'filter',
        message: expect.stringMatching(/^filter, column 17: expected an operator .+ found "= prod"\.$/),
      });
  });
});

describe('a constraint that cannot be read', () => {
  const wrong = { placementConstraints: [...memberOf('attribute:a exists'), ...memberOf('attribute:b in (c)')] };

  it('is refused by RunTask as a parameter, and by a registration as a definition', async () => {
    await using world = await startWorld();
    await world.host();
    await world.register('job');
    const said = {
      field: 'placementConstraints[1].expression',
      message: 'placementConstraints[1].expression, column 16: expected a list like [a, b], found "(c)".',
    };
    await expect(runOf(world, wrong)).rejects.toMatchObject({ code: 'InvalidParameterException', ...said });
    const containerDefinitions = [{ name: 'app', image: 'busybox', memory: 64 }];
    await expect(
      world.call('RegisterTaskDefinition', { family: 'job', containerDefinitions, ...wrong }),
    ).rejects.toMatchObject({ code: 'ClientException', ...said });
    await expect(
      world.call('RegisterTaskDefinition', {
        family: 'job',
        containerDefinitions,
        placementConstraints: [{ type: 'distinctInstance' }],
      }),
    ).rejects.toMatchObject({ code: 'ClientException', field: 'placementConstraints[0].type' });
    expect((await world.call('ListTasks', {})).taskArns).toEqual([]);
  });
});
