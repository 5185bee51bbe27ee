/** What a key may do: its actions and its clusters, on both transports, and the operations that make and delete keys. */
import { type ECSClient, ListClustersCommand } from '@aws-sdk/client-ecs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operations } from '../../core/api/operations.ts';
import { type Answer, type ApiServer, startApi } from '../support/api-server.ts';

let api: ApiServer;
/** May do everything in the cluster `mine`. */
let mine: Pick<ApiServer, 'wire' | 'rest'>;

beforeAll(async () => {
  api = await startApi();
  for (const clusterName of ['mine', 'other']) await api.wire('CreateCluster', { clusterName });
  const definition = { family: 'job', containerDefinitions: [{ name: 'app', image: 'busybox', memory: 64 }] };
  await api.wire('RegisterTaskDefinition', definition);
  mine = api.as(await api.keyFor(['read', 'run', 'register', 'administer'], ['mine']));
});
afterAll(() => api[Symbol.asyncDispose]());

const refusedCluster = (name: string) =>
  expect.stringContaining(`is not allowed to use the cluster ${name}. Use a key that has the cluster '${name}'.`);

describe('a key for one cluster', () => {
  it('works in that cluster, by its name and its ARN, on both transports', async () => {
    const arn = 'arn:aws:ecs:us-east-1:000000000000:cluster/mine';
    for (const cluster of ['mine', arn]) {
      expect((await mine.wire('ListTasks', { cluster })).status).toBe(200);
      expect((await mine.wire('DescribeClusters', { clusters: [cluster] })).status).toBe(200);
    }
    expect((await mine.rest('GET', '/v1/clusters/mine/tasks')).status).toBe(200);
    const run = { taskDefinition: 'job', cluster: 'mine' };
    const { status, body } = await mine.wire('RunTask', run);
    expect(status).toBe(200);
    const [task] = (body as { tasks: { taskArn: string }[] }).tasks;
    expect((await mine.rest('POST', `/v1/clusters/mine/tasks/${task?.taskArn.split('/').at(-1)}/stop`)).status).toBe(
      200,
    );
  });

  it('is refused in any other, which the refusal names, also where it is the default', async () => {
    const calls: [string, object, string][] = [
      ['RunTask', { taskDefinition: 'job', cluster: 'other' }, 'other'],
      ['RunTask', { taskDefinition: 'job' }, 'default'],
      ['ListTasks', { cluster: 'arn:aws:ecs:us-east-1:000000000000:cluster/other' }, 'other'],
      ['DescribeClusters', { clusters: ['mine', 'other'] }, 'other'],
      ['DescribeClusters', {}, 'default'],
      ['DescribeClusters', { clusters: [] }, 'default'],
      ['CreateCluster', { clusterName: 'new' }, 'new'],
      ['DeleteCluster', { cluster: 'other' }, 'other'],
      ['DeregisterContainerInstance', { cluster: 'other', containerInstance: 'a' }, 'other'],
    ];
    for (const [operation, input, cluster] of calls) {
      expect((await mine.wire(operation, input)).body, operation).toMatchObject({
        __type: 'AccessDeniedException',
        message: refusedCluster(cluster),
      });
    }
    for (const path of ['hosts', 'tasks', 'tasks/0123456789abcdef0123456789abcdef/logs', 'tasks/0/watch']) {
      const { status, body } = await mine.rest('GET', `/v1/clusters/other/${path}`);
      expect([status, body], path).toMatchObject([403, { code: 'AccessDeniedException', field: 'cluster' }]);
    }
    expect((await mine.rest('POST', '/v1/clusters/other/join-tokens', {})).status).toBe(403);
    expect((await mine.rest('POST', '/v1/clusters/other/instances', { instanceIds: [] })).status).toBe(403);
  });

  it('sees no other in the list, nor a task of another by its ARN', async () => {
    expect((await mine.wire('ListClusters', {})).body).toEqual({
      clusterArns: ['arn:aws:ecs:us-east-1:000000000000:cluster/mine'],
    });
    const other = await api.wire('RunTask', { taskDefinition: 'job', cluster: 'other' });
    const [task] = (other.body as { tasks: { taskArn: string }[] }).tasks;
    const tasks = [task?.taskArn ?? ''];
    expect((await mine.wire('DescribeTasks', { cluster: 'mine', tasks })).status).toBe(400);
    const byId = [tasks[0]?.split('/').at(-1)];
    expect((await mine.wire('DescribeTasks', { cluster: 'mine', tasks: byId })).body).toMatchObject({
      tasks: [],
      failures: [{ reason: 'MISSING' }],
    });
  });

  it('makes and sees no keys, though it may administer', async () => {
    const attempts: Answer[] = [
      await mine.rest('POST', '/v1/access-keys', { userName: 'more', actions: ['administer'] }),
      await mine.rest('GET', '/v1/access-keys'),
      await mine.rest('DELETE', '/v1/access-keys/GKIA0000000000000000'),
    ];
    for (const { status, body } of attempts) {
      expect([status, body]).toMatchObject([
        403,
        { code: 'AccessDeniedException', hint: 'Use a key for all clusters.' },
      ]);
    }
  });
});

