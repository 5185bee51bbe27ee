/** `Custom::GantryCapacityProvider`: made once however often it is asked for, and gone only when all that it bought is gone. */
import { beforeEach, describe, expect, it } from 'vitest';
import { getCapacityProvider } from '../../control/store/capacity-providers.ts';
import { getCluster } from '../../control/store/clusters.ts';
import { openPurchases } from '../../control/store/purchases.ts';
import type { Table } from '../../control/store/table.ts';
import { createResourcesHandler } from '../../lambdas/resources/handler.ts';
import type { ResourceResponse } from '../../lambdas/resources/respond.ts';
import { CapacitySim, type Process } from '../control/support/capacity-sim.ts';
import { breaches } from '../control/support/invariants.ts';
import { Mortal } from '../control/support/mortal.ts';
import { lambdaContext } from './support/events.ts';

let sim: CapacitySim;
/** What buys and ends. */
let fleet: Process;
/** What the world does while the handler waits. */
let meanwhile: () => Promise<void>;

const live = async (): Promise<void> => {
  await sim.moveHosts();
  await fleet.run('buy-capacity');
};

beforeEach(async () => {
  sim = await CapacitySim.start();
  fleet = await sim.process({ fleet: sim.fleet });
  meanwhile = live;
  return () => sim[Symbol.asyncDispose]();
});

interface Asked {
  readonly request?: 'Create' | 'Update' | 'Delete';
  readonly properties?: Record<string, unknown>;
  readonly former?: Record<string, unknown>;
  readonly id?: string;
  readonly logicalId?: string;
  readonly table?: Table;
  readonly remainingMs?: number;
}

const configuration = (gantry: object): string => JSON.stringify({ gantry });
const own = {
  ClusterName: 'default',
  ProviderName: 'own',
  Configuration: configuration({ limits: { maxHosts: 5, maxHourlyUsd: 3 }, policy: { idleSeconds: 60 } }),
  IsDefault: 'true',
};
const id = 'default/own';

async function ask(asked: Asked): Promise<ResourceResponse> {
  const { request = 'Create', properties = own, former, remainingMs = 900_000, logicalId = 'Own', table } = asked;
  const { deps } = await sim.process({ fleet: undefined, ...(table && { table }) });
  const answers: ResourceResponse[] = [];
  const sleep: typeof deps.sleep = async (ms, signal) => {
    // The handler's own time limit is not what these tests wait for.
    if (signal !== undefined) return new Promise(() => {});
    sim.advance(ms / 1000);
    await meanwhile();
  };
  const handle = createResourcesHandler({ ...deps, sleep }, async (_, answer) => void answers.push(answer));
  await handle(
    {
      RequestType: request,
      ResponseURL: 'https://cloudformation.example/response',
      StackId: 'arn:aws:cloudformation:us-east-1:000000000000:stack/app/1',
      RequestId: 'request',
      LogicalResourceId: logicalId,
      ResourceType: 'Custom::GantryCapacityProvider',
      ...(asked.id !== undefined && { PhysicalResourceId: asked.id }),
      ResourceProperties: { ServiceToken: 'arn:aws:lambda:…', ...properties },
      ...(former !== undefined && { OldResourceProperties: former }),
    },
    lambdaContext(remainingMs),
  );
  expect(answers).toHaveLength(1);
  const [answer = expect.fail()] = answers;
  return answer;
}

const remove = (asked: Asked = {}) => ask({ request: 'Delete', id, ...asked });

const provider = () => getCapacityProvider(sim.table, 'own');
const cluster = async () => (await getCluster(sim.table, 'default')) ?? expect.fail();

/** Tasks under the provider, running on hosts that it has bought. */
async function running(count = 2): Promise<string[]> {
  const ids = await sim.runTasks(count);
  for (let steps = 0; steps < 4; steps += 1) await live();
  for (const task of ids)
    expect(await sim.task(task)).toMatchObject({ lastStatus: 'RUNNING', capacityProviderName: 'own' });
  return ids;
}

