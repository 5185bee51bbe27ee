/** Capacity providers as ECS' own client meets them, and what REST has beside that. */
import {
  CreateCapacityProviderCommand,
  CreateClusterCommand,
  DeleteCapacityProviderCommand,
  DeleteClusterCommand,
  DescribeCapacityProvidersCommand,
  DescribeClustersCommand,
  DescribeTasksCommand,
  PutClusterCapacityProvidersCommand,
  RunTaskCommand,
  StopTaskCommand,
  UpdateCapacityProviderCommand,
  UpdateClusterSettingsCommand,
} from '@aws-sdk/client-ecs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiServer, startApi } from '../support/api-server.ts';

let api: ApiServer;
beforeAll(async () => {
  api = await startApi();
  await api.rest('POST', '/v1/task-definitions', {
    family: 'job',
    containerDefinitions: [{ name: 'app', image: 'busybox', memory: 64 }],
  });
});
afterAll(() => api[Symbol.asyncDispose]());

const arn = (name: string) => `arn:aws:ecs:us-east-1:000000000000:capacity-provider/${name}`;

const managed = {
  infrastructureRoleArn: 'arn:aws:iam::000000000000:role/infra',
  instanceLaunchTemplate: {
    ec2InstanceProfileArn: 'arn:aws:iam::000000000000:instance-profile/host',
    networkConfiguration: { subnets: ['subnet-1'] },
    instanceRequirements: { vCpuCount: { min: 2, max: 8 }, memoryMiB: { min: 4096 }, allowedInstanceTypes: ['m7g.*'] },
  },
};
const own = (name: string, members: object = {}) =>
  api.rest('POST', '/v1/capacity-providers', { name, gantry: {}, ...members });
const cluster = async (clusterName: string) => {
  await api.ecs().send(new CreateClusterCommand({ clusterName }));
  return clusterName;
};
const put = (of: string, capacityProviders: string[], strategy: { capacityProvider: string; weight?: number }[] = []) =>
  api.ecs().send(
    new PutClusterCapacityProvidersCommand({
      cluster: of,
      capacityProviders,
      defaultCapacityProviderStrategy: strategy,
    }),
  );