describe('a key that is made over REST', () => {
  it('is what AWS’ own client signs with, until it is deleted', async () => {
    const made = await api.rest('POST', '/v1/access-keys', { userName: 'ci', actions: ['read'], clusters: ['mine'] });
    expect(made.status).toBe(201);
    const { accessKey, secretAccessKey } = made.body as {
      accessKey: { accessKeyId: string; createdAt: string };
      secretAccessKey: string;
    };
    expect(accessKey.createdAt).toMatch(/^\d{4}-.*Z$/);
    const credentials = { accessKeyId: accessKey.accessKeyId, secretAccessKey };
    const client: ECSClient = api.ecs({ credentials });
    expect((await client.send(new ListClustersCommand({}))).clusterArns).toHaveLength(1);
    const { body } = await api.as(credentials).wire('RunTask', { taskDefinition: 'job', cluster: 'mine' });
    expect(body).toMatchObject({
      __type: 'AccessDeniedException',
      message: "arn:aws:iam::000000000000:user/ci is not allowed to run. Use a key that has the action 'run'.",
    });
    const { body: listed } = await api.rest('GET', '/v1/access-keys');
    expect((listed as { accessKeys: object[] }).accessKeys).toContainEqual(accessKey);
    expect((await api.rest('DELETE', `/v1/access-keys/${accessKey.accessKeyId}`)).status).toBe(200);
    await expect(client.send(new ListClustersCommand({}))).rejects.toMatchObject({
      name: 'UnrecognizedClientException',
    });
  });

  it('is made by whoever may administer only', async () => {
    const reader = api.as(await api.keyFor(['read', 'run', 'register']));
    for (const [method, path, body] of [
      ['POST', '/v1/access-keys', { userName: 'more', actions: ['administer'] }],
      ['GET', '/v1/access-keys', undefined],
      ['POST', '/v1/clusters/default/join-tokens', {}],
      ['POST', '/v1/clusters/default/instances', { instanceIds: ['i-0123456789abcdef0'] }],
    ] as const) {
      const answer = await reader.rest(method, path, body);
      expect([answer.status, answer.body], path).toMatchObject([
        403,
        { hint: "Use a key that has the action 'administer'." },
      ]);
    }
  });
});

/** Whoever adds an operation says here what of it a key for certain clusters may do. */
it('every operation is about clusters that its input names, about none, or about the whole store', () => {
  const about = Map.groupBy(Object.values(operations), ({ input, ...rest }) => {
    if ('scope' in rest) return 'the store';
    const named = ['cluster', 'clusters', 'clusterName'].filter((member) => Object.hasOwn(input.shape, member));
    return named.length === 0 ? 'none' : named.join();
  });
  const names = (what: string) => about.get(what)?.map(({ name }) => name);
  expect(names('the store')).toEqual([
    'CreateCapacityProvider',
    'UpdateCapacityProvider',
    'DeleteCapacityProvider',
    'DescribeCapacityProviders',
    'ListAuditEntries',
    'PutAccountSetting',
    'PutAccountSettingDefault',
    'DeleteAccountSetting',
    'CreateAccessKey',
    'ListAccessKeys',
    'DeleteAccessKey',
  ]);
  expect(names('none')).toEqual([
    'RegisterTaskDefinition',
    'DescribeTaskDefinition',
    'ListTaskDefinitions',
    'ListTaskDefinitionFamilies',
    'DeregisterTaskDefinition',
    'DeleteTaskDefinitions',
    'ListClusters',
    'TagResource',
    'UntagResource',
    'ListTagsForResource',
    'ListAccountSettings',
  ]);
  expect(names('clusters')).toEqual(['DescribeClusters']);
  expect(names('clusterName')).toEqual(['CreateCluster']);
  expect([...about.keys()].toSorted()).toEqual(['cluster', 'clusterName', 'clusters', 'none', 'the store']);
});
