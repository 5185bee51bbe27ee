/** `gantry/client` as a program uses it, before a real control plane and before one that fails. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClient, type GantryClient, GantryError, verifyWebhook } from '../../client/index.ts';
import { examples } from '../../core/api/examples/index.ts';
import { operations } from '../../core/api/operations.ts';
import { startReceiver } from '../control/support/receiver.ts';
import { startWorld } from '../control/support/world.ts';
import { type ApiServer, startApi } from '../support/api-server.ts';

let api: ApiServer;
let client: GantryClient;
beforeAll(async () => {
  api = await startApi();
  client = createClient(api);
  await client.registerTaskDefinition({
    family: 'job',
    containerDefinitions: [{ name: 'app', image: 'busybox', memory: 64 }],
  });
});
afterAll(() => api[Symbol.asyncDispose]());

describe('the client', () => {
  it('has a method for every operation, and what is followed', () => {
    const names = [...Object.keys(operations), 'WatchTask', 'WaitForTask', 'Logs', 'Events', 'Call'];
    for (const name of names)
      expect(client).toHaveProperty(name.charAt(0).toLowerCase() + name.slice(1), expect.any(Function));
  });

  it('is named and signs by the environment', async () => {
    const { accessKeyId, secretAccessKey } = api.credentials;
    const env = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
    for (const name of ['GANTRY_ENDPOINT', 'AWS_ENDPOINT_URL_ECS'])
      expect(await createClient({ env: { ...env, [name]: api.endpoint } }).listClusters()).toEqual({
        clusterArns: ['arn:aws:ecs:us-east-1:000000000000:cluster/default'],
      });
    expect(() => createClient({ env })).toThrow(expect.objectContaining({ field: 'endpoint' }));
    expect(() => createClient({ env, endpoint: 'nowhere' })).toThrow('nowhere is no URL of a control plane.');
  });

  it('throws what was answered, with the field, what to do, and the request', async () => {
    const error = await client.getTask({ task: '0'.repeat(32) }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(GantryError);
    expect(error).toMatchObject({
      code: 'ResourceNotFoundException',
      field: 'task',
      hint: 'Stopped tasks are forgotten after 7 days.',
      requestId: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
  });

  it('asks for page after page', async () => {
    for (let made = 0; made < 5; made += 1) await client.createCluster({ clusterName: `page-${made}` });
    const pages: number[] = [];
    for await (const { clusterArns } of client.pages.listClusters({ maxResults: 4 })) pages.push(clusterArns.length);
    expect(pages).toEqual([4, 2]);
  });

  it('runs a task, waits for it, watches it to its end and hears of it', async () => {
    const host = await api.host({ name: 'hands' });
    const stop = new AbortController();
    const events = client.events({ kind: ['task'] }, { signal: stop.signal });
    const first = events.next();
    const { tasks } = await client.runTask({ taskDefinition: 'job', launchType: 'EC2' });
    const task = tasks[0]?.taskArn ?? '';
    expect((await first).value).toMatchObject({ kind: 'task', resources: [task] });
    const running = client.waitForTask({ task, until: 'running' });
    await host.obey();
    expect((await running).lastStatus).toBe('RUNNING');
    const seen: string[] = [];
    const watched = (async () => {
      for await (const line of client.watchTask({ task })) if (line.kind === 'task') seen.push(line.task.lastStatus);
    })();
    host.end(task.split('/').at(-1) ?? '', 0);
    await host.report();
    await watched;
    expect(seen.at(-1)).toBe('STOPPED');
    expect((await client.waitForTask({ task, until: 'running' })).lastStatus).toBe('STOPPED');
    stop.abort();
    const rest = (async () => {
      for await (const _ of events);
    })();
    await expect(rest).rejects.toThrow();
  });
});

/** Answers as it is told, one reply after the other, and keeps what it was asked. */
async function fake(...replies: readonly { readonly status: number; readonly body: object }[]) {
  const asked: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    const { status, body } = replies[Math.min(asked.length, replies.length - 1)] ?? { status: 500, body: {} };
    asked.push(request);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const endpoint = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  const dispose = () => {
    server.close();
    server.closeAllConnections();
  };
  return { endpoint, asked, [Symbol.dispose]: dispose };
}

describe('a call that fails', () => {
  const away = { status: 503, body: { code: 'ServiceUnavailableException', detail: 'away' } };

  it('for a reason that passes is made again, as the same call', async () => {
    using server = await fake(away, away, { status: 200, body: { clusterArns: [] } });
    expect(await createClient({ endpoint: server.endpoint, env: {} }).listClusters()).toEqual({ clusterArns: [] });
    const ids = server.asked.map(({ headers }) => headers['amz-sdk-invocation-id']);
    expect(ids).toHaveLength(3);
    expect(new Set(ids).size).toBe(1);
    expect(ids[0]).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('is given up after so many attempts, and at once where it would fail again', async () => {
    using server = await fake(away);
    const few = createClient({ endpoint: server.endpoint, env: {}, maxAttempts: 2 });
    await expect(few.listClusters()).rejects.toMatchObject({ code: 'ServiceUnavailableException' });
    expect(server.asked).toHaveLength(2);
    using other = await fake({ status: 404, body: { code: 'ClusterNotFoundException', detail: 'none' } });
    await expect(createClient({ endpoint: other.endpoint, env: {} }).listTasks()).rejects.toMatchObject({
      code: 'ClusterNotFoundException',
    });
    expect(other.asked).toHaveLength(1);
  });
});

describe('a webhook', () => {
  it('is read by whoever has its secret, and by nobody else', async () => {
    await using receiver = await startReceiver();
    await using world = await startWorld({ settings: { webhookAddresses: 'private' } });
    const { secret, webhook } = await world.call('CreateWebhook', { url: receiver.url });
    // The world's clock is far from that of the receiver.
    world.advance((Date.now() - world.now()) / 1000);
    await world.call('TestWebhook', { webhook: webhook.webhookId });
    const { headers, body } = receiver.received[0] ?? { headers: {}, body: '' };
    expect(verifyWebhook({ secret, headers, body })).toMatchObject({
      type: 'test',
      timestamp: expect.any(Date),
      data: { webhookId: webhook.webhookId, events: [] },
    });
    expect(() => verifyWebhook({ secret, headers, body: `${body} ` })).toThrow('The signature is not');
    expect(() => verifyWebhook({ secret: 'whsec_AAAA', headers, body })).toThrow('The signature is not');
    expect(() => verifyWebhook({ secret, headers: {}, body })).toThrow('no header webhook-id');
    expect(() => verifyWebhook({ secret, headers: { ...headers, 'webhook-timestamp': '1' }, body })).toThrow('too old');
  });
});

it('takes the inputs of the documentation', () => {
  for (const { operation, input } of examples) {
    if (!(operation in operations)) continue;
    const { success, error } = operations[operation as 'RunTask'].input.safeParse(input);
    expect(success, `${operation}: ${error?.message ?? ''}`).toBe(true);
  }
});