describe('a capacity provider', () => {
  it('with managed instances is of one cluster, which has it from then on', async () => {
    const of = await cluster('managed');
    const { capacityProvider } = await api
      .ecs()
      .send(new CreateCapacityProviderCommand({ name: 'mi', cluster: of, managedInstancesProvider: managed }));
    expect(capacityProvider).toEqual({
      capacityProviderArn: arn('mi'),
      name: 'mi',
      cluster: 'arn:aws:ecs:us-east-1:000000000000:cluster/managed',
      status: 'ACTIVE',
      updateStatus: 'CREATE_COMPLETE',
      type: 'MANAGED_INSTANCES',
      managedInstancesProvider: managed,
      tags: [],
    });
    const { clusters } = await api.ecs().send(new DescribeClustersCommand({ clusters: [of] }));
    expect(clusters).toMatchObject([{ capacityProviders: ['mi'], defaultCapacityProviderStrategy: [] }]);
    const { capacityProviders } = await api.ecs().send(new DescribeCapacityProvidersCommand({ cluster: of }));
    expect(capacityProviders).toEqual([capacityProvider]);
    await expect(api.ecs().send(new DeleteClusterCommand({ cluster: of }))).rejects.toMatchObject({
      name: 'ClusterContainsCapacityProviderException',
    });
  });

  it('says what follows for us from what was asked of ECS, and what has no effect', async () => {
    await cluster('mapped');
    const { status, body } = await api.rest('POST', '/v1/capacity-providers', {
      name: 'mapped',
      cluster: 'mapped',
      managedInstancesProvider: {
        ...managed,
        instanceLaunchTemplate: { ...managed.instanceLaunchTemplate, capacityOptionType: 'SPOT' },
        infrastructureOptimization: { scaleInAfter: 60 },
      },
      gantry: { limits: { maxHosts: 4 } },
    });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      capacityProvider: {
        gantry: {
          offers: { names: ['m7g.*'], vcpus: { min: 2, max: 8 }, memoryMib: { min: 4096 } },
          limits: { minHosts: 0, maxHosts: 4 },
          policy: { market: 'spot', idleSeconds: 60 },
        },
      },
      warnings: [
        expect.stringMatching(/^managedInstancesProvider\.infrastructureRoleArn: recorded only\. /),
        expect.stringMatching(/^managedInstancesProvider\.instanceLaunchTemplate\.ec2InstanceProfileArn: /),
        expect.stringMatching(/^managedInstancesProvider\.instanceLaunchTemplate\.networkConfiguration: /),
      ],
    });
  });

  it('of an Auto Scaling group buys nothing while managed scaling is off, and says how much it buys otherwise', async () => {
    const group = { autoScalingGroupArn: 'arn:aws:autoscaling:us-east-1:000000000000:autoScalingGroup:1:name/a' };
    const send = (name: string, status: 'ENABLED' | 'DISABLED') =>
      api.rest('POST', '/v1/capacity-providers', {
        name,
        autoScalingGroupProvider: { ...group, managedScaling: { status, targetCapacity: 100 } },
      });
    expect((await send('asg-on', 'ENABLED')).body).toMatchObject({
      capacityProvider: { type: 'EC2_AUTOSCALING', gantry: { limits: { minHosts: 0, maxHosts: 10 } } },
      warnings: expect.arrayContaining([expect.stringMatching(/^gantry\.limits\.maxHosts: 10 where nothing is said/)]),
    });
    expect((await send('asg-off', 'DISABLED')).body).toMatchObject({
      capacityProvider: { gantry: { limits: { maxHosts: 0 } } },
    });
  });

  it('keeps on an update what is not given', async () => {
    await own('updated', {
      gantry: { offerNames: ['m7g.large'], limits: { minHosts: 1, maxHosts: 3 }, policy: { idleSeconds: 30 } },
      tags: [{ key: 'team', value: 'a' }],
    });
    const { status, body } = await api.rest('PUT', '/v1/capacity-providers/updated', {
      gantry: { limits: { maxHosts: 5 }, policy: { consolidation: 'replace' } },
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      capacityProvider: {
        updateStatus: 'UPDATE_COMPLETE',
        tags: [{ key: 'team', value: 'a' }],
        gantry: {
          offers: { names: ['m7g.large'] },
          limits: { minHosts: 1, maxHosts: 5 },
          policy: { idleSeconds: 30, consolidation: 'replace' },
        },
      },
    });
    const lowered = await api.rest('PUT', '/v1/capacity-providers/updated', { gantry: { limits: { maxHosts: 0 } } });
    expect(lowered).toMatchObject({ status: 400, body: { field: 'gantry.limits.minHosts' } });
    const update = new UpdateCapacityProviderCommand({ name: 'nobody', autoScalingGroupProvider: {} });
    await expect(api.ecs().send(update)).rejects.toMatchObject({
      name: 'ClientException',
      message: expect.stringMatching(
        /^The specified capacity provider does not exist\. Specify a valid name or ARN and/,
      ),
    });
  });

  it.each([
    ['awsome', {}, 'InvalidParameterException', 'name'],
    ['no spaces', {}, 'InvalidParameterException', 'name'],
    ['bare', { gantry: undefined }, 'InvalidParameterException', 'gantry'],
    ['homeless', { gantry: undefined, managedInstancesProvider: managed }, 'ClientException', 'cluster'],
    [
      'both',
      { cluster: 'default', autoScalingGroupProvider: { autoScalingGroupArn: 'a' }, managedInstancesProvider: managed },
      'ClientException',
      'managedInstancesProvider',
    ],
    [
      'limits',
      { gantry: { limits: { minHosts: 2, maxHosts: 1 } } },
      'InvalidParameterException',
      'gantry.limits.minHosts',
    ],
    ['negative', { gantry: { limits: { maxHosts: -1 } } }, 'InvalidParameterException', 'gantry.limits.maxHosts'],
    ['nothing', { gantry: { offerNames: [] } }, 'InvalidParameterException', 'gantry.offerNames'],
    ['policy', { gantry: { policy: { market: 'flea' } } }, 'InvalidParameterException', 'gantry.policy.market'],
    ['misspelt', { gantry: { limit: {} } }, 'InvalidParameterException', 'gantry.limit'],
    [
      'disk',
      {
        cluster: 'default',
        managedInstancesProvider: { instanceLaunchTemplate: { storageConfiguration: { storageSizeGiB: 100 } } },
      },
      'ClientException',
      'managedInstancesProvider.instanceLaunchTemplate.storageConfiguration.storageSizeGiB',
    ],
    [
      'reserved',
      { cluster: 'default', managedInstancesProvider: { instanceLaunchTemplate: { capacityOptionType: 'RESERVED' } } },
      'ClientException',
      'managedInstancesProvider.instanceLaunchTemplate.capacityOptionType',
    ],
    [
      'range',
      {
        cluster: 'default',
        managedInstancesProvider: {
          instanceLaunchTemplate: { instanceRequirements: { vCpuCount: { min: 8, max: 2 }, memoryMiB: { min: 0 } } },
        },
      },
      'InvalidParameterException',
      'managedInstancesProvider.instanceLaunchTemplate.instanceRequirements.vCpuCount.min',
    ],
  ])('%s is refused by the member at fault', async (name, members, code, field) => {
    const { status, body } = await own(name, members);
    expect({ status: status >= 400 && status < 500, body }).toMatchObject({ status: true, body: { code, field } });
    const { failures } = await api.ecs().send(new DescribeCapacityProvidersCommand({ capacityProviders: [name] }));
    expect(failures).toMatchObject([{ reason: 'MISSING' }]);
  });

  it('is made once, and again once it is deleted', async () => {
    await own('twice');
    expect(await own('twice')).toMatchObject({
      body: {
        code: 'ClientException',
        detail: expect.stringMatching(/^The specified capacity provider already exists\./),
      },
    });
    const of = await cluster('twice');
    await put(of, ['twice']);
    const remove = new DeleteCapacityProviderCommand({ capacityProvider: arn('twice') });
    await expect(api.ecs().send(remove)).rejects.toMatchObject({
      name: 'ClientException',
      message: expect.stringMatching(/cannot be deleted because it is associated with cluster: twice\. Remove/),
    });
    await put(of, []);
    const { capacityProvider } = await api.ecs().send(remove);
    expect(capacityProvider).toMatchObject({ status: 'INACTIVE', updateStatus: 'DELETE_COMPLETE' });
    const { capacityProviders } = await api.ecs().send(new DescribeCapacityProvidersCommand({ maxResults: 100 }));
    expect(capacityProviders?.map(({ name }) => name)).not.toContain('twice');
    expect((await own('twice')).status).toBe(201);
  });
});

