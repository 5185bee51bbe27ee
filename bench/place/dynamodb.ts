/** What a placement takes of DynamoDB: requests and units of the function `api` on the AWS shape on loopback. Counts, the same on every machine. */
import { setTimeout as delay } from 'node:timers/promises';
import { betweenLivesMs, family, registerFamily } from '../cost/lives.ts';
import { manyHosts } from '../cost/sizes.ts';
import { type CostStage, openStage } from '../cost/stage.ts';

/** Of one RunTask. */
export interface Taken {
  readonly requests: number;
  readonly writeUnits: number;
  readonly readUnits: number;
}

export interface DynamoDbRun {
  readonly sizes: readonly number[];
  /** How many calls are counted in a cluster of each size. */
  readonly calls: number;
  /** Tasks a call. */
  readonly batch: number;
}

/** By number of hosts: the most that a call took. Each begins after what the function remembers of capacity has grown old. */
export async function countPlacements({ sizes, calls, batch }: DynamoDbRun): Promise<Map<number, Taken>> {
  await using stage = await openStage({ heartbeatSeconds: 300 });
  await registerFamily(stage);
  const many = manyHosts(stage);
  const most = new Map<number, Taken>();
  for (const size of sizes) {
    await many.grow(size);
    // The first ones find functions that know nothing of the cluster yet.
    for (let warmUp = 0; warmUp < 2; warmUp += 1) await countOne(stage, batch);
    for (let call = 0; call < calls; call += 1) most.set(size, larger(most.get(size), await countOne(stage, batch)));
  }
  return most;
}

async function countOne(stage: CostStage, batch: number): Promise<Taken> {
  await delay(betweenLivesMs);
  const { world, client } = stage.cloud;
  const by = stage.cloud.lambda('api').config.credentials.accessKeyId;
  const before = world.consumed.by(by);
  const { tasks, failures } = await client.call('RunTask', { taskDefinition: family, count: batch });
  const after = world.consumed.by(by);
  if (tasks.length !== batch) throw new Error(`not all tasks were placed: ${JSON.stringify(failures)}`);
  return {
    requests: after.requests - before.requests,
    writeUnits: after.write - before.write,
    readUnits: after.read - before.read,
  };
}

const larger = (a: Taken = { requests: 0, writeUnits: 0, readUnits: 0 }, b: Taken): Taken => ({
  requests: Math.max(a.requests, b.requests),
  writeUnits: Math.max(a.writeUnits, b.writeUnits),
  readUnits: Math.max(a.readUnits, b.readUnits),
});
