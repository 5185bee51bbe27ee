/** What the SDK makes of many pages and of refusals: paginators and classes of errors. (The whole path: test/clients/life.test.ts.) */
import {
  AttributeLimitExceededException,
  DeleteTaskDefinitionsCommand,
  DeregisterTaskDefinitionCommand,
  ListTagsForResourceCommand,
  NoUpdateAvailableException,
  PutAccountSettingDefaultCommand,
  PutAttributesCommand,
  paginateListAccountSettings,
  paginateListAttributes,
  paginateListTaskDefinitionFamilies,
  RegisterTaskDefinitionCommand,
  ResourceNotFoundException,
  TargetNotFoundException,
  UpdateContainerAgentCommand,
} from '@aws-sdk/client-ecs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ScriptedHost } from '../control/support/scripted-host.ts';
import { type ApiServer, startApi } from '../support/api-server.ts';

let api: ApiServer;
let host: ScriptedHost;
const container = { name: 'app', image: 'busybox', memory: 64 };

beforeAll(async () => {
  api = await startApi();
  host = await api.host();
  for (const family of ['a', 'b', 'c'])
    await api.ecs().send(new RegisterTaskDefinitionCommand({ family, containerDefinitions: [container] }));
});
afterAll(() => api[Symbol.asyncDispose]());

it('attributes, families and settings are read by paginators', async () => {
  const client = api.ecs();
  const put = (name: string) => new PutAttributesCommand({ attributes: [{ name, value: 'x', targetId: host.hostId }] });
  for (let index = 0; index < 10; index += 1) await client.send(put(`a${index}`));
  await expect(client.send(put('more'))).rejects.toBeInstanceOf(AttributeLimitExceededException);
  const attributes: (string | undefined)[] = [];
  for await (const page of paginateListAttributes({ client, pageSize: 3 }, { targetType: 'container-instance' }))
    attributes.push(...(page.attributes ?? []).map(({ name }) => name));
  expect(attributes).toEqual([...Array.from({ length: 10 }, (_, index) => `a${index}`), 'ecs.os-type']);
  await client.send(new DeregisterTaskDefinitionCommand({ taskDefinition: 'b:1' }));
  const families: string[] = [];
  for await (const page of paginateListTaskDefinitionFamilies({ client, pageSize: 1 }, { status: 'ALL' }))
    families.push(...(page.families ?? []));
  expect(families).toEqual(['a', 'b', 'c']);
  const { taskDefinitions } = await client.send(new DeleteTaskDefinitionsCommand({ taskDefinitions: ['b:1'] }));
  expect(taskDefinitions).toMatchObject([{ status: 'DELETE_IN_PROGRESS', deleteRequestedAt: expect.any(Date) }]);
  await client.send(new PutAccountSettingDefaultCommand({ name: 'fargateTaskRetirementWaitPeriod', value: '0' }));
  const settings = new Map<string | undefined, string | undefined>();
  for await (const page of paginateListAccountSettings({ client, pageSize: 4 }, { effectiveSettings: true }))
    for (const { name, value } of page.settings ?? []) settings.set(name, value);
  expect(settings.size).toBe(11);
  expect(settings.get('fargateTaskRetirementWaitPeriod')).toBe('0');
});

it('refusals are of the classes that the client knows', async () => {
  const ecs = api.ecs();
  const none = 'a'.repeat(32);
  const resourceArn = `arn:aws:ecs:us-east-1:000000000000:task/default/${none}`;
  await expect(ecs.send(new ListTagsForResourceCommand({ resourceArn }))).rejects.toBeInstanceOf(
    ResourceNotFoundException,
  );
  await expect(
    ecs.send(new PutAttributesCommand({ attributes: [{ name: 'x', targetId: none }] })),
  ).rejects.toBeInstanceOf(TargetNotFoundException);
  await expect(ecs.send(new UpdateContainerAgentCommand({ containerInstance: host.hostId }))).rejects.toBeInstanceOf(
    NoUpdateAvailableException,
  );
});
