/** Who asks too often is told so on both transports, as AWS tells it; nobody else notices. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Credentials } from '../../client/signer.ts';
import { createThrottle, rateTextSchema } from '../../control/http/throttle.ts';
import { createTokenBuckets } from '../../control/http/token-buckets.ts';
import { type ApiServer, startApi } from '../support/api-server.ts';

describe('token buckets', () => {
  const rate = { perSecond: 10, burst: 3 };
  const takeAll = (take: () => boolean): number => {
    let taken = 0;
    while (taken < 100 && take()) taken += 1;
    return taken;
  };

  it('hold a burst, and fill at their rate, never beyond', () => {
    const buckets = createTokenBuckets(rate);
    expect(takeAll(() => buckets.take('a', 0))).toBe(3);
    expect([buckets.take('a', 99), buckets.take('a', 100), buckets.take('a', 100)]).toEqual([false, true, false]);
    expect(takeAll(() => buckets.take('a', 60_000))).toBe(3);
  });

  it('are of one key each, and looking at one takes nothing', () => {
    const buckets = createTokenBuckets(rate);
    expect(takeAll(() => buckets.take('a', 0))).toBe(3);
    expect([buckets.isEmpty('a', 0), buckets.isEmpty('b', 0), buckets.isEmpty('b', 0)]).toEqual([true, false, false]);
    expect(takeAll(() => buckets.take('b', 0))).toBe(3);
  });

  it('neither fill nor empty by a clock that is set back', () => {
    const buckets = createTokenBuckets(rate);
    buckets.take('a', 10_000);
    expect(takeAll(() => buckets.take('a', 0))).toBe(2);
  });

  it('are forgotten beyond their number, the one that was untouched for longest first', () => {
    const buckets = createTokenBuckets({ perSecond: 1, burst: 1 }, 2);
    for (const key of ['a', 'b', 'a', 'c']) buckets.take(key, 0);
    expect([buckets.isEmpty('a', 0), buckets.isEmpty('b', 0), buckets.isEmpty('c', 0)]).toEqual([true, false, true]);
  });
});

it.each(['', '5', '5/', '0/5', '5/0', '-1/5', '1.5/2', '1/2/3', '1000000/1'])(
  "'%s' is no rate, and it is said how one looks",
  (text) => {
    expect(rateTextSchema.safeParse(text).error?.issues[0]?.message).toBe(
      'must be calls a second and at once, for example 2000/4000',
    );
  },
);

let now = 0;
/** Of whoever asks, as a server knows it. */
let address: string | undefined;
let api: ApiServer;
let key: Credentials;

beforeAll(async () => {
  const rates = {
    reads: { perSecond: 2, burst: 3 },
    mutations: { perSecond: 1, burst: 2 },
    strangers: { perSecond: 1, burst: 2 },
  };
  api = await startApi({ throttle: createThrottle({ rates, now: () => now, addressOf: () => address }) });
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(async () => {
  now += 60_000;
  address = undefined;
  key = await api.keyFor(['read', 'run', 'register', 'administer']);
});

/** What became of as many calls, one after the other. */
async function statuses(count: number, call: () => Promise<{ status: number }>): Promise<number[]> {
  const seen: number[] = [];
  for (let index = 0; index < count; index += 1) seen.push((await call()).status);
  return seen;
}

const list = (who: Credentials = key) => api.as(who).wire('ListClusters', {});
const create = (who: Credentials = key) => api.as(who).wire('CreateCluster', { clusterName: 'made' });

it('is told on the ECS wire as AWS tells it, and when to ask again', async () => {
  expect(await statuses(3, list)).toEqual([200, 200, 200]);
  const { status, headers, body } = await list();
  expect([status, headers.get('x-amzn-errortype'), headers.get('retry-after')]).toEqual([
    400,
    'ThrottlingException',
    '1',
  ]);
  expect(body).toEqual({
    __type: 'ThrottlingException',
    message: expect.stringMatching(/^Rate exceeded .* 2 reads a/),
  });
  now += 1000;
  expect(await statuses(3, list)).toEqual([200, 200, 400]);
});

it('is told on REST with 429', async () => {
  const listed = () => api.as(key).rest('GET', '/v1/clusters');
  expect(await statuses(3, listed)).toEqual([200, 200, 200]);
  const { status, headers, body } = await listed();
  expect([status, headers.get('retry-after')]).toEqual([429, '1']);
  expect(body).toMatchObject({ code: 'ThrottlingException', detail: 'Rate exceeded', status: 429 });
});

it('is counted for both transports together, streams too', async () => {
  const watched = () => api.as(key).rest('GET', '/v1/clusters/default/tasks/none/watch');
  expect(await statuses(1, list)).toEqual([200]);
  expect(await statuses(1, () => api.as(key).rest('POST', '/v1/describe-clusters', {}))).toEqual([200]);
  expect(await statuses(2, watched)).toEqual([404, 429]);
});

it('is counted for each key, for reads and for what changes something', async () => {
  const other = await api.keyFor(['read', 'administer']);
  expect(await statuses(3, create)).toEqual([200, 200, 400]);
  expect(await statuses(1, list)).toEqual([200]);
  expect(await statuses(1, () => create(other))).toEqual([200]);
});

it('changes nothing: what was refused so was not done', async () => {
  await statuses(2, create);
  const { status } = await api.as(key).wire('CreateCluster', { clusterName: 'refused' });
  expect(status).toBe(400);
  const { body } = await list();
  expect(JSON.stringify(body)).not.toContain('refused');
});

it('is slept over by an unmodified client', async () => {
  const retrying = api.ecs({ credentials: key, maxAttempts: 2, retryMode: 'standard' });
  const calls = { listClusters: 0 };
  retrying.middlewareStack.add(
    (next) => async (args) => {
      calls.listClusters += 1;
      // A second later, as the client is told to wait.
      if (calls.listClusters === 5) now += 1000;
      return next(args);
    },
    { step: 'deserialize', priority: 'low' },
  );
  const { ListClustersCommand } = await import('@aws-sdk/client-ecs');
  for (let call = 0; call < 4; call += 1) await retrying.send(new ListClustersCommand({}));
  expect(calls.listClusters).toBe(5);
});

describe('whoever is not recognised', () => {
  const stranger = (headers = {}) => fetch(api.endpoint, { method: 'POST', headers, body: '{}' });

  it('is refused by address before anything of the request is read', async () => {
    address = '192.0.2.1';
    const codes: unknown[] = [];
    for (let call = 0; call < 3; call += 1) codes.push((await stranger()).headers.get('x-amzn-errortype'));
    const missing = 'MissingAuthenticationTokenException';
    expect(codes).toEqual([missing, missing, 'ThrottlingException']);
    // Of the same address, even signed rightly; a moment later again.
    expect((await list()).body).toMatchObject({ __type: 'ThrottlingException' });
    now += 1000;
    expect(await statuses(1, list)).toEqual([200]);
  });

  it('shuts out nobody of another address, and none where addresses say nothing', async () => {
    address = '192.0.2.2';
    await statuses(4, stranger);
    address = '192.0.2.3';
    expect(await statuses(1, list)).toEqual([200]);
    address = undefined;
    await statuses(4, stranger);
    expect(await statuses(1, list)).toEqual([200]);
  });

  it('is nobody whose signed requests are refused for what they ask', async () => {
    address = '192.0.2.4';
    const wrong = () => api.as(key).wire('DescribeTasks', { tasks: [] });
    expect(await statuses(2, wrong)).toEqual([400, 400]);
    expect(await statuses(1, list)).toEqual([200]);
  });
});
