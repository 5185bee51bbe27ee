import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stsCallerIdentity } from '../../control/hosts/caller-identity.ts';
import { getHostSupply } from '../../control/store/host-supplies.ts';
import { getHostRole, getInstance } from '../../control/store/instances.ts';
import { createResourcesHandler } from '../../lambdas/resources/handler.ts';
import { type ResourceResponse, respondByPut } from '../../lambdas/resources/respond.ts';
import { Instance, roleId } from '../control/support/instance.ts';
import { idOf, startWorld, type World } from '../control/support/world.ts';
import { type FakeSts, startFakeSts } from '../support/fake-sts.ts';
import { lambdaContext } from './support/events.ts';
import { startResponseUrl } from './support/response-url.ts';

let world: World;
let sts: FakeSts;
/** Called while the handler waits between two looks. */
let meanwhile: () => Promise<unknown> = async () => {};

beforeEach(async () => {
  sts = await startFakeSts();
  world = await startWorld({ callerIdentity: stsCallerIdentity(sts.endpoint) });
});
afterEach(async () => {
  meanwhile = async () => {};
  await world[Symbol.asyncDispose]();
  await sts[Symbol.asyncDispose]();
});

const stackId = 'arn:aws:cloudformation:us-east-1:000000000000:stack/app/1';

interface Asked {
  readonly type: 'Cluster' | 'Hosts' | 'TaskDefinition' | 'Guard' | 'Nothing';
  readonly request?: 'Create' | 'Update' | 'Delete';
  readonly properties?: Record<string, unknown>;
  readonly former?: Record<string, unknown>;
  readonly id?: string;
  readonly requestId?: string;
}

let requests = 0;
async function ask(asked: Asked, remainingMs = 900_000): Promise<ResourceResponse> {
  const { type, request = 'Create', properties = {}, former, id } = asked;
  requests += 1;
  const answers: ResourceResponse[] = [];
  const { deps } = world.control;
  const sleep: typeof deps.sleep = async (ms, signal) => {
    // The handler's own time limit is not what these tests wait for.
    if (signal !== undefined) return new Promise(() => {});
    world.advance(ms / 1000);
    await meanwhile();
  };
  const handle = createResourcesHandler(
    { ...deps, sleep, activate: () => {} },
    async (_, answer) => void answers.push(answer),
  );
  await handle(
    {
      RequestType: request,
      ResponseURL: 'https://cloudformation.example/response',
      StackId: stackId,
      RequestId: asked.requestId ?? `request-${requests}`,
      LogicalResourceId: `My${type}`,
      ResourceType: `Custom::Gantry${type}`,
      ...(id !== undefined && { PhysicalResourceId: id }),
      ResourceProperties: { ServiceToken: 'arn:aws:lambda:…', ...properties },
      ...(former !== undefined && { OldResourceProperties: { ServiceToken: 'arn:aws:lambda:…', ...former } }),
    },
    lambdaContext(remainingMs),
  );
  expect(answers).toHaveLength(1);
  const [answer] = answers;
  if (answer === undefined) throw new Error('no answer');
  expect(answer).toMatchObject({ StackId: stackId, LogicalResourceId: `My${type}` });
  return answer;
}

const activeClusters = async () => (await world.call('ListClusters', {})).clusterArns.map(idOf);