describe('a capacity provider of a stack', () => {
  it('is made once, put on its cluster and into its default strategy, and leaves other providers alone', async () => {
    const strategy = [{ capacityProvider: 'pool', weight: 2, base: 1 }];
    await sim.call('PutClusterCapacityProviders', {
      cluster: 'default',
      capacityProviders: ['pool'],
      defaultCapacityProviderStrategy: strategy,
    });
    for (let times = 0; times < 2; times += 1)
      expect(await ask({})).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id, Data: { ProviderName: 'own' } });
    expect(await provider()).toMatchObject({ status: 'ACTIVE', cluster: 'default', limits: { maxHosts: 5 } });
    expect(await cluster()).toMatchObject({
      capacityProviders: ['pool', 'own'],
      defaultStrategy: [...strategy, { capacityProvider: 'own', weight: 1 }],
    });
  });

  it('is brought up to date as a whole: what is not said any more does not stay', async () => {
    await ask({});
    const properties = { ...own, Configuration: configuration({ limits: { maxHosts: 7 } }), IsDefault: 'false' };
    const updated = await ask({ request: 'Update', id, properties, former: own });
    expect(updated).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: id });
    expect(await provider()).toMatchObject({ limits: { minHosts: 0, maxHosts: 7 }, policy: { idleSeconds: 120 } });
    expect((await provider())?.limits).not.toHaveProperty('maxHourlyUsd');
    expect(await cluster()).toMatchObject({ capacityProviders: ['pool', 'own'], defaultStrategy: [] });
  });

  it('is another one under another name, beside which the former ends', async () => {
    await ask({});
    const renamed = { ...own, ProviderName: 'new' };
    expect(await ask({ request: 'Update', id, properties: renamed, former: own })).toMatchObject({
      PhysicalResourceId: 'default/new',
    });
    expect(await remove()).toMatchObject({ Status: 'SUCCESS' });
    expect(await cluster()).toMatchObject({
      capacityProviders: ['pool', 'new'],
      defaultStrategy: [{ capacityProvider: 'new' }],
    });
  });

  it("leaves one of its name alone that is somebody else's", async () => {
    const others = { ...own, ProviderName: 'pool' };
    const failed = await ask({ properties: others });
    expect(failed).toMatchObject({ Status: 'FAILED', Reason: expect.stringContaining('Choose another providerName') });
    for (const wanted of [failed.PhysicalResourceId, 'default/pool'])
      expect(await remove({ id: wanted, properties: others })).toMatchObject({ Status: 'SUCCESS' });
    expect((await cluster()).capacityProviders).toEqual(['pool']);
  });

  it.each([
    ['{', 'Configuration is not JSON'],
    [configuration({ limits: { minHosts: 5, maxHosts: 2 } }), 'minHosts (5) is more than maxHosts (2)'],
    [configuration({ policy: { market: 'black' } }), 'gantry.policy.market'],
  ])('says what is wrong with %s, and its rollback succeeds', async (Configuration, sentence) => {
    const failed = await ask({ properties: { ...own, Configuration } });
    expect(failed).toMatchObject({ Status: 'FAILED', Reason: expect.stringContaining(sentence) });
    expect(await remove({ id: failed.PhysicalResourceId })).toMatchObject({ Status: 'SUCCESS' });
    expect(await provider()).toBeUndefined();
  });
});

