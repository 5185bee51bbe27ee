/** The typed client against the real server: what it reads, what it throws, and what it follows. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, createClient, type WatchLine } from '../../client/client.ts';
import { type ApiServer, startApi } from '../support/api-server.ts';

let api: ApiServer;
let client: Client;
beforeAll(async () => {
  api = await startApi();
  client = createClient(api);
  await client.call('RegisterTaskDefinition', { family: 'job', containerDefinitions: [container] });
});
afterAll(() => api[Symbol.asyncDispose]());

const container = { name: 'app', image: 'busybox', memory: 64 };
const idOf = (arn: string | undefined): string => arn?.split('/').at(-1) ?? '';

describe('a call', () => {
  it('answers the types of the table, times as Dates', async () => {
    const { taskDefinition } = await client.call('DescribeTaskDefinition', { taskDefinition: 'job' });
    expect(taskDefinition.registeredAt).toBeInstanceOf(Date);
    expect(Math.abs(taskDefinition.registeredAt.getTime() - Date.now())).toBeLessThan(60_000);
  });

  it('carries lists, numbers and what needs quoting in path and query', async () => {
    const { taskDefinition } = await client.call('DescribeTaskDefinition', {
      taskDefinition: 'arn:aws:ecs:us-east-1:000000000000:task-definition/job:1',
      include: ['TAGS'],
    });
    expect(taskDefinition.revision).toBe(1);
    const page = await client.call('ListTaskDefinitions', { maxResults: 1, sort: 'DESC' });
    expect(page.taskDefinitionArns).toHaveLength(1);
  });

  it('takes the cluster default where none is named', async () => {
    const { tasks } = await client.call('GetTasks', { desiredStatus: 'STOPPED' });
    expect(tasks).toEqual([]);
  });

  it('throws what the control plane answered, as it threw it', async () => {
    const wrong = { ...container, secrets: [{ name: 'A', valueFrom: 'b' }] };
    await expect(
      client.call('RegisterTaskDefinition', { family: 'x', containerDefinitions: [wrong] }),
    ).rejects.toMatchObject({
      name: 'GantryError',
      code: 'ClientException',
      field: 'containerDefinitions[0].secrets',
      message: 'containerDefinitions[0].secrets is not supported yet.',
      hint: expect.stringContaining('environment'),
    });
  });

  it('throws what a repeated token made', async () => {
    const request = { taskDefinition: 'job', clientToken: 'once' };
    const { tasks } = await client.call('RunTask', request);
    await expect(client.call('RunTask', { ...request, count: 2 })).rejects.toMatchObject({
      code: 'ConflictException',
      resourceIds: tasks.map(({ taskArn }) => taskArn),
    });
  });

  it('says that its key is unknown', async () => {
    const credentials = { accessKeyId: 'GKIAUNKNOWN', secretAccessKey: 'x' };
    await expect(createClient({ ...api, credentials }).call('ListClusters', {})).rejects.toMatchObject({
      code: 'UnrecognizedClientException',
      hint: expect.stringContaining('GKIAUNKNOWN'),
    });
  });

  it('says that nobody is there', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const endpoint = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    server.close();
    await once(server, 'close');
    await expect(createClient({ ...api, endpoint }).call('ListClusters', {})).rejects.toMatchObject({
      code: 'ServiceUnavailableException',
      message: expect.stringMatching(
        /^The control plane at http:\/\/127\.0\.0\.1:\d+ cannot be reached: .*ECONNREFUSED/,
      ),
      hint: expect.stringContaining('gantry up'),
    });
  });

  it('says that somebody else is there', async () => {
    const server = createServer((_, response) => response.writeHead(404).end('<html>nothing</html>')).listen(
      0,
      '127.0.0.1',
    );
    await once(server, 'listening');
    const address = server.address();
    const endpoint = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    await expect(createClient({ ...api, endpoint }).call('ListClusters', {})).rejects.toMatchObject({
      code: 'ServerException',
      message: expect.stringContaining('answered 404: <html>nothing</html>'),
    });
    server.close();
    await once(server, 'close');
  });
});

describe('a task that is watched', () => {
  it('is told at each change until it has stopped', async () => {
    const host = await api.host({ name: 'watched' });
    const { tasks } = await client.call('RunTask', { taskDefinition: 'job', launchType: 'EC2' });
    const task = idOf(tasks[0]?.taskArn);
    const seen: string[] = [];
    const lines = client.watchTask({ cluster: 'default', task });
    const follow = async (until: string) => {
      while (seen.at(-1) !== until) {
        const { value, done } = await lines.next();
        if (done === true) throw new Error(`the stream ended after ${seen.join(', ')}`);
        if (isTask(value)) seen.push(value.task.lastStatus);
      }
    };
    await follow('PENDING');
    await host.obey();
    await follow('RUNNING');
    host.end(task, 3);
    await host.report();
    await follow('STOPPED');
    expect((await lines.next()).done).toBe(true);
    expect(seen[0]).toBe('PENDING');
    expect(seen.at(-1)).toBe('STOPPED');
  });

  it('is an error where there is no such task', async () => {
    const lines = client.watchTask({ cluster: 'default', task: '0'.repeat(32) });
    await expect(lines.next()).rejects.toMatchObject({ name: 'GantryError', code: 'ResourceNotFoundException' });
  });

  it('is left alone when the reader goes', async () => {
    const { tasks } = await client.call('RunTask', { taskDefinition: 'job' });
    const reader = new AbortController();
    const lines = client.watchTask({ cluster: 'default', task: idOf(tasks[0]?.taskArn) }, reader.signal);
    expect((await lines.next()).value).toMatchObject({ kind: 'task' });
    reader.abort();
    await expect(lines.next()).rejects.toThrow(/abort/i);
  });
});

const isTask = (line: WatchLine): line is Extract<WatchLine, { kind: 'task' }> => line.kind === 'task';