describe('Custom::GantryCluster', () => {
  const properties = { ClusterName: 'blue', HostRoleId: roleId };

  it('makes the cluster and registers its role, however often it is asked; and takes both away', async () => {
    for (let times = 0; times < 2; times += 1) {
      expect(await ask({ type: 'Cluster', properties })).toMatchObject({
        Status: 'SUCCESS',
        PhysicalResourceId: 'blue',
        Data: { Arn: 'arn:aws:ecs:us-east-1:000000000000:cluster/blue', ClusterName: 'blue' },
      });
    }
    expect(await activeClusters()).toContain('blue');
    expect(await getHostRole(world.table, roleId)).toEqual({ roleId, cluster: 'blue' });
    for (let times = 0; times < 2; times += 1) {
      expect(await ask({ type: 'Cluster', request: 'Delete', properties, id: 'blue' })).toMatchObject({
        Status: 'SUCCESS',
      });
    }
    expect(await activeClusters()).not.toContain('blue');
    expect(await getHostRole(world.table, roleId)).toBeUndefined();
  });

  it('takes another role for the same cluster, and is another resource under another name', async () => {
    await ask({ type: 'Cluster', properties });
    const update = { type: 'Cluster', request: 'Update', id: 'blue', former: properties } as const;
    await ask({ ...update, properties: { ClusterName: 'blue', HostRoleId: 'AROAOTHER' } });
    expect(await getHostRole(world.table, roleId)).toBeUndefined();
    expect(await getHostRole(world.table, 'AROAOTHER')).toMatchObject({ cluster: 'blue' });
    const renamed = { ClusterName: 'green' };
    expect(await ask({ ...update, properties: renamed })).toMatchObject({ PhysicalResourceId: 'green' });
  });

  describe('what hosts are launched from', () => {
    const supplied = {
      ...properties,
      LaunchTemplates: { x86_64: { Id: 'lt-0a', Version: '3' } },
      Subnets: [
        { Zone: 'us-east-1a', Id: 'subnet-0a' },
        { Zone: 'us-east-1b', Id: 'subnet-0b' },
        { Zone: 'us-east-1a', Id: 'subnet-0c' },
      ],
      // CloudFormation's text.
      ReservedMemoryMib: '512',
    };
    const supply = () => getHostSupply(world.table, 'blue');

    it('is registered with the cluster, brought up to date with it, and forgotten with it', async () => {
      await ask({ type: 'Cluster', properties: supplied });
      expect(await supply()).toEqual({
        cluster: 'blue',
        launchTemplates: { x86_64: { id: 'lt-0a', version: '3' } },
        subnets: { 'us-east-1a': 'subnet-0a', 'us-east-1b': 'subnet-0b' },
        reservedMemoryMib: 512,
      });
      const update = { type: 'Cluster', request: 'Update', id: 'blue', former: supplied } as const;
      await ask({ ...update, properties: { ...supplied, LaunchTemplates: { arm64: { Id: 'lt-0b', Version: '1' } } } });
      expect(await supply()).toMatchObject({ launchTemplates: { arm64: { id: 'lt-0b', version: '1' } } });
      await ask({ ...update, properties });
      expect(await supply()).toBeUndefined();
      await ask({ ...update, properties: supplied });
      await ask({ type: 'Cluster', request: 'Delete', id: 'blue', properties: supplied });
      expect(await supply()).toBeUndefined();
    });

    it.each([
      [{ LaunchTemplates: { sparc: { Id: 'lt-0a', Version: '1' } } }, 'launchTemplates'],
      [{ LaunchTemplates: { arm64: { Id: 'mine', Version: '1' } } }, 'must be the id of a launch template'],
      [{ LaunchTemplates: { arm64: { Id: 'lt-0a', Version: '$Latest' } } }, 'must be the number of a version'],
      [{ Subnets: [{ Zone: 'us-east-1a', Id: 'mine' }] }, 'must be the id of a subnet'],
    ])('is refused before anything is made where it cannot be: %o', async (wrong, sentence) => {
      const failed = await ask({ type: 'Cluster', properties: { ...supplied, ...wrong } });
      expect(failed).toMatchObject({ Status: 'FAILED', Reason: expect.stringContaining(sentence) });
      expect(await activeClusters()).not.toContain('blue');
    });
  });

  it('lets tasks that name a launch type wait, while it is told to', async () => {
    const waits = async () =>
      (await world.call('DescribeClusters', { clusters: ['blue'], include: ['SETTINGS'] })).clusters[0]?.settings?.find(
        ({ name }) => name === 'gantry:waitForCapacity',
      )?.value;
    const waiting = { ...properties, WaitForCapacity: 'true' };
    await ask({ type: 'Cluster', properties: waiting });
    expect(await waits()).toBe('enabled');
    await ask({ type: 'Cluster', request: 'Update', id: 'blue', properties, former: waiting });
    expect(await waits()).toBe('disabled');
  });

  it("fails where the role is another cluster's, and its rollback takes nothing of that cluster", async () => {
    await ask({ type: 'Cluster', properties });
    const failed = await ask({ type: 'Cluster', properties: { ...properties, ClusterName: 'green' } });
    expect(failed).toMatchObject({
      Status: 'FAILED',
      Reason: expect.stringContaining('Give each cluster a role of its own'),
    });
    const rollback = { type: 'Cluster', request: 'Delete', id: failed.PhysicalResourceId } as const;
    for (const wanted of [{ ...properties, ClusterName: 'green' }, properties]) {
      expect(await ask({ ...rollback, properties: wanted })).toMatchObject({ Status: 'SUCCESS' });
    }
    expect(await activeClusters()).toContain('blue');
  });

  it('refuses to delete a cluster in use, and says by what', async () => {
    await ask({ type: 'Cluster', properties });
    const token = await world.control.joinTokens.create({ cluster: 'blue', reusable: true });
    await world.host({ cluster: 'blue', token });
    expect(await ask({ type: 'Cluster', request: 'Delete', properties, id: 'blue' })).toMatchObject({
      Status: 'FAILED',
      PhysicalResourceId: 'blue',
      Reason: expect.stringContaining('ClusterContainsContainerInstancesException'),
    });
  });
});