describe('its deletion', () => {
  it('stops what runs under it or waits for it, and is over when all that it bought is', async () => {
    await ask({});
    const ids = await running();
    // It fits on no host that there is.
    const waiting = await sim.runTasks(1);
    expect(sim.fleet.living.length).toBeGreaterThan(0);
    expect(await remove()).toMatchObject({ Status: 'SUCCESS' });
    for (const task of [...ids, ...waiting])
      expect(await sim.task(task)).toMatchObject({ lastStatus: 'STOPPED', stopCode: 'TerminationNotice' });
    expect((await sim.task(ids[0] ?? '')).containers).toMatchObject([{ exitCode: 143 }]);
    expect(sim.fleet.living).toEqual([]);
    expect(await openPurchases(sim.table, 'default')).toEqual([]);
    expect(await provider()).toMatchObject({ status: 'INACTIVE', usedBy: [] });
    expect(await cluster()).toMatchObject({ capacityProviders: ['pool'], defaultStrategy: [] });
    expect(await breaches(sim.table)).toEqual([]);
    expect(await remove()).toMatchObject({ Status: 'SUCCESS' });
  });

  it("touches nothing of another provider's", async () => {
    const [other = ''] = await sim.runTasks(1);
    for (let steps = 0; steps < 4; steps += 1) await live();
    await ask({});
    // What the API has in memory of the cluster is old by then.
    sim.advance(60);
    await running(8);
    expect(await remove()).toMatchObject({ Status: 'SUCCESS' });
    expect(await sim.task(other)).toMatchObject({ lastStatus: 'RUNNING' });
    expect(sim.fleet.living).toHaveLength(1);
  });

  it('ends an instance that was on its way', async () => {
    await ask({});
    await sim.runTasks(1);
    await fleet.run('buy-capacity');
    expect(await openPurchases(sim.table, 'default')).toMatchObject([{ state: 'LAUNCHED' }]);
    expect(await remove()).toMatchObject({ Status: 'SUCCESS' });
    expect(sim.fleet.living).toEqual([]);
  });

  it('gives up tasks that do not stop, in time for their machines to end', async () => {
    await ask({});
    const [task = ''] = await running(1);
    meanwhile = async () => {
      for (const host of sim.hosts.values()) await host.heartbeat();
      await fleet.run('buy-capacity');
    };
    const began = sim.now();
    expect(await remove()).toMatchObject({ Status: 'SUCCESS' });
    expect(sim.now() - began).toBeGreaterThan(600_000);
    expect(await sim.task(task)).toMatchObject({ lastStatus: 'STOPPED', stopCode: 'TerminationNotice' });
    expect(sim.fleet.living).toEqual([]);
  });

  it('fails by name where instances stay, and goes on when it is asked again', async () => {
    await ask({});
    await running();
    const [{ instanceId } = expect.fail()] = sim.fleet.living;
    meanwhile = () => sim.moveHosts();
    expect(await remove()).toMatchObject({
      Status: 'FAILED',
      PhysicalResourceId: id,
      Reason: expect.stringContaining(`still has what it bought: ${instanceId}`),
    });
    meanwhile = live;
    expect(await remove()).toMatchObject({ Status: 'SUCCESS' });
    expect(sim.fleet.living).toEqual([]);
  });

  it.each(['before', 'after'] as const)('may die %s any of its writes, and be asked for again', async (when) => {
    for (let acts = 1; ; acts += 1) {
      await ask({});
      await running();
      const mortal = new Mortal(acts, when);
      await remove({ table: mortal.table(sim.table) }).catch(() => {});
      expect(await remove()).toMatchObject({ Status: 'SUCCESS' });
      expect(sim.fleet.living).toEqual([]);
      expect(await openPurchases(sim.table, 'default')).toEqual([]);
      expect(await breaches(sim.table)).toEqual([]);
      if (!mortal.isDead) break;
    }
  });

  it.each(['before', 'after'] as const)('undoes a creation that died %s any of its writes', async (when) => {
    for (let acts = 1; ; acts += 1) {
      const mortal = new Mortal(acts, when);
      await ask({ table: mortal.table(sim.table) }).catch(() => {});
      expect(await ask({})).toMatchObject({ Status: 'SUCCESS' });
      expect(await cluster()).toMatchObject({ capacityProviders: ['pool', 'own'], defaultStrategy: [{ weight: 1 }] });
      expect(await remove()).toMatchObject({ Status: 'SUCCESS' });
      expect(await cluster()).toMatchObject({ capacityProviders: ['pool'], defaultStrategy: [] });
      if (!mortal.isDead) break;
    }
  });
});
