/** What capacity providers mean for tasks, clusters and the fleet, beyond what the wire shows (test/http/capacity-providers.test.ts). */
import { describe, expect, it } from 'vitest';
import { FakeFleet, sizesOf } from './support/fake-fleet.ts';
import { interceptCommits } from './support/intercepted-table.ts';
import { startWorld, type World } from './support/world.ts';

const make = (world: World, name: string, gantry: object = {}) =>
  world.call('CreateCapacityProvider', { name, gantry: { limits: { maxHosts: 10 }, ...gantry } });
const put = (world: World, names: readonly string[], cluster = 'default') =>
  world.call('PutClusterCapacityProviders', {
    cluster,
    capacityProviders: [...names],
    defaultCapacityProviderStrategy: names.map((capacityProvider) => ({ capacityProvider, weight: 1 })),
  });
const capacityOf = (world: World) => world.call('GetCapacity', {});

/** A world with a fleet of `small` (2 vCPU, 4 GiB) and `large` hosts that join as soon as they are asked to. */
async function startBuyingWorld() {
  const fleets: FakeFleet[] = [];
  const world = await startWorld({
    fleet: (of) => {
      const fleet = new FakeFleet(of);
      fleets.push(fleet);
      return fleet;
    },
  });
  const [fleet] = fleets;
  if (fleet === undefined) throw new Error('the world made no fleet');
  return { world, fleet, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
}

describe('a call under a strategy', () => {
  it('is divided alike however many commits it takes', async () => {
    await using world = await startWorld();
    for (const name of ['a', 'b']) await make(world, name);
    await put(world, ['a', 'b']);
    await world.register('job');
    await world.host({ name: 'a-1', memoryMib: 128 * 10, attributes: { 'gantry.capacity-provider': 'a' } });
    await world.host({ name: 'b-1', memoryMib: 128 * 50, attributes: { 'gantry.capacity-provider': 'b' } });
    const { tasks } = await world.call('RunTask', { taskDefinition: 'job', count: 80 });
    const counts = new Map<string, number>();
    for (const { capacityProviderName, hostName = 'none' } of tasks) {
      const name = `${capacityProviderName} on ${hostName}`;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    // What fits on no host of one provider says nothing about those of the other.
    expect(Object.fromEntries(counts)).toEqual({ 'a on a-1': 10, 'a on none': 30, 'b on b-1': 40 });
  });

  it('may name a provider that another process has added in this moment', async () => {
    await using world = await startWorld();
    const other = await world.another();
    await world.register('job');
    await world.call('RunTask', { taskDefinition: 'job' });
    await world.call('CreateCapacityProvider', { name: 'new', gantry: {} }, { control: other });
    const request = { capacityProviders: ['new'], defaultCapacityProviderStrategy: [] };
    await world.call('PutClusterCapacityProviders', request, { control: other });
    const { tasks } = await world.call('RunTask', {
      taskDefinition: 'job',
      capacityProviderStrategy: [{ capacityProvider: 'new' }],
    });
    expect(tasks).toMatchObject([{ capacityProviderName: 'new', lastStatus: 'PROVISIONING' }]);
  });
});

describe('a capacity provider', () => {
  it('is not deleted under a cluster that takes it in this moment', async () => {
    const meanwhile: (() => Promise<unknown>)[] = [];
    await using world = await startWorld({
      wrap: (table) =>
        interceptCommits(table, async (changes, forward) => {
          await meanwhile.pop()?.();
          return forward(changes);
        }),
    });
    const other = await world.another();
    await make(world, 'contested');
    const request = { capacityProviders: ['contested'], defaultCapacityProviderStrategy: [] };
    meanwhile.push(() => world.call('PutClusterCapacityProviders', request, { control: other }));
    await expect(world.call('DeleteCapacityProvider', { capacityProvider: 'contested' })).rejects.toMatchObject({
      code: 'ClientException',
      message: expect.stringContaining('associated with cluster: default'),
    });
    expect((await world.call('DescribeClusters', {})).clusters[0]?.capacityProviders).toEqual(['contested']);
  });

  it('may only be told to buy what is on offer, where there is a fleet', async () => {
    await using at = await startBuyingWorld();
    await make(at.world, 'wild', { offerNames: ['sm*', 'large'] });
    await expect(make(at.world, 'strange', { offerNames: ['small', 'm7g.large'] })).rejects.toMatchObject({
      code: 'InvalidParameterException',
      field: 'gantry.offerNames[1]',
      hint: 'On offer: small, large.',
    });
    const instanceRequirements = { vCpuCount: { min: 64 }, memoryMiB: { min: 0 } };
    await expect(
      at.world.call('CreateCapacityProvider', {
        name: 'too-large',
        cluster: 'default',
        managedInstancesProvider: { instanceLaunchTemplate: { instanceRequirements } },
      }),
    ).rejects.toMatchObject({
      field: 'managedInstancesProvider.instanceLaunchTemplate.instanceRequirements',
      message: expect.stringMatching(/^No instance types satisfy the instance requirements/),
    });
  });

  it('goes with its cluster, unless it is of that cluster alone', async () => {
    await using world = await startWorld();
    await world.call('CreateCluster', { clusterName: 'blue' });
    await make(world, 'shared');
    await world.call('CreateCapacityProvider', { name: 'own', cluster: 'blue', gantry: {} });
    await put(world, ['shared', 'own'], 'blue');
    await expect(
      world.call('PutClusterCapacityProviders', {
        capacityProviders: ['own'],
        defaultCapacityProviderStrategy: [],
      }),
    ).rejects.toMatchObject({ message: expect.stringContaining('belongs to the cluster blue') });
    const remove = (capacityProvider: string) => world.call('DeleteCapacityProvider', { capacityProvider });
    await expect(remove('own')).rejects.toMatchObject({ message: expect.stringContaining('default strategy') });
    const noDefault = { cluster: 'blue', capacityProviders: ['shared', 'own'], defaultCapacityProviderStrategy: [] };
    await world.call('PutClusterCapacityProviders', noDefault);
    await expect(world.call('DeleteCluster', { cluster: 'blue' })).rejects.toMatchObject({
      code: 'ClusterContainsCapacityProviderException',
    });
    await remove('own');
    await world.call('DeleteCluster', { cluster: 'blue' });
    await remove('shared');
  });
});

describe('capacity', () => {
  it('says what consolidation would save, and does not do it', async () => {
    await using at = await startBuyingWorld();
    const { world, fleet } = at;
    await make(world, 'pool', { policy: { idleSeconds: 600 } });
    await put(world, ['pool']);
    await world.register('job', { cpu: 2048, memory: 1024 });
    await world.call('RunTask', { taskDefinition: 'job' });
    await world.loop('buy-capacity');
    const [instance] = fleet.booted;
    if (instance === undefined) throw new Error('nothing was bought');
    const attributes = { 'gantry.capacity-provider': 'pool' };
    const host = await world.host({ ...sizesOf(instance.offer), name: instance.instanceId, attributes });
    await world.loop('place-pending');
    await host.obey();
    for (const id of host.tasks.keys()) host.end(id);
    await host.report();
    await world.loop('buy-capacity');
    const capacity = await capacityOf(world);
    expect(capacity).toMatchObject({ hourlyUsd: 0.1, onOrderHourlyUsd: 0, otherHosts: 0, waiting: [] });
    expect(capacity.providers).toMatchObject([
      {
        name: 'pool',
        hosts: 1,
        onOrder: [],
        plan: {
          leaving: [],
          wouldBuy: [],
          consolidation: { hosts: [{ hostName: instance.instanceId, hourlyUsd: 0.1 }], savesHourlyUsd: 0.1 },
        },
      },
    ]);
    expect(fleet.living).toHaveLength(1);
  });

  it('is shown without what would be done where there is no fleet, and plans say that nothing is known', async () => {
    await using world = await startWorld();
    await make(world, 'pool');
    await put(world, ['pool']);
    await world.register('job');
    await world.call('RunTask', { taskDefinition: 'job' });
    const capacity = await capacityOf(world);
    expect(capacity).toMatchObject({ providers: [{ name: 'pool', hosts: 0 }], waiting: [{ tasks: 1 }] });
    expect(capacity.providers[0]).not.toHaveProperty('plan');
    expect(await world.call('PlanTasks', { taskDefinition: 'job', count: 3 })).toMatchObject({
      placed: [],
      wouldBuy: [],
      unmet: [{ tasks: 3, why: expect.stringMatching(/^what could be bought is not known here: /) }],
    });
  });

  it('is planned for each provider of a strategy by itself, and for what waits already first', async () => {
    await using at = await startBuyingWorld();
    const { world, fleet } = at;
    await make(world, 'one', { offerNames: ['small'] });
    await make(world, 'two', { offerNames: ['large'] });
    await put(world, ['one', 'two']);
    await world.register('job', { cpu: 1024, memory: 1024 });
    const plan = await world.call('PlanTasks', { taskDefinition: 'job', count: 4 });
    expect(plan).toMatchObject({ placed: [], awaiting: [], unmet: [] });
    expect(plan.wouldBuy).toMatchObject([
      { capacityProvider: 'one', offers: ['small'], hosts: 1, tasks: 2, hourlyUsd: 0.1 },
      { capacityProvider: 'two', offers: ['large'], hosts: 1, tasks: 2, hourlyUsd: 0.4 },
    ]);
    expect(plan.hourlyUsd).toBe(0.5);
    expect(fleet.asked).toEqual([]);
  });
});
