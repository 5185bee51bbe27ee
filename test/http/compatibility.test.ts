/** docs/compatibility.md says what becomes of each operation and each field of ECS: here the API does so. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { otherFields } from '../../bin/compatibility/fields.ts';
import { builtOperations, compatibilityPage, fieldRows, missingOperations } from '../../bin/compatibility/page.ts';
import type { OperationName } from '../../core/api/operations.ts';
import { operationsNotBuilt } from '../../core/api/operations-not-built.ts';
import type { ScriptedHost } from '../control/support/scripted-host.ts';
import { type ApiServer, startApi } from '../support/api-server.ts';
import { requestFaults, requestWith } from '../support/ecs-model.ts';
import { type Place, wholeRequests } from './support/whole-requests.ts';

let api: ApiServer;
let host: ScriptedHost;
let place: Place;

beforeAll(async () => {
  api = await startApi();
  host = await api.host({ cpuUnits: 8192, memoryMib: 8192, attributes: { 'ecs.cpu-architecture': 'x86_64' } });
  // A list of one has no second page.
  await api.host({ name: 'host-2' });
  for (const clusterName of ['used', 'doomed', 'fleet', 'wide']) await api.wire('CreateCluster', { clusterName });
  for (const family of ['job', 'job', 'job', 'journal'])
    await api.wire('RegisterTaskDefinition', {
      family,
      containerDefinitions: [{ name: 'app', image: 'busybox', memory: 64 }],
    });
  for (let tasks = 0; tasks < 2; tasks += 1)
    await api.wire('StartTask', { taskDefinition: 'job', containerInstances: [host.hostId] });
  await api.rest('POST', '/v1/capacity-providers', { name: 'own', gantry: {} });
  await api.wire('PutClusterCapacityProviders', {
    cluster: 'default',
    capacityProviders: ['own'],
    defaultCapacityProviderStrategy: [],
  });
  place = { hostId: host.hostId, tokenOf: tokenFrom };
});
afterAll(() => api[Symbol.asyncDispose]());

/** A `nextToken` of this list. */
async function tokenFrom(operation: OperationName, input: object): Promise<string> {
  const { body } = await api.wire(operation, { ...input, maxResults: 1 });
  if (typeof body !== 'object' || body === null || !('nextToken' in body)) throw new Error(`${operation} has one page`);
  return String(body.nextToken);
}

/** The members that a request has, in the form of the page: `tags[].key`. */
const membersOf = (value: unknown, path = ''): string[] => {
  if (Array.isArray(value)) return value.flatMap((item) => membersOf(item, `${path}[]`));
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([name, member]) => membersOf(member, path === '' ? name : `${path}.${name}`));
};

describe.each(builtOperations)('%s', (operation) => {
  const rows = fieldRows(operation);
  const refused = rows.filter((row) => row.class === 'refused');

  it('takes every field that the page does not call refused', async () => {
    const requests = await wholeRequests[operation]?.(place);
    expect(requests, `a whole request of ${operation}`).toBeDefined();
    for (const { request, code } of requests ?? []) {
      expect(requestFaults(operation, request)).toEqual([]);
      const { status, body } = await api.wire(operation, request);
      expect([status, body], operation).toEqual(
        code === undefined ? [200, expect.anything()] : [400, expect.objectContaining({ __type: code })],
      );
    }
    const sent = new Set((requests ?? []).flatMap(({ request }) => membersOf(request)));
    const taken = rows.filter((row) => row.class !== 'refused').flatMap(({ members }) => members);
    expect(taken.filter((member) => !sent.has(member) && ![...sent].some((at) => at.startsWith(`${member}.`)))).toEqual(
      [],
    );
  });

  if (refused.length > 0)
    it('refuses every field that the page calls so, by its name', async () => {
      const [base] = (await wholeRequests[operation]?.(place)) ?? [];
      for (const { path } of refused) {
        const request = merged(base?.request ?? {}, requestWith(operation, path));
        expect(requestFaults(operation, request), path).toEqual([]);
        const { status, body } = await api.wire(operation, request);
        const name = path.split('.').at(-1)?.replace('[]', '') ?? '';
        expect([status, body], path).toEqual([400, expect.objectContaining({ message: expect.any(String) })]);
        expect(JSON.stringify(body).toLowerCase(), path).toContain(name.replace(/Name$/, '').toLowerCase());
      }
    });
});

/** The first with the members of the second beside its own. */
function merged(base: unknown, more: unknown): unknown {
  if (Array.isArray(base) && Array.isArray(more)) return [merged(base[0], more[0]), ...base.slice(1)];
  if (typeof base !== 'object' || base === null || typeof more !== 'object' || more === null) return more;
  const members: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(more)) members[name] = merged(members[name], value);
  return members;
}

it('answers what is not built as the page says, by its name', async () => {
  expect([...operationsNotBuilt].toSorted()).toEqual(missingOperations.toSorted());
  for (const operation of missingOperations)
    expect((await api.wire(operation, {})).body).toEqual({
      __type: 'UnsupportedFeatureException',
      message: expect.stringContaining(operation),
    });
});

it('is written down for every operation, and for nothing that ECS does not have', () => {
  const page = compatibilityPage();
  for (const [operation, table] of Object.entries(otherFields))
    expect(Object.keys(table).toSorted()).toEqual(
      fieldRows(operation)
        .map(({ path }) => path)
        .toSorted(),
    );
  for (const operation of builtOperations) expect(page).toContain(`\n## ${operation}\n`);
  for (const operation of missingOperations) expect(page).toContain(`\`${operation}\``);
});
