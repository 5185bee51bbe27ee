/** What both transports answer to what is wrong: AWS' error and ours, each naming what is at fault, and nothing half-written. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { maxBodyBytes } from '../../control/http/request.ts';
import { type ApiServer, startApi } from '../support/api-server.ts';

let api: ApiServer;
beforeAll(async () => {
  api = await startApi();
  expect((await api.wire('RegisterTaskDefinition', definition())).status).toBe(200);
});
afterAll(async () => {
  // Whatever was refused has left nothing.
  const { body } = await api.wire('ListTaskDefinitions', {});
  expect(body).toEqual({ taskDefinitionArns: ['arn:aws:ecs:us-east-1:000000000000:task-definition/known:1'] });
  expect((await api.wire('ListTasks', {})).body).toEqual({ taskArns: [] });
  await api[Symbol.asyncDispose]();
});

const definition = (container: object = {}, task: object = {}) => ({
  family: 'known',
  containerDefinitions: [{ name: 'app', image: 'busybox', memory: 64, ...container }],
  ...task,
});

/** An operation on both transports. */
const routes = {
  RegisterTaskDefinition: ['POST', '/v1/task-definitions'],
  RunTask: ['POST', '/v1/clusters/default/tasks'],
  CreateCluster: ['POST', '/v1/clusters'],
} as const;

type Row = readonly [
  what: string,
  operation: keyof typeof routes,
  body: unknown,
  code: string,
  restStatus: number,
  field: string | undefined,
  message: RegExp,
];

const outOfRange = ['SerializationException', 400, undefined, /a number that is out of range/] as const;

