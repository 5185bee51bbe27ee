/** What the API does not know: members, operations, routes and pages. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operationsNotBuilt } from '../../core/api/operations-not-built.ts';
import { type ApiServer, startApi } from '../support/api-server.ts';

let api: ApiServer;
const definition = { family: 'known', containerDefinitions: [{ name: 'app', image: 'busybox', memory: 64 }] };
beforeAll(async () => {
  api = await startApi();
  expect((await api.wire('RegisterTaskDefinition', definition)).status).toBe(200);
});
afterAll(() => api[Symbol.asyncDispose]());

describe('an unknown member', () => {
  const misspelled = { ...definition, containerDefinitions: [{ name: 'app', image: 'busybox', memroy: 64 }] };

  it('is ignored on the ECS wire, as AWS does', async () => {
    const { body } = await api.wire('DescribeTaskDefinition', { taskDefinition: 'known', depth: 3 });
    expect(body).toMatchObject({ taskDefinition: { family: 'known' } });
  });

  it('is refused on REST, by its path', async () => {
    const { status, body } = await api.rest('POST', '/v1/task-definitions', misspelled);
    expect(status).toBe(400);
    expect(body).toMatchObject({
      code: 'InvalidParameterException',
      field: 'containerDefinitions[0].memroy',
      detail: 'RegisterTaskDefinition has no member containerDefinitions[0].memroy.',
      hint: expect.stringContaining('/openapi.json'),
    });
  });

  it('is refused in the query of REST', async () => {
    const { body } = await api.rest('GET', '/v1/task-definitions?colour=red');
    expect(body).toMatchObject({ code: 'InvalidParameterException', field: 'colour' });
  });

  it('is refused where the path names it too', async () => {
    const request = { taskDefinition: 'known', cluster: 'other' };
    const { body } = await api.rest('POST', '/v1/clusters/default/tasks', request);
    expect(body).toMatchObject({ code: 'InvalidParameterException', field: 'cluster' });
  });
});

describe('an operation', () => {
  it('that nobody has is unknown', async () => {
    const { status, body } = await api.wire('MakeCoffee', {});
    expect(status).toBe(400);
    expect(body).toEqual({ __type: 'UnknownOperationException', message: 'There is no operation MakeCoffee.' });
  });

  it.each(['GetTasks', 'toString'])('that is no operation of ECS is unknown on the wire: %s', async (name) => {
    expect((await api.wire(name, {})).body).toMatchObject({ __type: 'UnknownOperationException' });
  });

  it('of another service is unknown', async () => {
    const { body } = await api.wire('', {}, { 'x-amz-target': 'DynamoDB_20120810.ListTables' });
    expect(body).toMatchObject({ __type: 'UnknownOperationException', message: expect.stringContaining('RunTask') });
  });

  it.each(['CreateService', 'ExecuteCommand', 'DescribeServices', 'CreateTaskSet'])(
    'that is not built is refused by its name: %s',
    async (name) => {
      expect(operationsNotBuilt.has(name)).toBe(true);
      const { status, body } = await api.wire(name, {});
      expect(status).toBe(400);
      expect(body).toMatchObject({
        __type: 'UnsupportedFeatureException',
        message: expect.stringContaining(` ${name} `),
      });
    },
  );

  it('that REST does not have is not found', async () => {
    for (const [method, path] of [
      ['GET', '/v1/coffee'],
      ['PATCH', '/v1/clusters'],
    ] as const) {
      const { status, body } = await api.rest(method, path);
      expect(status).toBe(404);
      expect(body).toMatchObject({ code: 'UnknownOperationException', detail: `There is no ${method} ${path}.` });
    }
  });
});

describe('a page', () => {
  it.each([
    ['of no entries', { maxResults: 0 }, '/v1/task-definitions?limit=0', 'maxResults', /between 1 and 100/],
    ['of too many', { maxResults: 101 }, '/v1/task-definitions?limit=101', 'maxResults', /between 1 and 100/],
    [
      'after a token that nobody gave',
      { nextToken: 'soon' },
      '/v1/task-definitions?nextToken=soon',
      'nextToken',
      /^Invalid token\./,
    ],
    ['of words', { maxResults: 'all' }, '/v1/task-definitions?limit=all', 'maxResults', /expected number/],
  ])('%s is refused', async (_, request, path, field, message) => {
    expect((await api.wire('ListTaskDefinitions', request)).body).toMatchObject({
      message: expect.stringMatching(message),
    });
    expect((await api.rest('GET', path)).body).toMatchObject({ field, detail: expect.stringMatching(message) });
  });
});
