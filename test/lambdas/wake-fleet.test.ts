/** When the function that buys hosts is told of tasks that wait, and that nothing else is held up by it. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Metrics } from '../../control/deps.ts';
import { isAnyWaiting } from '../../control/store/waiting-tasks.ts';
import { fleetAsker } from '../../lambdas/wake/ask-fleet.ts';
import { createWakeHandler } from '../../lambdas/wake/handler.ts';
import { errorLevel, startWorld, type World } from '../control/support/world.ts';
import { lambdaContext, streamEvent } from './support/events.ts';
import { type FakeGateway, startGateway } from './support/gateway.ts';

let world: World;
let lambda: FakeGateway;
const counted: Parameters<Metrics['count']>[] = [];

beforeEach(async () => {
  world = await startWorld({ store: 'dynamodb' });
  lambda = await startGateway();
  lambda.answer = () => 202;
  await world.register('web', { memory: 1024 });
});
afterEach(async () => {
  counted.length = 0;
  await lambda[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

/** Wakes for tasks that began to wait in these clusters. */
function wake(...clusters: string[]) {
  const { deps } = world.control;
  const metrics: Metrics = { count: (...args) => void counted.push(args) };
  const credentials = () => ({ accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' });
  const options = { functionName: 'gantry-fleet', endpoint: lambda.endpoint, region: 'us-east-1', credentials };
  const handle = createWakeHandler({ ...deps, metrics }, fleetAsker({ log: deps.log, metrics }, options));
  const begun = clusters.map((cluster) => ({ after: { pk: `waiting#${cluster}#0`, sk: 'x', v: 1, data: {} } }));
  return handle(streamEvent(begun), lambdaContext());
}

async function mayBuy(cluster: string): Promise<void> {
  await world.call('CreateCluster', { clusterName: cluster });
  await world.call('CreateCapacityProvider', { name: `pool-${cluster}`, cluster, gantry: {} });
}

/** As many tasks as are asked for, and the loops of their own process stopped. */
async function waiting(...clusters: string[]): Promise<void> {
  for (const cluster of clusters) await world.call('RunTask', { cluster, taskDefinition: 'web' });
  await world.control.loops.stop();
  for (const cluster of clusters) expect(await isAnyWaiting(world.table, cluster)).toBe(true);
}

describe('the function that buys', () => {
  it('is told once of all clusters whose tasks still wait, without waiting for it', async () => {
    for (const cluster of ['blue', 'green']) await mayBuy(cluster);
    await waiting('blue', 'green');
    expect(await wake('blue', 'green', 'blue')).toEqual({ batchItemFailures: [] });
    expect(lambda.posted).toHaveLength(1);
    const { path, body, headers, authorization } = lambda.posted[0] ?? {};
    expect(path).toBe('/2015-03-31/functions/gantry-fleet/invocations');
    expect(JSON.parse(body ?? '')).toEqual({ clusters: ['blue', 'green'] });
    expect(headers).toMatchObject({ 'x-amz-invocation-type': 'Event' });
    expect(authorization).toMatch(/^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/us-east-1\/lambda\/aws4_request, /);
    expect(authorization).toContain('x-amz-invocation-type');
  });

  it('is not told of a cluster that has no capacity provider', async () => {
    await waiting('default');
    await wake('default');
    expect(lambda.posted).toEqual([]);
  });

  it('is not told where all were placed, and of a cluster that is not there', async () => {
    await mayBuy('default');
    await waiting('default');
    await world.host({ memoryMib: 4096 });
    await wake('default', 'no-such-cluster');
    expect(await isAnyWaiting(world.table, 'default')).toBe(false);
    expect(lambda.posted).toEqual([]);
  });

  it.each([
    ['refuses', () => 429],
    ['fails', () => 500],
  ])('is left to its minute where Lambda %s, and the batch is done all the same', async (_, answer) => {
    lambda.answer = answer;
    await mayBuy('default');
    await waiting('default');
    expect(await wake('default')).toEqual({ batchItemFailures: [] });
    expect(world.logged.filter(({ level }) => level === errorLevel)).toMatchObject([{ clusters: ['default'] }]);
    expect(counted).toContainEqual(['LoopFailed', 1, { loop: 'buy-capacity' }]);
  });

  it('is left to its minute where Lambda is away', async () => {
    await mayBuy('default');
    await waiting('default');
    await lambda[Symbol.asyncDispose]();
    expect(await wake('default')).toEqual({ batchItemFailures: [] });
    expect(counted).toContainEqual(['LoopFailed', 1, { loop: 'buy-capacity' }]);
    lambda = await startGateway();
  });
});
