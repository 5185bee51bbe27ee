/** The gates of the cost bench, on the AWS shape on loopback: counts alone, which are the same on every machine. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { heartbeatGates, lifeExcess, lifeGates, sweepGates, targets, tokenGates } from '../../bench/cost/gates.ts';
import { hostsReady, measureLives, registerFamily, retire } from '../../bench/cost/lives.ts';
import { priced } from '../../bench/cost/prices.ts';
import { manyHosts } from '../../bench/cost/sizes.ts';
import { type CostStage, openStage } from '../../bench/cost/stage.ts';
import { countOn, excessOf } from '../../bench/place/dynamodb.ts';
import { startHost } from '../cloud/test-host.ts';
import { describeUnless } from '../support/containers.ts';
import { whyNoDynoxide } from '../support/dynoxide.ts';

let stage: CostStage;

describeUnless(whyNoDynoxide(), 'what AWS would bill', () => {
  beforeAll(async () => {
    stage = await openStage({ heartbeatSeconds: 300 });
    await registerFamily(stage);
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());

  describe('for the life of a task', () => {
    it('stays within its gates with a real agent, and under the target at list prices', async () => {
      // The agent's waits are ten times as long, so that a busy machine does not outlast those that join two reports into one.
      await using host = await startHost(stage.cloud, 'host-1', { speed: 0.1 });
      await using made = new AsyncDisposableStack();
      made.defer(() => retire(stage, host));
      await hostsReady(stage, 1);
      const counts = await measureLives(stage, host, { lives: 2 });
      expect(lifeExcess(counts)).toEqual([]);
      expect(priced(counts, stage.memoryMib).total * 1_000_000).toBeLessThanOrEqual(targets.millionTasks);
      const repeatable = await measureLives(stage, host, { lives: 2, withToken: true });
      expect(repeatable.writeUnits - counts.writeUnits).toBeLessThanOrEqual(tokenGates.writeUnits);
      expect(repeatable.readUnits - counts.readUnits).toBeLessThanOrEqual(tokenGates.readUnits);
    });

    it('does not depend on the number of hosts', async () => {
      const many = manyHosts(stage);
      const counts = [];
      for (const hosts of [100, 600]) {
        await many.grow(hosts);
        counts.push(await many.measure(2));
      }
      for (const { writeUnits, readUnits, httpRequests } of counts) {
        expect(writeUnits).toBeLessThanOrEqual(lifeGates.writeUnits);
        expect(readUnits).toBeLessThanOrEqual(lifeGates.readUnits);
        expect(httpRequests).toBeLessThanOrEqual(lifeGates.httpRequests);
      }
      expect(excessOf(await countOn(stage, many, { sizes: [600], calls: 1, batch: 10 }))).toEqual([]);
    });
  });
});

describeUnless(whyNoDynoxide(), 'what AWS would bill for three hosts that idle', () => {
  let idle: CostStage;
  beforeAll(async () => {
    idle = await openStage({ heartbeatSeconds: 300 });
    await registerFamily(idle);
  });
  afterAll(() => idle?.[Symbol.asyncDispose]());

  it('is one small write and one small read a heartbeat', async () => {
    const many = manyHosts(idle);
    await many.grow(3);
    await many.heartbeat();
    const counts = await idle.counting(() => many.heartbeat());
    expect(counts).toMatchObject({
      ...heartbeatGates,
      webSocketMessages: 0,
      functionLogBytes: 0,
      metricBytes: 0,
      events: 0,
    });
  });

  it('is little a sweep', async () => {
    // The minute of an hour in which nothing but the loops of each minute is due, and the first one knows nothing yet.
    const sweepAt = (minute: number) =>
      idle.cloud.lambda('sweep').invoke({ time: new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString() });
    await sweepAt(1);
    const counts = await idle.counting(async () => void (await sweepAt(2)));
    expect(counts.writeUnits).toBeLessThanOrEqual(sweepGates.writeUnits);
    expect(counts.readUnits).toBeLessThanOrEqual(sweepGates.readUnits);
    expect(counts.invocations).toMatchObject({ sweep: 1, wake: 0, events: 0, hosts: 0 });
  });
});
