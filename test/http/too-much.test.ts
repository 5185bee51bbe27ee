/** How many of each an operation takes: one more is refused by its name. ECS' own numbers, where it has some. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiServer, startApi } from '../support/api-server.ts';

let api: ApiServer;
beforeAll(async () => {
  api = await startApi();
  const containerDefinitions = [{ name: 'app', image: 'busybox', memory: 64 }];
  await api.wire('RegisterTaskDefinition', { family: 'known', containerDefinitions });
});
afterAll(() => api[Symbol.asyncDispose]());

describe('a list or page that is too long is refused by its name, and the longest is not', () => {
  const names = (count: number) => Array.from({ length: count }, (_, index) => `n${index}`);
  const arn = 'arn:aws:ecs:us-east-1:000000000000:cluster/default';
  const providers = (count: number) => names(count).map((capacityProvider) => ({ capacityProvider }));
  const attributes = (count: number) => names(count).map((name) => ({ name, targetId: 'a'.repeat(32) }));
  const constraints = (count: number) => names(count).map(() => ({ type: 'distinctInstance' }));

  it.each<readonly [operation: string, field: string, most: number, of: (count: number) => object]>([
    ['DescribeTasks', 'tasks', 100, (count) => ({ tasks: names(count) })],
    ['DescribeContainerInstances', 'containerInstances', 100, (count) => ({ containerInstances: names(count) })],
    ['DescribeClusters', 'clusters', 100, (count) => ({ clusters: names(count) })],
    ['DescribeCapacityProviders', 'capacityProviders', 100, (count) => ({ capacityProviders: names(count) })],
    ['GetTaskProtection', 'tasks', 100, (count) => ({ cluster: 'default', tasks: names(count) })],
    [
      'UpdateTaskProtection',
      'tasks',
      10,
      (count) => ({ cluster: 'default', tasks: names(count), protectionEnabled: false }),
    ],
    [
      'UpdateContainerInstancesState',
      'containerInstances',
      10,
      (count) => ({ containerInstances: names(count), status: 'ACTIVE' }),
    ],
    ['StartTask', 'containerInstances', 10, (count) => ({ taskDefinition: 'known', containerInstances: names(count) })],
    ['DeleteTaskDefinitions', 'references', 10, (count) => ({ taskDefinitions: names(count) })],
    ['PutAttributes', 'attributes', 10, (count) => ({ attributes: attributes(count) })],
    ['DeleteAttributes', 'attributes', 10, (count) => ({ attributes: attributes(count) })],
    ['UntagResource', 'tagKeys', 50, (count) => ({ resourceArn: arn, tagKeys: names(count) })],
    ['TagResource', 'tags', 50, (count) => ({ resourceArn: arn, tags: names(count).map((key) => ({ key })) })],
    [
      'PutClusterCapacityProviders',
      'A cluster',
      20,
      (count) => ({ capacityProviders: names(count), defaultCapacityProviderStrategy: [] }),
    ],
    [
      'RunTask',
      'capacityProviderStrategy',
      20,
      (count) => ({ taskDefinition: 'known', capacityProviderStrategy: providers(count) }),
    ],
    [
      'RunTask',
      'placementConstraints',
      10,
      (count) => ({ taskDefinition: 'known', launchType: 'EC2', placementConstraints: constraints(count) }),
    ],
    ['StopTask', 'reason', 1024, (count) => ({ task: 'a'.repeat(32), reason: 'x'.repeat(count) })],
    ...['ListTasks', 'ListClusters', 'ListContainerInstances', 'ListTaskDefinitions', 'ListTaskDefinitionFamilies'].map(
      (operation) => [operation, 'maxResults', 100, (maxResults: number) => ({ maxResults })] as const,
    ),
    ['ListAccountSettings', 'maxResults', 10, (maxResults) => ({ maxResults })],
    ['ListAttributes', 'maxResults', 100, (maxResults) => ({ maxResults, targetType: 'container-instance' })],
  ])('%s, %s', async (operation, field, most, of) => {
    const tooLong = (body: unknown): boolean =>
      new RegExp(`${field} .*(at most|exceed|to|and|have) ${most}\\b`).test(String(Object(body).message));
    expect((await api.wire(operation, of(most + 1))).body).toSatisfy(tooLong);
    expect((await api.wire(operation, of(most))).body).not.toSatisfy(tooLong);
  });
});
