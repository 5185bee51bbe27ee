import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keyRates } from '../../control/http/throttle.ts';
import { everyRight } from '../../core/model/rights.ts';
import { createApiHandler } from '../../lambdas/api/handler.ts';
import { type HttpAnswer, type HttpEvent, httpHandler } from '../../lambdas/http.ts';
import { createPollingFeed } from '../../lambdas/polling-feed.ts';
import { idOf, startWorld, type World } from '../control/support/world.ts';
import { iamCaller, restEvent, throughCloudFront, type WireOptions, wireEvent } from './support/events.ts';

let world: World;
let answer: (event: HttpEvent) => Promise<HttpAnswer>;
let credentials: WireOptions['credentials'];
/** Called when a request begins to wait. */
let onWait = (): void => {};

beforeAll(async () => {
  world = await startWorld({ store: 'dynamodb' });
  // What a function has in place of the feed of one process.
  const feed = createPollingFeed();
  const subscribe: typeof feed.subscribe = (...args) => {
    onWait();
    return feed.subscribe(...args);
  };
  answer = createApiHandler({ ...world.control.deps, feed: { ...feed, subscribe } });
  credentials = await world.control.accessKeys.create({
    arn: 'arn:aws:iam::000000000000:user/a',
    ...everyRight,
    actions: ['read'],
  });
  await world.register('web');
});
afterAll(() => world[Symbol.asyncDispose]());

const bodyOf = ({ body }: HttpAnswer) => JSON.parse(body);

describe('the wire endpoint', () => {
  const list = async (changes: Partial<WireOptions> = {}) =>
    answer(await wireEvent('ListClusters', { credentials, body: {}, now: world.now(), ...changes }));

  it.each([
    ['through CloudFront', throughCloudFront],
    ['at the gateway itself', (headers: Record<string, string>) => headers],
  ])('verifies what the client signed, %s', async (_, front) => {
    const listed = await list({ front });
    expect(listed).toMatchObject({ statusCode: 200, headers: { 'content-type': 'application/x-amz-json-1.1' } });
    expect(bodyOf(listed).clusterArns).toEqual(['arn:aws:ecs:us-east-1:000000000000:cluster/default']);
  });

  it.each([
    ['another host', { 'x-gantry-host': 'evil.example' }],
    ['another operation', { 'x-gantry-amz-target': 'AmazonEC2ContainerServiceV20141113.DeleteCluster' }],
  ])('refuses %s than the one that was signed', async (_, forged) => {
    const refused = await list({ front: (headers) => ({ ...throughCloudFront(headers), ...forged }) });
    expect(refused.statusCode).toBe(400);
    expect(bodyOf(refused).__type).toBe('InvalidSignatureException');
  });

  it('knows no principal of IAM: its route has no authorizer, so whoever claims one has made it up', async () => {
    const refused = await answer(restEvent({ method: 'POST', target: '/', iam: iamCaller }));
    expect(bodyOf(refused).__type).toBe('MissingAuthenticationTokenException');
  });

  it('holds a key to its actions', async () => {
    const refused = await answer(
      await wireEvent('CreateCluster', { credentials, body: { clusterName: 'other' }, now: world.now() }),
    );
    expect(bodyOf(refused).__type).toBe('AccessDeniedException');
  });
});

it('bounds a principal by the rates that it was given, as its environment writes them', async () => {
  const bounded = createApiHandler(world.control.deps, keyRates({ reads: '1/2', mutations: undefined }));
  const list = () => bounded(restEvent({ method: 'GET', target: '/v1/clusters', iam: iamCaller }));
  expect([await list(), await list(), await list()].map(({ statusCode }) => statusCode)).toEqual([200, 200, 429]);
  const other = { ...iamCaller, userArn: `${iamCaller.userArn}-2` };
  const another = await bounded(restEvent({ method: 'GET', target: '/v1/clusters', iam: other }));
  expect(another.statusCode).toBe(200);
});

