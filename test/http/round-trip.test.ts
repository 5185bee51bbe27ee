/** What goes in comes out: defaults filled in as ECS does it, times in each transport's form, pages without a gap. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  DescribeTaskDefinitionCommand,
  DescribeTasksCommand,
  paginateListTaskDefinitions,
  RegisterTaskDefinitionCommand,
  RunTaskCommand,
  waitUntilTasksRunning,
} from '@aws-sdk/client-ecs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiServer, startApi } from '../support/api-server.ts';

let api: ApiServer;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api[Symbol.asyncDispose]());

const arn = (resource: string) => `arn:aws:ecs:us-east-1:000000000000:${resource}`;
const container = { name: 'app', image: 'busybox', memory: 64 };
const register = async (family: string, members: object = {}) => {
  const answer = await api.rest('POST', '/v1/task-definitions', {
    family,
    containerDefinitions: [container],
    ...members,
  });
  expect(answer.status).toBe(201);
};

describe('a task definition', () => {
  it('is answered with what nobody wrote filled in, and described alike', async () => {
    const before = Date.now();
    const tags = [{ key: 'team', value: 'a' }];
    const { taskDefinition, tags: registeredTags } = await api.ecs().send(
      new RegisterTaskDefinitionCommand({
        family: 'filled',
        containerDefinitions: [{ ...container, portMappings: [{ containerPort: 80 }] }],
        tags,
      }),
    );
    expect(registeredTags).toEqual(tags);
    expect(taskDefinition).toEqual({
      taskDefinitionArn: arn('task-definition/filled:1'),
      family: 'filled',
      revision: 1,
      status: 'ACTIVE',
      networkMode: 'bridge',
      containerDefinitions: [
        {
          ...container,
          cpu: 0,
          essential: true,
          environment: [],
          mountPoints: [],
          portMappings: [{ containerPort: 80, hostPort: 0, protocol: 'tcp' }],
          systemControls: [],
          volumesFrom: [],
        },
      ],
      compatibilities: ['EXTERNAL', 'EC2'],
      placementConstraints: [],
      requiresAttributes: [],
      volumes: [],
      registeredAt: expect.any(Date),
      registeredBy: expect.stringMatching(/^arn:aws:iam::000000000000:user\//),
    });
    expect(taskDefinition?.registeredAt?.getTime()).toBeGreaterThanOrEqual(before);
    const described = await api
      .ecs()
      .send(new DescribeTaskDefinitionCommand({ taskDefinition: 'filled', include: ['TAGS'] }));
    expect(described).toMatchObject({ taskDefinition, tags });
  });

  it('registers again as the revision that it is', async () => {
    await register('again', { cpu: '1 vCPU', memory: '1GB' });
    const { taskDefinition: first } = await api
      .ecs()
      .send(new DescribeTaskDefinitionCommand({ taskDefinition: 'again' }));
    if (first === undefined) throw new Error('no task definition was answered');
    const { family, containerDefinitions } = first;
    const { taskDefinition: second } = await api
      .ecs()
      .send(new RegisterTaskDefinitionCommand({ ...first, family, containerDefinitions }));
    expect(second).toEqual({
      ...first,
      revision: 2,
      taskDefinitionArn: arn('task-definition/again:2'),
      registeredAt: expect.any(Date),
    });
  });

  it('has warnings of what was only recorded, which are ours', async () => {
    const request = { family: 'warned', containerDefinitions: [container], taskRoleArn: 'app' };
    const { body } = await api.rest('POST', '/v1/task-definitions', request);
    expect(body).toMatchObject({ warnings: [expect.stringMatching(/^taskRoleArn: recorded only\. /)] });
  });
});

describe('times', () => {
  it('are seconds on the wire and RFC 3339 on REST, of the same instant', async () => {
    await register('timed');
    const wire = Object((await api.wire('DescribeTaskDefinition', { taskDefinition: 'timed' })).body);
    const rest = Object((await api.rest('GET', '/v1/task-definitions/timed')).body);
    const { registeredAt } = wire.taskDefinition;
    expect(registeredAt).toBeTypeOf('number');
    expect(rest.taskDefinition.registeredAt).toBe(new Date(Math.round(registeredAt * 1000)).toISOString());
    expect(Math.abs(registeredAt * 1000 - Date.now())).toBeLessThan(60_000);
  });
});

describe('pages', () => {
  const families = ['page-a', 'page-b', 'page-c'];
  const expected = families.flatMap((family) => [1, 2].map((revision) => arn(`task-definition/${family}:${revision}`)));
  beforeAll(async () => {
    for (const family of [...families, ...families]) await register(family);
  });

  it.each([
    ['ASC', expected],
    ['DESC', expected.toReversed()],
  ] as const)('follow each other without gap or double in AWS paginator, %s', async (sort, order) => {
    const pages: string[][] = [];
    for await (const page of paginateListTaskDefinitions({ client: api.ecs(), pageSize: 2 }, { sort }))
      pages.push(page.taskDefinitionArns ?? []);
    expect(pages.every((page) => page.length <= 2)).toBe(true);
    expect(pages.flat().filter((each) => each.includes('/page-'))).toEqual(order);
  });

  it('are of one family where it is named, with `limit` on REST', async () => {
    const { body: first } = await api.rest('GET', '/v1/task-definitions?familyPrefix=page-b&limit=1');
    expect(first).toEqual({ taskDefinitionArns: [arn('task-definition/page-b:1')], nextToken: expect.any(String) });
    const token = encodeURIComponent(Object(first).nextToken);
    const { body: second } = await api.rest(
      'GET',
      `/v1/task-definitions?familyPrefix=page-b&limit=1&nextToken=${token}`,
    );
    expect(second).toMatchObject({ taskDefinitionArns: [arn('task-definition/page-b:2')] });
  });
});

describe('a task', () => {
  it('is placed, seen running by the waiter of AWS and answered alike on both transports', async () => {
    await register('run', { tags: [{ key: 'team', value: 'a' }] });
    const host = await api.host();
    const { tasks = [], failures } = await api
      .ecs()
      .send(
        new RunTaskCommand({ taskDefinition: 'run', propagateTags: 'TASK_DEFINITION', enableECSManagedTags: true }),
      );
    expect(failures).toEqual([]);
    const [task] = tasks;
    expect(task).toMatchObject({
      clusterArn: arn('cluster/default'),
      taskDefinitionArn: arn('task-definition/run:1'),
      group: 'family:run',
      lastStatus: 'PENDING',
      desiredStatus: 'RUNNING',
      launchType: 'EC2',
      overrides: { containerOverrides: [{ name: 'app' }], inferenceAcceleratorOverrides: [] },
      version: 1,
    });
    const taskArn = task?.taskArn ?? '';
    await host.obey();
    await waitUntilTasksRunning({ client: api.ecs(), maxWaitTime: 20 }, { tasks: [taskArn] });
    const described = await api.ecs().send(new DescribeTasksCommand({ tasks: [taskArn], include: ['TAGS'] }));
    expect(described.tasks?.[0]?.tags).toEqual([
      { key: 'team', value: 'a' },
      { key: 'aws:ecs:clusterName', value: 'default' },
    ]);
    const { body } = await api.rest('GET', `/v1/clusters/default/tasks/${encodeURIComponent(taskArn)}?wait=running`);
    expect(body).toMatchObject({
      reached: 'yes',
      task: { taskArn, lastStatus: 'RUNNING', startedAt: described.tasks?.[0]?.startedAt?.toISOString() },
    });
  });

  it('has its overrides on it, and warnings of those that were only recorded', async () => {
    await register('override');
    await api.host({ name: 'host-2' });
    const overrides = {
      taskRoleArn: 'app',
      containerOverrides: [{ name: 'app', command: ['ls'], environment: [{ name: 'A', value: '' }], memory: 80 }],
    };
    const { status, body } = await api.rest('POST', '/v1/clusters/default/tasks', {
      taskDefinition: 'override',
      overrides,
    });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      tasks: [{ overrides }],
      warnings: [expect.stringMatching(/^overrides\.taskRoleArn: recorded only\. /)],
    });
  });
});

describe('the document of the API', () => {
  it('is served without a signature, as it is checked in', async () => {
    const response = await fetch(`${api.endpoint}/openapi.json`);
    expect(response.headers.get('content-type')).toContain('application/json');
    const checkedIn = readFileSync(fileURLToPath(new URL('../../docs/openapi.json', import.meta.url)), 'utf8');
    expect(await response.json()).toEqual(JSON.parse(checkedIn));
  });

  it('has the health of the server beside it', async () => {
    expect(await (await fetch(`${api.endpoint}/healthz`)).json()).toEqual({ status: 'ok' });
  });
});