describe.each<Row>([
  [
    'JSON that ends early',
    'RunTask',
    '{"taskDefinition": ',
    'SerializationException',
    400,
    undefined,
    /must be a JSON object: /,
  ],
  ['a list', 'RunTask', '[]', 'SerializationException', 400, undefined, /must be a JSON object: it is a list\./],
  ['null', 'RunTask', 'null', 'SerializationException', 400, undefined, /must be a JSON object: it is null\./],
  ['a number', 'RunTask', '7', 'SerializationException', 400, undefined, /must be a JSON object: it is a number\./],
  [
    'bytes that are no UTF-8',
    'RunTask',
    Buffer.from('{"taskDefinition": "\xff"}', 'latin1'),
    'SerializationException',
    400,
    undefined,
    /must be a JSON object: .*encod/,
  ],
  [
    'no body where members are needed',
    'RunTask',
    '',
    'InvalidParameterException',
    400,
    'taskDefinition',
    /^taskDefinition is missing\./,
  ],
  [
    'null for a member that is needed',
    'RunTask',
    { taskDefinition: null },
    'InvalidParameterException',
    400,
    'taskDefinition',
    /^taskDefinition is missing\./,
  ],
  [
    'a number for a text',
    'RunTask',
    { taskDefinition: 7 },
    'SerializationException',
    400,
    'taskDefinition',
    /^taskDefinition: expected string, received number\./,
  ],
  [
    'a text for a number',
    'RunTask',
    { taskDefinition: 'known', count: '2' },
    'SerializationException',
    400,
    'count',
    /^count: expected number, received string\./,
  ],
  [
    'a fraction for a whole number',
    'RunTask',
    { taskDefinition: 'known', count: 1.5 },
    'SerializationException',
    400,
    'count',
    /^count: expected int/,
  ],
  [
    'a number out of range',
    'RunTask',
    { taskDefinition: 'known', count: 0 },
    'InvalidParameterException',
    400,
    'count',
    /^count must be between 1 and/,
  ],
  [
    'a revision that is not there',
    'RunTask',
    { taskDefinition: 'unknown' },
    'ClientException',
    422,
    'taskDefinition',
    /^TaskDefinition not found\./,
  ],
  [
    'a text for a list',
    'RegisterTaskDefinition',
    { ...definition(), containerDefinitions: 'app' },
    'SerializationException',
    400,
    'containerDefinitions',
    /expected array/,
  ],
  [
    'null in a list',
    'RegisterTaskDefinition',
    definition({ command: ['ls', null] }),
    'SerializationException',
    400,
    'containerDefinitions[0].command[1]',
    /received null/,
  ],
  [
    'a text for a flag',
    'RegisterTaskDefinition',
    definition({ essential: 'yes' }),
    'SerializationException',
    400,
    'containerDefinitions[0].essential',
    /expected boolean/,
  ],
  [
    'a container without memory',
    'RegisterTaskDefinition',
    definition({ memory: null }),
    'ClientException',
    422,
    'containerDefinitions[0].memory',
    /^Invalid setting for container 'app'\. At least one of 'memory' or 'memoryReservation' must be specified\./,
  ],
  [
    'a member that is not supported yet',
    'RegisterTaskDefinition',
    definition({ secrets: [{ name: 'A', valueFrom: 'b' }] }),
    'ClientException',
    422,
    'containerDefinitions[0].secrets',
    /^containerDefinitions\[0\]\.secrets is not supported yet\./,
  ],
  [
    'Fargate',
    'RegisterTaskDefinition',
    definition({}, { requiresCompatibilities: ['FARGATE'] }),
    'PlatformTaskDefinitionIncompatibilityException',
    422,
    'requiresCompatibilities',
    /no Fargate/,
  ],
  [
    'Fargate at run time',
    'RunTask',
    { taskDefinition: 'known', launchType: 'FARGATE' },
    'PlatformTaskDefinitionIncompatibilityException',
    422,
    'launchType',
    /no Fargate/,
  ],
  [
    'a cluster of another name',
    'CreateCluster',
    { clusterName: 'a.b' },
    'InvalidParameterException',
    400,
    'clusterName',
    /clusterName must be/,
  ],
  [
    'lists within lists without end',
    'RunTask',
    `{"overrides":${'['.repeat(20_000)}${']'.repeat(20_000)}}`,
    'SerializationException',
    400,
    undefined,
    /nested more than 64 levels deep/,
  ],
  [
    'objects within objects without end',
    'RegisterTaskDefinition',
    `{"volumes":${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}}`,
    'SerializationException',
    400,
    undefined,
    /nested more than 64 levels deep/,
  ],
  ['a number beyond all', 'RunTask', '{"taskDefinition":"known","count":1e999}', ...outOfRange],
  ['a number next to nothing', 'RunTask', '{"taskDefinition":"known","count":5e-324}', ...outOfRange],
  [
    'a body that is too large',
    'RunTask',
    JSON.stringify({ taskDefinition: 'x'.repeat(maxBodyBytes) }),
    'RequestEntityTooLargeException',
    413,
    undefined,
    /larger than 1048576 bytes/,
  ],
])('%s', (_, operation, body, code, restStatus, field, message) => {
  it('on the ECS wire', async () => {
    const { status, headers, body: error } = await api.wire(operation, body);
    expect(error).toEqual({ __type: code, message: expect.stringMatching(message) });
    expect(status).toBe(code === 'RequestEntityTooLargeException' ? 413 : 400);
    expect(headers.get('content-type')).toBe('application/x-amz-json-1.1');
    expect(headers.get('x-amzn-errortype')).toBe(code);
    expect(headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f]{32}$/);
  });

  it('on REST', async () => {
    const [method, path] = routes[operation];
    const { status, headers, body: problem } = await api.rest(method, path, body);
    expect(problem).toMatchObject({ code, status: restStatus, detail: expect.stringMatching(message) });
    expect(Object(problem).field).toBe(field);
    expect(status).toBe(restStatus);
    expect(headers.get('content-type')).toBe('application/problem+json');
    expect(Object(problem).requestId).toBe(headers.get('x-amzn-requestid'));
  });
});

it('a body that is too large is refused without its length, before its end', async () => {
  const endless = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(65_536)) });
  const { status } = await fetch(api.endpoint, { method: 'POST', body: endless, duplex: 'half' });
  expect(status).toBe(413);
});
