/** The audit log: what is written down of calls that change something, on both transports, and who may read it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuditEntryView } from '../../core/api/audit.ts';
import { isMutating } from '../../core/api/operation.ts';
import { operations } from '../../core/api/operations.ts';
import { type Answer, type ApiServer, startApi } from '../support/api-server.ts';

let api: ApiServer;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api[Symbol.asyncDispose]());

interface Page {
  readonly entries: AuditEntryView[];
  readonly nextToken?: string;
}

async function entries(query = ''): Promise<AuditEntryView[]> {
  const { status, body } = await api.rest('GET', `/v1/audit${query}`);
  expect(status).toBe(200);
  return (body as Page).entries;
}

/** What is written down of the call that was answered so. */
async function entryOf({ headers }: Answer): Promise<AuditEntryView | undefined> {
  const requestId = headers.get('x-amzn-requestid');
  return (await entries()).find((entry) => entry.requestId === requestId);
}

const secret = 'hunter2-is-nobodys-business';
const definition = {
  family: 'job',
  taskRoleArn: 'arn:aws:iam::000000000000:role/job',
  tags: [{ key: 'team', value: secret }],
  containerDefinitions: [
    { name: 'app', image: 'busybox', memory: 64, command: [secret], environment: [{ name: 'TOKEN', value: secret }] },
  ],
};

/** Every item that the log has, as it is stored. */
async function stored(): Promise<string> {
  const { table } = api.control.deps;
  const pages = await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map((shard) => table.query(`audit#${shard}`)));
  return JSON.stringify(pages.map(({ items }) => items));
}

describe('a call that changes something', () => {
  it('is written down: who, what, from where, and what it made', async () => {
    const answer = await api.wire('RegisterTaskDefinition', definition, { 'user-agent': 'tool/1.0' });
    expect(answer.status).toBe(200);
    const entry = await entryOf(answer);
    expect(entry).toMatchObject({
      operation: 'RegisterTaskDefinition',
      transport: 'ecs',
      principalArn: expect.stringContaining(':user/test-'),
      accessKeyId: api.credentials.accessKeyId,
      sourceIp: expect.stringMatching(/127\.0\.0\.1$/),
      userAgent: 'tool/1.0',
      resources: ['job'],
      made: ['job:1'],
      outcome: 'ok',
    });
    expect(entry?.parameters).toEqual({
      taskRoleArn: 'arn:aws:iam::000000000000:role/job',
      tags: ['team'],
      containerDefinitions: ['app'],
    });
    expect(Math.abs(Date.parse(String(entry?.time)) - Date.now())).toBeLessThan(60_000);
  });

  it('is of a cluster, and holds nothing of what its tasks are told', async () => {
    const overrides = {
      containerOverrides: [{ name: 'app', command: [secret], environment: [{ name: 'TOKEN', value: secret }] }],
    };
    const answer = await api.rest('POST', '/v1/clusters/default/tasks', {
      taskDefinition: 'job',
      count: 12,
      startedBy: 'nightly',
      overrides,
    });
    expect(answer).toMatchObject({ status: 201, body: { failures: [] } });
    const made = (answer.body as { tasks: { taskArn: string }[] }).tasks.map(({ taskArn }) =>
      taskArn.split('/').at(-1),
    );
    const entry = await entryOf(answer);
    expect(entry).toMatchObject({
      operation: 'RunTask',
      transport: 'rest',
      cluster: 'default',
      resources: ['job'],
      parameters: { count: 12, startedBy: 'nightly' },
      withheld: ['overrides'],
      made: made.slice(0, 10),
    });
    // Of a transaction in DynamoDB that is two write units.
    expect(JSON.stringify(entry).length).toBeLessThan(1024);
    expect(await stored()).not.toContain(secret);
  });

  it('is written down where there was nothing left to change', async () => {
    const [run] = await entries('?operation=RunTask');
    const task = run?.made?.[0];
    for (const reason of ['first', 'second']) {
      const entry = await entryOf(await api.wire('StopTask', { task, reason }));
      expect(entry).toMatchObject({ operation: 'StopTask', parameters: { reason }, resources: [task], outcome: 'ok' });
      expect(entry).not.toHaveProperty('made');
    }
  });
});