describe('Custom::GantryHosts', () => {
  const [one, two] = ['i-0000000000000000a', 'i-0000000000000000b'];
  const properties = { ClusterName: 'default', InstanceIds: [one, two] };
  beforeEach(async () => {
    await ask({ type: 'Cluster', properties: { ClusterName: 'default', HostRoleId: roleId } });
    await world.register('web');
  });
  const runOn = async (instanceId: string) => {
    const host = await new Instance(world, sts, instanceId).join();
    const { tasks } = await world.call('RunTask', { taskDefinition: 'web' });
    await host.obey();
    return { host, taskId: idOf(tasks[0]?.taskArn) };
  };
  const taskOf = async (taskId: string) => (await world.call('DescribeTasks', { tasks: [taskId] })).tasks[0];

  it('admits instances, and empties those that leave before their hosts end', async () => {
    const { PhysicalResourceId: id } = await ask({ type: 'Hosts', properties });
    const { host, taskId } = await runOn(one);
    meanwhile = () => host.obey();
    const left = { ClusterName: 'default', InstanceIds: [two] };
    const updated = await ask({ type: 'Hosts', request: 'Update', id, properties: left, former: properties });
    expect(updated).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    expect(await taskOf(taskId)).toMatchObject({
      lastStatus: 'STOPPED',
      stopCode: 'UserInitiated',
      containers: [{ exitCode: 143 }],
    });
    expect((await world.call('GetHosts', {})).hosts).toEqual([]);
    expect(await getInstance(world.table, one)).toBeUndefined();
    // The other has not come up yet, and still may.
    expect(await getInstance(world.table, two)).toMatchObject({ cluster: 'default' });
    await ask({ type: 'Hosts', request: 'Delete', id, properties: left });
    expect(await getInstance(world.table, two)).toBeUndefined();
  });

  it('ends a host at once that nobody hears any more', async () => {
    const { PhysicalResourceId: id } = await ask({ type: 'Hosts', properties });
    const { taskId } = await runOn(one);
    world.advance(3600);
    for (let sweeps = 0; sweeps < 5; sweeps += 1) {
      await world.loop('mark-silent');
      world.advance(5);
    }
    expect(await ask({ type: 'Hosts', request: 'Delete', id, properties })).toMatchObject({ Status: 'SUCCESS' });
    expect(await taskOf(taskId)).toMatchObject({ lastStatus: 'STOPPED' });
  });

  it('does not wait longer for tasks that do not stop than it may run', async () => {
    const { PhysicalResourceId: id } = await ask({ type: 'Hosts', properties });
    const { host, taskId } = await runOn(one);
    meanwhile = () => host.heartbeat();
    const began = world.now();
    expect(await ask({ type: 'Hosts', request: 'Delete', id, properties }, 120_000)).toMatchObject({
      Status: 'SUCCESS',
    });
    expect(world.now() - began).toBeLessThan(120_000);
    expect(await taskOf(taskId)).toMatchObject({ lastStatus: 'STOPPED' });
  });

  it("leaves alone what is another cluster's", async () => {
    await ask({ type: 'Hosts', properties });
    await ask({ type: 'Cluster', properties: { ClusterName: 'blue' } });
    const other = { ClusterName: 'blue', InstanceIds: [one] };
    const failed = await ask({ type: 'Hosts', properties: other });
    expect(failed.Status).toBe('FAILED');
    await ask({ type: 'Hosts', request: 'Delete', id: failed.PhysicalResourceId, properties: other });
    expect(await getInstance(world.table, one)).toMatchObject({ cluster: 'default' });
  });
});

