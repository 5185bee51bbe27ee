/** The function that buys hosts with EC2's own client, over HTTP, against an EC2 and a price list of our own. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { putHostSupply } from '../../control/store/host-supplies.ts';
import { storedOffers } from '../../control/store/offers.ts';
import { openPurchases } from '../../control/store/purchases.ts';
import { openEc2 } from '../../lambdas/fleet/ec2.ts';
import { createFleetHandler } from '../../lambdas/fleet/handler.ts';
import { rememberingOffers } from '../../lambdas/fleet/remembered-offers.ts';
import { CapacitySim } from '../control/support/capacity-sim.ts';
import { type Ec2UnderTest, startEc2 } from '../ec2/ec2.ts';
import { type PricingUnderTest, startPricing } from '../ec2/pricing.ts';
import { lambdaContext } from './support/events.ts';

let sim: CapacitySim;
let ec2: Ec2UnderTest;
let pricing: PricingUnderTest;

beforeEach(async () => {
  sim = await CapacitySim.start({ store: 'dynamodb', policy: { idleSeconds: 0 } });
  ec2 = await startEc2({ now: sim.now });
  pricing = await startPricing({ types: ec2.instanceTypes });
  // As Lambda's environment and the SDK's standard variables have it.
  vi.stubEnv('AWS_ENDPOINT_URL_EC2', ec2.url);
  vi.stubEnv('AWS_ENDPOINT_URL_PRICING', pricing.url);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAIOSFODNN7EXAMPLE');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'wJalrXUtnFEMI/K7MDENG');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await pricing[Symbol.asyncDispose]();
  await ec2[Symbol.asyncDispose]();
  await sim[Symbol.asyncDispose]();
});

async function supply(): Promise<void> {
  const { launchTemplateId: id, version } = ec2.launchTemplate({ ImageId: 'ami-00000000000000001' });
  const launchTemplates = { x86_64: { id, version } };
  await sim.table.commit([putHostSupply({ cluster: 'default', launchTemplates, subnets: ec2.subnets })]);
}

/** One execution environment of the function. */
async function start() {
  const { deps: made } = await sim.process({ fleet: undefined });
  const sleep = async (ms: number): Promise<void> => sim.advance(ms / 1000);
  const fleet = rememberingOffers(made, openEc2(made, { region: ec2.region, controlPlane: 'Gantry/ControlPlane' }));
  const handle = createFleetHandler({ ...made, sleep, activate: () => {}, fleet, catalogue: fleet });
  return () => handle({ time: new Date(sim.now()).toISOString() }, lambdaContext());
}

const living = () => ec2.instances().filter(({ state }) => state === 'pending' || state === 'running');

describe('the function on EC2', () => {
  it('buys for what waits, each instance tagged as of this control plane, and ends it when nothing needs it', async () => {
    await supply();
    const [id = ''] = await sim.runTasks(1);
    const minute = await start();
    expect(await minute()).toEqual({ clusters: 1, failed: 0 });
    expect(living()).toHaveLength(1);
    const [purchase] = await openPurchases(sim.table, 'default');
    expect(living()[0]?.tags).toMatchObject({
      'gantry:control-plane': 'Gantry/ControlPlane',
      'gantry:cluster': 'default',
      'gantry:order': purchase?.order.id,
    });
    expect(purchase).toMatchObject({ state: 'LAUNCHED', instances: [{ instanceId: living()[0]?.instanceId }] });

    await sim.call('StopTask', { task: id });
    sim.advance(301);
    await minute();
    expect(living()).toEqual([]);
    expect(await openPurchases(sim.table, 'default')).toEqual([]);
  });

  it('stores what EC2 and the price list say, so that the next process needs neither to plan', async () => {
    await supply();
    await sim.runTasks(1);
    await (await start())();
    const stored = await storedOffers(sim.table, 'default');
    const names = stored?.offers.map(({ name }) => name) ?? [];
    expect(names.length).toBeGreaterThan(0);
    const listed = new Map(ec2.instanceTypes.map(({ name, onDemandUsd }) => [name, onDemandUsd]));
    for (const { name, hourlyUsd } of stored?.offers ?? []) expect(hourlyUsd).toBe(listed.get(name));
    const asked = pricing.requests.length;
    await (await start())();
    expect(pricing.requests).toHaveLength(asked);
  });

  it('says on the task that nobody has said how hosts are launched, and buys once somebody has', async () => {
    const [id = ''] = await sim.runTasks(1);
    const minute = await start();
    await minute();
    expect(living()).toEqual([]);
    expect((await sim.task(id)).headline).toMatch(/^waits for a host: /);
    await supply();
    sim.advance(301);
    await minute();
    expect(living()).toHaveLength(1);
  });
});
