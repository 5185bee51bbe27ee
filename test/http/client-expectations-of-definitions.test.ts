/** As client-expectations.test.ts: the expectations on task definitions, on the protocol and on services. */
import * as sdk from '@aws-sdk/client-ecs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiServer, startApi } from '../support/api-server.ts';

let api: ApiServer;
let ecs: sdk.ECSClient;
const container = { name: 'app', image: 'busybox', memory: 64 };

beforeAll(async () => {
  api = await startApi();
  ecs = api.ecs();
});
afterAll(() => api[Symbol.asyncDispose]());

async function register(family: string, members: Partial<sdk.RegisterTaskDefinitionCommandInput> = {}) {
  const input = { family, containerDefinitions: [container], ...members };
  const { taskDefinition } = await ecs.send(new sdk.RegisterTaskDefinitionCommand(input));
  return taskDefinition;
}

const idOf = (arn: string): string => arn.split('/').at(-1) ?? '';

describe('a task definition', () => {
  const asTools = {
    networkMode: 'bridge',
    cpu: '128',
    memory: '64',
    containerDefinitions: [
      {
        ...container,
        cpu: 64,
        essential: true,
        command: ['sh', '-c', 'true'],
        entryPoint: ['/bin/sh'],
        environment: [
          { name: 'B', value: '2' },
          { name: 'A', value: '' },
        ],
        portMappings: [{ containerPort: 80, hostPort: 0, protocol: 'tcp' }],
        dockerLabels: { a: 'b' },
        stopTimeout: 5,
        user: '1000',
      },
    ],
    placementConstraints: [{ type: 'memberOf', expression: 'attribute:stack == prod' }],
    requiresCompatibilities: ['EC2'],
  } satisfies Partial<sdk.RegisterTaskDefinitionCommandInput>;

  it('13: is described as it was registered, with nothing more than what ECS fills in', async () => {
    await register('compared', asTools);
    const command = new sdk.DescribeTaskDefinitionCommand({ taskDefinition: 'compared' });
    const { taskDefinition } = await ecs.send(command);
    const filledIn = { mountPoints: [], systemControls: [], volumesFrom: [] };
    const containerDefinitions = [{ ...asTools.containerDefinitions[0], ...filledIn }];
    expect(taskDefinition).toMatchObject({ ...asTools, containerDefinitions });
    expect(taskDefinition?.containerDefinitions).toEqual(containerDefinitions);
  });

  it('14: may leave memory out of its containers where the task has it', async () => {
    const { memory, ...without } = container;
    expect(await register('whole', { memory: `${memory}`, containerDefinitions: [without] })).toMatchObject({
      memory: '64',
      containerDefinitions: [{ name: 'app' }],
    });
  });

  it('15: is registered again from its own description, with the tags from beside it', async () => {
    const tags = [{ key: 'team', value: 'a' }];
    await register('again', { ...asTools, tags });
    const described = await ecs.send(
      new sdk.DescribeTaskDefinitionCommand({ taskDefinition: 'again', include: ['TAGS'] }),
    );
    expect(described.tags).toEqual(tags);
    const { revision, taskDefinitionArn, status, registeredAt, registeredBy, ...rest } = described.taskDefinition ?? {};
    const second = await register('again', { ...rest, tags: described.tags });
    const {
      revision: next,
      taskDefinitionArn: _,
      status: same,
      registeredAt: at,
      registeredBy: by,
      ...restOfSecond
    } = second ?? {};
    expect([revision, next]).toEqual([1, 2]);
    expect(restOfSecond).toEqual(rest);
    expect([taskDefinitionArn, status, registeredAt, registeredBy, same, at, by]).not.toContain(undefined);
  });

  it('16: is found by its exact family, newest first over pages; families are found by their beginning', async () => {
    for (const family of ['web', 'web', 'web', 'webhook']) await register(family);
    const revisions: string[] = [];
    const config = { client: ecs, pageSize: 2 };
    for await (const page of sdk.paginateListTaskDefinitions(config, { familyPrefix: 'web', sort: 'DESC' }))
      revisions.push(...(page.taskDefinitionArns ?? []).map(idOf));
    expect(revisions).toEqual(['web:3', 'web:2', 'web:1']);
    const families: string[] = [];
    for await (const page of sdk.paginateListTaskDefinitionFamilies(config, { familyPrefix: 'web' }))
      families.push(...(page.families ?? []));
    expect(families).toEqual(['web', 'webhook']);
  });
});

describe('the protocol', () => {
  it('17: ends its pages, also where clusters go in between', async () => {
    for (const name of ['one', 'two', 'three']) await ecs.send(new sdk.CreateClusterCommand({ clusterName: name }));
    const pages: number[] = [];
    for await (const { clusterArns } of sdk.paginateListClusters({ client: ecs, pageSize: 1 }, {})) {
      pages.push(clusterArns?.length ?? 0);
      if (pages.length === 2) await ecs.send(new sdk.DeleteClusterCommand({ cluster: 'two' }));
      if (pages.length > 10) break;
    }
    // default, one, three; and `two` where it was read before it went.
    expect([3, 4]).toContain(pages.reduce((sum, length) => sum + length));
  });

  it('18: takes `default` where no cluster is named, and says that there is none before anything else', async () => {
    await using without = await startApi();
    await without.wire('DeleteCluster', { cluster: 'default' });
    for (const [operation, input] of [
      ['RunTask', { taskDefinition: 'nothing', count: -1 }],
      ['DescribeTasks', { tasks: [] }],
      ['ListTasks', { maxResults: 0 }],
      ['ListContainerInstances', { filter: '(' }],
    ] as const)
      expect(await without.wire(operation, input), operation).toMatchObject({
        status: 400,
        body: { __type: 'ClusterNotFoundException' },
      });
  });

  it('19: answers every error with status 400, its type, its message and a request id; no body is an empty one', async () => {
    const stranger = { accessKeyId: 'GKIAAAAAAAAAAAAAAAAA', secretAccessKey: 'x' };
    const forged = { ...api.credentials, secretAccessKey: 'x' };
    for (const [who, operation, __type] of [
      [api, 'DescribeTasks', 'InvalidParameterException'],
      [api, 'CreateService', 'UnsupportedFeatureException'],
      [api, 'Nothing', 'UnknownOperationException'],
      [api.as(stranger), 'ListTasks', 'UnrecognizedClientException'],
      [api.as(forged), 'ListTasks', 'InvalidSignatureException'],
    ] as const) {
      const { status, headers, body } = await who.wire(operation, {});
      expect([status, body], operation).toEqual([400, { __type, message: expect.stringMatching(/./) }]);
      expect(headers.get('x-amzn-requestid'), operation).toMatch(/./);
    }
    expect(await api.wire('ListTasks', undefined)).toMatchObject({ status: 200, body: { taskArns: [] } });
  });
});

describe('services, which are not built', () => {
  it.each(['DescribeServices', 'ListServices', 'CreateService', 'UpdateService', 'DeleteService'])(
    '20 and 21: %s is refused as what is not supported, by its name',
    async (operation) => {
      expect((await api.wire(operation, { services: ['web'], service: 'web' })).body).toEqual({
        __type: 'UnsupportedFeatureException',
        message: expect.stringContaining(operation),
      });
    },
  );

  it('20 and 21: tasks of one are refused, not listed as none', async () => {
    await expect(ecs.send(new sdk.ListTasksCommand({ serviceName: 'web' }))).rejects.toBeInstanceOf(
      sdk.ServiceNotFoundException,
    );
  });
});