describe('Custom::GantryTaskDefinition', () => {
  const definition = (image: string) => ({
    Definition: JSON.stringify({ family: 'web', containerDefinitions: [{ name: 'app', image, memory: 64 }] }),
  });
  const revisions = async (status: 'ACTIVE' | 'INACTIVE') =>
    (await world.call('ListTaskDefinitions', { familyPrefix: 'web', status })).taskDefinitionArns.map(idOf);

  it('registers a revision, once however often the same request comes', async () => {
    const asked = { type: 'TaskDefinition', properties: definition('busybox'), requestId: 'same' } as const;
    const [first, again] = [await ask(asked), await ask(asked)];
    expect(first).toMatchObject({ Status: 'SUCCESS', Data: { Arn: first.PhysicalResourceId } });
    expect(again).toEqual(first);
    expect(await revisions('ACTIVE')).toEqual(['web:1']);
  });

  it('is another revision where the definition is another, and deregisters the former', async () => {
    const { PhysicalResourceId: id } = await ask({ type: 'TaskDefinition', properties: definition('busybox') });
    const update = { type: 'TaskDefinition', request: 'Update', id, former: definition('busybox') } as const;
    expect(await ask({ ...update, properties: definition('busybox') })).toMatchObject({ PhysicalResourceId: id });
    expect((await ask({ ...update, properties: definition('nginx') })).PhysicalResourceId).toMatch(/web:2$/);
    for (let times = 0; times < 2; times += 1) {
      const gone = await ask({ type: 'TaskDefinition', request: 'Delete', id, properties: definition('busybox') });
      expect(gone.Status).toBe('SUCCESS');
    }
    expect(await revisions('ACTIVE')).toEqual(['web:2']);
    expect(await revisions('INACTIVE')).toEqual(['web:1']);
  });

  it.each([
    ['{', 'Definition is not JSON'],
    ['{"family":"web","containerDefinitions":[{"name":"app","memory":64}]}', 'Container.image should not be null'],
  ])('says what is wrong with %s, and its rollback succeeds', async (text, sentence) => {
    const properties = { Definition: text };
    const failed = await ask({ type: 'TaskDefinition', properties });
    expect(failed).toMatchObject({ Status: 'FAILED', Reason: expect.stringContaining(sentence) });
    const rolledBack = await ask({
      type: 'TaskDefinition',
      request: 'Delete',
      id: failed.PhysicalResourceId,
      properties,
    });
    expect(rolledBack).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: failed.PhysicalResourceId });
  });
});

describe('Custom::GantryGuard', () => {
  it('lets the control plane be deleted only when nothing of it is in use', async () => {
    const { PhysicalResourceId: id } = await ask({ type: 'Guard' });
    const gone = () => ask({ type: 'Guard', request: 'Delete', id });
    expect((await gone()).Status).toBe('SUCCESS');
    await world.register('web');
    const host = await world.host({ name: 'my-host' });
    await world.call('RunTask', { taskDefinition: 'web' });
    expect((await gone()).Reason).toMatch(
      /cluster default has 1 connected host \(my-host\); cluster default has 1 live task/,
    );
    await host.obey();
    const { taskArns } = await world.call('ListTasks', {});
    await world.call('StopTask', { task: idOf(taskArns[0]) });
    await host.obey();
    expect((await gone()).Reason).not.toContain('task (');
  });
});

describe('a request', () => {
  it('of a kind that there is not, or with properties that are wrong, fails by name', async () => {
    expect((await ask({ type: 'Nothing' })).Reason).toContain('no resource of type Custom::GantryNothing');
    expect((await ask({ type: 'Hosts', properties: { ClusterName: 'default', InstanceIds: ['x'] } })).Reason).toContain(
      'InstanceIds[0]',
    );
  });

  it('to delete what has no properties that anything was made with succeeds', async () => {
    expect((await ask({ type: 'Hosts', request: 'Delete', id: 'x', properties: {} })).Status).toBe('SUCCESS');
  });
});

describe('the answer', () => {
  const answer: ResourceResponse = {
    Status: 'SUCCESS',
    PhysicalResourceId: 'x',
    StackId: 's',
    RequestId: 'r',
    LogicalResourceId: 'l',
  };

  it('is put without a content type, again where it fails, and given up after some tries', async () => {
    await using url = await startResponseUrl();
    const respond = respondByPut({ sleep: async () => {}, log: world.control.deps.log });
    url.statuses.push(500, 503);
    await respond(url.url, answer);
    expect(url.received.map(({ body }) => JSON.parse(body))).toEqual([answer, answer, answer]);
    expect(url.received[0]).toMatchObject({ method: 'PUT', contentType: undefined });
    url.statuses.push(500, 500, 500, 500, 500);
    await expect(respond(url.url, answer)).rejects.toThrow('answered 500');
  });
});