describe('a strategy', () => {
  const run = (of: string, members: object) =>
    api.ecs().send(new RunTaskCommand({ cluster: of, taskDefinition: 'job', ...members }));

  it('divides the tasks of a call: the base first, the rest by weight, also on a replay', async () => {
    const of = await cluster('divided');
    for (const name of ['cheap', 'sure']) await own(name);
    await put(of, ['sure', 'cheap']);
    const request = {
      count: 7,
      clientToken: 'divided',
      capacityProviderStrategy: [
        { capacityProvider: 'sure', base: 1, weight: 1 },
        { capacityProvider: 'cheap', weight: 2 },
      ],
    };
    const first = await run(of, request);
    const providersOf = ({ tasks = [] }: Awaited<ReturnType<typeof run>>) =>
      tasks.map(({ capacityProviderName, lastStatus }) => `${capacityProviderName} ${lastStatus}`);
    expect(first.failures).toEqual([]);
    expect(providersOf(first)).toEqual([
      ...Array.from({ length: 3 }, () => 'sure PROVISIONING'),
      ...Array.from({ length: 4 }, () => 'cheap PROVISIONING'),
    ]);
    expect(providersOf(await run(of, request))).toEqual(providersOf(first));
  });

  it("is the cluster's where the call names none and no launch type, and keeps its provider in use", async () => {
    await own('usual');
    const { cluster: made } = await api.ecs().send(
      new CreateClusterCommand({
        clusterName: 'usual',
        capacityProviders: ['usual'],
        defaultCapacityProviderStrategy: [{ capacityProvider: 'usual' }],
      }),
    );
    expect(made).toMatchObject({
      capacityProviders: ['usual'],
      defaultCapacityProviderStrategy: [{ capacityProvider: 'usual', weight: 0, base: 0 }],
    });
    const { tasks = [] } = await run('usual', {});
    expect(tasks).toMatchObject([{ capacityProviderName: 'usual', launchType: 'EC2', lastStatus: 'PROVISIONING' }]);
    await expect(put('usual', [])).rejects.toMatchObject({
      name: 'ResourceInUseException',
      message: expect.stringMatching(/^The specified capacity provider is in use and cannot be removed\./),
    });
    await api.ecs().send(new StopTaskCommand({ cluster: 'usual', task: tasks[0]?.taskArn }));
    expect((await put('usual', [])).cluster).toMatchObject({ capacityProviders: [] });
    const { tasks: later = [] } = await run('usual', {});
    expect(later[0]).not.toHaveProperty('capacityProviderName');
  });

  it.each([
    ['of a stranger', [{ capacityProvider: 'stranger', weight: 1 }], /not associated with the cluster/],
    ['of Fargate', [{ capacityProvider: 'FARGATE_SPOT', weight: 1 }], /not associated with the cluster/],
    ['without weight', [{ capacityProvider: 'a' }, { capacityProvider: 'b' }], /weight greater than 0/],
    [
      'with two bases',
      [
        { capacityProvider: 'a', weight: 1, base: 1 },
        { capacityProvider: 'b', base: 1 },
      ],
      /Only one capacity provider .* can have a base/,
    ],
    ['with too much weight', [{ capacityProvider: 'a', weight: 1001 }], /weight must be between 0 and 1000/],
    ['twice of one', [{ capacityProvider: 'a', weight: 1 }, { capacityProvider: 'a' }], /names a twice/],
    [
      'of too many',
      Array.from({ length: 21 }, (_, index) => ({ capacityProvider: `p${index}`, weight: 1 })),
      /0 to 20 entries/,
    ],
  ])('%s is refused, in a call and as the default', async (_, capacityProviderStrategy, message) => {
    for (const name of ['a', 'b']) await own(name);
    const of = await cluster('refusing');
    await put(of, ['a', 'b']);
    const refusal = { name: 'InvalidParameterException', message: expect.stringMatching(message) };
    await expect(run(of, { capacityProviderStrategy })).rejects.toMatchObject(refusal);
    await expect(put(of, ['a', 'b'], capacityProviderStrategy)).rejects.toMatchObject(refusal);
  });

  it('and a launch type exclude each other', async () => {
    const both = run('default', {
      launchType: 'EC2',
      capacityProviderStrategy: [{ capacityProvider: 'a', weight: 1 }],
    });
    await expect(both).rejects.toMatchObject({ message: expect.stringMatching(/^Specify either Launch Type or/) });
  });

  it('sends its tasks to hosts of the provider only; others go anywhere', async () => {
    await own('home');
    await put('default', ['home']);
    const stranger = await api.host({ name: 'stranger' });
    const strategy = { capacityProviderStrategy: [{ capacityProvider: 'home', weight: 1 }] };
    const { tasks: waiting = [] } = await run('default', strategy);
    expect(waiting).toMatchObject([{ lastStatus: 'PROVISIONING' }]);
    const { tasks: free = [] } = await run('default', {});
    expect(free).toMatchObject([{ lastStatus: 'PENDING' }]);
    expect(stranger.hostId).toBe(free[0]?.containerInstanceArn?.split('/').at(-1));
    const host = await api.host({ name: 'home-1', attributes: { 'gantry.capacity-provider': 'home' } });
    await api.control.loops.idle();
    const described = await api.ecs().send(new DescribeTasksCommand({ tasks: [waiting[0]?.taskArn ?? ''] }));
    expect(described.tasks?.[0]?.containerInstanceArn?.split('/').at(-1)).toBe(host.hostId);
    await put('default', ['home']);
  });
});

