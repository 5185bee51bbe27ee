/** What the API knows of capacity though it has no fleet: what the function that buys has stored. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createApiHandler } from '../../lambdas/api/handler.ts';
import { storedCatalogue } from '../../lambdas/api/stored-catalogue.ts';
import { createFleetHandler } from '../../lambdas/fleet/handler.ts';
import { rememberingOffers } from '../../lambdas/fleet/remembered-offers.ts';
import type { HttpAnswer } from '../../lambdas/http.ts';
import { CapacitySim } from '../control/support/capacity-sim.ts';
import { iamCaller, lambdaContext, restEvent } from './support/events.ts';

let sim: CapacitySim;
let call: (method: string, target: string, body?: object) => Promise<HttpAnswer>;

beforeEach(async () => {
  sim = await CapacitySim.start({ store: 'dynamodb' });
  const { deps } = await sim.process({ fleet: undefined });
  const answer = createApiHandler({ ...deps, catalogue: storedCatalogue(deps) });
  call = (method, target, body) =>
    answer(restEvent({ method, target, iam: iamCaller, ...(body && { body: JSON.stringify(body) }) }));
});
afterEach(() => sim[Symbol.asyncDispose]());

const bodyOf = ({ body }: HttpAnswer) => JSON.parse(body);

/** The function that buys has looked at the cluster. */
async function look(): Promise<void> {
  const { deps } = await sim.process({ fleet: undefined });
  const fleet = rememberingOffers(deps, sim.fleet);
  const time = new Date(sim.now()).toISOString();
  await createFleetHandler({ ...deps, fleet, catalogue: fleet })({ time }, lambdaContext());
}

const job = { containerDefinitions: [{ name: 'app', image: 'busybox', cpu: 1024, memory: 1024 }] };
const provider = (name: string, gantry: object, cluster?: string) => ({ name, gantry, ...(cluster && { cluster }) });
const unchecked = 'What may be bought was not compared with what is on offer';

describe('before anything was read of what is on offer', () => {
  it('capacity is shown without what would be done next, and a plan says what is not known', async () => {
    const shown = await call('GET', '/v1/clusters/default/capacity');
    expect(shown.statusCode).toBe(200);
    expect(bodyOf(shown).providers).toMatchObject([{ name: 'pool' }]);
    expect(bodyOf(shown).providers[0]).not.toHaveProperty('plan');
    const planned = await call('POST', '/v1/clusters/default/plan', {
      definition: { family: 'job', ...job },
      count: 3,
    });
    expect(bodyOf(planned)).toMatchObject({
      wouldBuy: [],
      unmet: [{ tasks: 3, why: expect.stringContaining('is not known here') }],
    });
  });

  it('a capacity provider is made with a warning, and without one where it wishes for nothing', async () => {
    const made = await call('POST', '/v1/capacity-providers', provider('wild', { offerNames: ['m7g.*'] }, 'default'));
    expect(made.statusCode).toBe(201);
    expect(bodyOf(made).warnings).toContainEqual(expect.stringContaining(unchecked));
    const free = await call('POST', '/v1/capacity-providers', provider('free', {}, 'default'));
    expect(bodyOf(free).warnings).not.toContainEqual(expect.stringContaining(unchecked));
  });
});

describe('once it was read', () => {
  beforeEach(look);

  it('capacity has plans, and a plan says what would be bought', async () => {
    const shown = bodyOf(await call('GET', '/v1/clusters/default/capacity'));
    expect(shown.providers).toMatchObject([{ name: 'pool', plan: { wouldBuy: [], explanation: expect.any(Array) } }]);
    const planned = await call('POST', '/v1/clusters/default/plan', {
      definition: { family: 'job', ...job },
      count: 2,
    });
    expect(bodyOf(planned)).toMatchObject({
      wouldBuy: [{ capacityProvider: 'pool', offers: ['small'], hosts: 1, tasks: 2 }],
    });
    expect(sim.fleet.asked).toEqual([]);
  });

  it('a name that is not on offer is refused where the cluster is named, when made and when changed', async () => {
    const strange = await call(
      'POST',
      '/v1/capacity-providers',
      provider('strange', { offerNames: ['m7g.*'] }, 'default'),
    );
    expect(strange.statusCode).toBe(400);
    expect(bodyOf(strange)).toMatchObject({ field: 'gantry.offerNames[0]', hint: 'On offer: small, large.' });
    const changed = await call('PUT', '/v1/capacity-providers/pool', { gantry: { offerNames: ['small', 'smal'] } });
    expect(bodyOf(changed)).toMatchObject({ field: 'gantry.offerNames[1]' });
  });

  it('of a provider that any cluster may have, nothing is known beforehand: each has offers of its own', async () => {
    const made = await call('POST', '/v1/capacity-providers', provider('anywhere', { offerNames: ['m7g.*'] }));
    expect(made.statusCode).toBe(201);
    expect(bodyOf(made).warnings).toContainEqual(expect.stringContaining(unchecked));
  });
});
