/** What a placement takes of DynamoDB: requests and units of the function `api` on the AWS shape on loopback. Counts, the same on every machine. */
import { setTimeout as delay } from 'node:timers/promises';
import { betweenLivesMs, family, registerFamily } from '../cost/lives.ts';
import { type ManyHosts, manyHosts } from '../cost/sizes.ts';
import { type CostStage, openStage } from '../cost/stage.ts';

/** Of one RunTask. */
export interface Taken {
  readonly requests: number;
  readonly writeUnits: number;
  readonly readUnits: number;
}

/** What a call of ten tasks may take, whatever the number of hosts. */
const callGates: Taken = { requests: 15, writeUnits: 66, readUnits: 12 };

export interface DynamoDbRun {
  readonly sizes: readonly number[];
  /** How many calls are counted in a cluster of each size. */
  readonly calls: number;
  /** Tasks a call. */
  readonly batch: number;
}

export async function countPlacements(run: DynamoDbRun): Promise<Map<number, Taken>> {
  await using stage = await openStage({ heartbeatSeconds: 300 });
  await registerFamily(stage);
  return await countOn(stage, manyHosts(stage), run);
}

/** By number of hosts: the most that a call took. Each begins after what the function remembers of capacity has grown old. */
export async function countOn(
  stage: CostStage,
  hosts: ManyHosts,
  { sizes, calls, batch }: DynamoDbRun,
): Promise<Map<number, Taken>> {
  const most = new Map<number, Taken>();
  for (const size of sizes) {
    await hosts.grow(size);
    // The first ones find functions that know nothing of the cluster yet.
    for (let warmUp = 0; warmUp < 2; warmUp += 1) await countOne(stage, batch);
    for (let call = 0; call < calls; call += 1) most.set(size, larger(most.get(size), await countOne(stage, batch)));
  }
  return most;
}

/** What of these counts is more than it may be, as sentences. */
export const excessOf = (counts: ReadonlyMap<number, Taken>): string[] =>
  [...counts].flatMap(([size, taken]) =>
    (['requests', 'writeUnits', 'readUnits'] as const)
      .filter((what) => taken[what] > callGates[what])
      .map((what) => `${size} hosts: ${what} ${taken[what]}, at most ${callGates[what]}`),
  );

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