describe('a cluster', () => {
  it('has no Fargate', async () => {
    const request = new CreateClusterCommand({ clusterName: 'serverless', capacityProviders: ['FARGATE'] });
    await expect(api.ecs().send(request)).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: expect.stringMatching(/no capacity provider FARGATE/),
    });
    await expect(put('default', ['nobody'])).rejects.toMatchObject({ name: 'InvalidParameterException' });
  });

  it('lets tasks that name a launch type wait where its setting says so', async () => {
    const of = await cluster('patient');
    const run = () => api.ecs().send(new RunTaskCommand({ cluster: of, taskDefinition: 'job', launchType: 'EC2' }));
    await expect(run()).rejects.toMatchObject({
      message: expect.stringMatching(/^No Container Instances were found in your cluster\./),
    });
    const set = (value: string) =>
      api.ecs().send(
        // As stock clients send it: the name is only a text to them.
        new UpdateClusterSettingsCommand({
          cluster: of,
          settings: [{ name: 'gantry:waitForCapacity' as 'containerInsights', value }],
        }),
      );
    expect((await set('enabled')).cluster?.settings).toEqual([{ name: 'gantry:waitForCapacity', value: 'enabled' }]);
    expect(await run()).toMatchObject({ tasks: [{ lastStatus: 'PROVISIONING', launchType: 'EC2' }], failures: [] });
    await set('disabled');
    await expect(run()).rejects.toMatchObject({ name: 'InvalidParameterException' });
    await expect(set('maybe')).rejects.toMatchObject({ name: 'InvalidParameterException' });
  });
});