describe('a call that is refused', () => {
  it('is written down with the error that its caller got', async () => {
    const reader = await api.keyFor(['read']);
    const answer = await api.as(reader).wire('StopTask', { task: 'a'.repeat(32) });
    expect(await entryOf(answer)).toMatchObject({
      operation: 'StopTask',
      accessKeyId: reader.accessKeyId,
      resources: ['a'.repeat(32)],
      outcome: 'error',
      error: { code: 'AccessDeniedException', message: expect.stringContaining('is not allowed to run') },
    });
    expect(answer.body).toMatchObject({ __type: 'AccessDeniedException' });
  });

  it.each([
    ['input of the wrong form', () => api.wire('RunTask', { taskDefinition: 'job', count: 'many' }), 'RunTask'],
    ['no JSON', () => api.wire('CreateCluster', '{"clusterName": "x'), 'CreateCluster'],
    [
      'a member that there is not',
      () => api.rest('POST', '/v1/clusters', { name: 'x', colour: 'red' }),
      'CreateCluster',
    ],
    ['a name that nothing has', () => api.wire('RunTask', { taskDefinition: 'nothing' }), 'RunTask'],
  ])('for %s is written down', async (_, call, operation) => {
    const answer = await call();
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(await entryOf(answer)).toMatchObject({ operation, outcome: 'error' });
  });

  it('is nothing to the log where nobody was recognised', async () => {
    const before = await entries();
    const { credentials } = api;
    const stranger = api.as({ ...credentials, secretAccessKey: 'x'.repeat(40) });
    expect((await stranger.wire('CreateCluster', { clusterName: 'theirs' })).status).toBe(400);
    expect(await entries()).toEqual(before);
  });
});

describe('the list', () => {
  it('has no reads', async () => {
    const before = await entries();
    for (const operation of ['ListClusters', 'DescribeClusters', 'ListTasks']) await api.wire(operation, {});
    await api.rest('POST', '/v1/clusters/default/plan', { taskDefinition: 'job' });
    expect(await entries()).toEqual(before);
    const named = Object.values(operations).filter(isMutating);
    expect(named.map(({ name }) => name).filter((name) => /^(List|Get|Describe|Plan)/.test(name))).toEqual([]);
    expect(named.length).toBeGreaterThan(25);
  });

  it('is the newest first, and filtered', async () => {
    const all = await entries();
    expect(all.map(({ id }) => id)).toEqual(
      all
        .map(({ id }) => id)
        .toSorted()
        .toReversed(),
    );
    const { accessKeyId } = api.credentials;
    for (const [query, holds] of [
      [`?principal=${accessKeyId}`, (entry: AuditEntryView) => entry.accessKeyId === accessKeyId],
      ['?principal=test-read', (entry: AuditEntryView) => entry.principalArn.endsWith('/test-read')],
      ['?outcome=error', (entry: AuditEntryView) => entry.error !== undefined],
      ['?operation=RunTask&operation=StopTask', ({ operation }: AuditEntryView) => /^(Run|Stop)Task$/.test(operation)],
      ['?cluster=default', ({ cluster }: AuditEntryView) => cluster === 'default'],
    ] as const) {
      const found = await entries(query);
      expect(found.length, query).toBeGreaterThan(0);
      expect(found.length, query).toBeLessThan(all.length);
      expect(found, query).toEqual(all.filter(holds));
    }
    const middle = String(all[3]?.time);
    const isSince = ({ time }: AuditEntryView): boolean => String(time) >= middle;
    expect(await entries(`?since=${middle}`)).toEqual(all.filter(isSince));
    expect(await entries(`?until=${middle}`)).toEqual(all.filter((entry) => !isSince(entry)));
  });

  it('comes in pages with nothing twice and nothing left out', async () => {
    const all = await entries();
    const seen: AuditEntryView[] = [];
    let query: string | undefined = '?limit=3';
    while (query !== undefined) {
      const page = (await api.rest('GET', `/v1/audit${query}`)).body as Page;
      seen.push(...page.entries);
      query = page.nextToken && `?limit=3&nextToken=${page.nextToken}`;
    }
    expect(seen).toEqual(all);
  });

  it('is for who administers all clusters', async () => {
    for (const key of [await api.keyFor(['read', 'run', 'register']), await api.keyFor(['administer'], ['default'])])
      expect((await api.as(key).rest('GET', '/v1/audit')).status).toBe(403);
    expect((await api.as(await api.keyFor(['administer'])).rest('GET', '/v1/audit')).status).toBe(200);
  });
});