describe('REST', () => {
  const rest = (method: string, target: string, body?: object) =>
    answer(restEvent({ method, target, iam: iamCaller, ...(body && { body: JSON.stringify(body) }) }));

  it('takes whom IAM has let through for the principal', async () => {
    const registered = await rest('POST', '/v1/task-definitions', {
      family: 'by-iam',
      containerDefinitions: [{ name: 'app', image: 'busybox', memory: 64 }],
    });
    expect(registered.statusCode).toBe(201);
    expect(bodyOf(registered).taskDefinition.registeredBy).toBe(iamCaller.userArn);
  });

  it('is answered under the id that the gateway logs, and written down as a call of IAM', async () => {
    const body = JSON.stringify({ clusterName: 'audited' });
    const event = restEvent({ method: 'POST', target: '/v1/clusters', iam: iamCaller, body });
    const { requestId } = event.requestContext;
    expect((await answer(event)).headers['x-amzn-requestid']).toBe(requestId);
    const { entries } = await world.call('ListAuditEntries', { operation: ['CreateCluster'] });
    expect(entries.find((entry) => entry.requestId === requestId)).toMatchObject({
      principalArn: iamCaller.userArn,
      accessKeyId: iamCaller.accessKey,
      sourceIp: '127.0.0.1',
      transport: 'rest',
      cluster: 'audited',
      outcome: 'ok',
    });
  });

  it('says whether it is ready, and has no metrics', async () => {
    const ready = await answer(restEvent({ method: 'GET', target: '/readyz' }));
    expect([ready.statusCode, bodyOf(ready)]).toEqual([
      200,
      { status: 'ready', checks: { running: { ok: true }, store: { ok: true } } },
    ]);
    expect((await answer(restEvent({ method: 'GET', target: '/metrics' }))).statusCode).toBe(404);
  });

  it('refuses a request that no authorizer has seen, a signed one of a Gantry key too', async () => {
    const refused = await answer(restEvent({ method: 'GET', target: '/v1/clusters' }));
    expect(refused.statusCode).toBe(401);
    expect(bodyOf(refused)).toMatchObject({ code: 'MissingAuthenticationTokenException' });
  });

  it.each(['/v1/clusters/mine/tasks/../../default/tasks', '/v1/clusters/mine\\..\\default/tasks', '/v1/./clusters'])(
    'serves no path but the one that IAM has decided on: %s',
    async (target) => {
      const event = restEvent({ method: 'GET', target: '/v1/clusters', iam: iamCaller });
      event.rawPath = target;
      event.requestContext.http.path = target;
      const refused = await answer(event);
      expect(refused.statusCode).toBe(403);
      expect(bodyOf(refused)).toMatchObject({
        code: 'AccessDeniedException',
        detail: expect.stringContaining(target),
      });
    },
  );

  it('finds a task by its ARN, which the gateway has taken apart', async () => {
    const { tasks } = await world.call('RunTask', { taskDefinition: 'web' });
    const arn = tasks[0]?.taskArn ?? '';
    const found = await rest('GET', `/v1/clusters/default/tasks/${encodeURIComponent(arn)}`);
    expect(bodyOf(found).task.taskArn).toBe(arn);
  });

  it('serves health and the OpenAPI document to everybody', async () => {
    expect(await answer(restEvent({ method: 'GET', target: '/healthz' }))).toMatchObject({ statusCode: 200 });
    expect(bodyOf(await answer(restEvent({ method: 'GET', target: '/openapi.json' }))).openapi).toBe('3.1.0');
  });

  it('serves no hosts: they have a function of their own', async () => {
    expect((await rest('POST', '/hosts/v1/register', {})).statusCode).toBe(404);
  });

  it('answers a long poll soon after the change, though nobody tells it of one', async () => {
    const { tasks } = await world.call('RunTask', { taskDefinition: 'web' });
    const id = idOf(tasks[0]?.taskArn);
    const waits = new Promise<void>((resolve) => (onWait = resolve));
    const waiting = rest('GET', `/v1/clusters/default/tasks/${id}?wait=stopped&timeout=20`);
    await waits;
    await world.call('StopTask', { task: id });
    const before = performance.now();
    expect(bodyOf(await waiting)).toMatchObject({ reached: 'yes', task: { lastStatus: 'STOPPED' } });
    expect(performance.now() - before).toBeLessThan(5000);
  });

  it('refuses streams and says what to do instead; of a task that has stopped it answers the lines that it keeps', async () => {
    const host = await world.host({ name: 'logs' });
    const { tasks } = await world.call('RunTask', { taskDefinition: 'web' });
    const path = `/v1/clusters/default/tasks/${idOf(tasks[0]?.taskArn)}`;
    const watch = await rest('GET', `${path}/watch`);
    expect(watch.statusCode).toBe(501);
    expect(bodyOf(watch)).toMatchObject({
      code: 'UnsupportedFeatureException',
      hint: expect.stringContaining('wait=changed'),
    });
    expect((await rest('GET', `${path}/logs`)).statusCode).toBe(501);
    await host.obey();
    host.end(idOf(tasks[0]?.taskArn));
    await host.report();
    expect(await rest('GET', `${path}/logs`)).toMatchObject({ statusCode: 200, body: '' });
  });
});

describe('an answer that Lambda would not pass on', () => {
  it('becomes an error that says so', async () => {
    const app = new Hono().get('/large', (c) => c.text('"'.repeat(3_500_000)));
    const handler = httpHandler(app, (_, { code }) => new Response(code, { status: 429 }));
    expect(await handler(restEvent({ method: 'GET', target: '/large' }))).toMatchObject({
      statusCode: 429,
      body: 'LimitExceededException',
    });
  });
});
