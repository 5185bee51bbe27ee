/** Capacity as clients see it: sums over hosts, what is on order, what waits, and what the plans say. Pure. */
import type { CapacityView, OnOrderView, ProviderCapacityView, WouldBuyView } from '../../../core/api/capacity.ts';
import { compact } from '../../../core/compact.ts';
import type { CapacityProvider, Purchase, PurchasedInstance } from '../../../core/model/capacity.ts';
import type { HostCapacity } from '../../../core/model/host.ts';
import type { CapacityPlan, Launch } from '../../../core/plan/capacity/types.ts';
import type { WaitingTask } from '../../store/waiting-tasks.ts';

export interface CapacityFacts {
  readonly providers: readonly CapacityProvider[];
  /** Not CLOSED. */
  readonly purchases: readonly Purchase[];
  /** Not INACTIVE. */
  readonly hosts: readonly HostCapacity[];
  readonly waiting: readonly WaitingTask[];
  /** Of offers by name, where it is known. */
  readonly prices: ReadonlyMap<string, number>;
}

/** By the name of the provider. `lean`: as if nothing might stay that need not. */
export type ProviderPlans = ReadonlyMap<string, { readonly plan: CapacityPlan; readonly lean: CapacityPlan }>;

const mostIds = 100;

export function capacityReport(facts: CapacityFacts, plans: ProviderPlans): CapacityView {
  const providers = facts.providers.map((provider) => providerReport(provider, facts, plans));
  const owned = providers.reduce((sum, { hosts }) => sum + hosts, 0);
  const sum = (amount: (provider: ProviderCapacityView) => number): number =>
    cents(providers.reduce((total, provider) => total + amount(provider), 0));
  return {
    providers,
    otherHosts: facts.hosts.length - owned,
    usage: usageOf(facts.hosts),
    hourlyUsd: sum(({ hourlyUsd }) => hourlyUsd),
    onOrderHourlyUsd: sum(({ onOrder }) => onOrder.reduce((total, { hourlyUsd }) => total + hourlyUsd, 0)),
    waiting: waitingReport(facts.waiting),
  };
}

interface Owned {
  readonly instance: PurchasedInstance;
  readonly host: HostCapacity;
}

function providerReport(provider: CapacityProvider, facts: CapacityFacts, plans: ProviderPlans): ProviderCapacityView {
  const { name, status, limits, policy } = provider;
  const purchases = facts.purchases.filter(({ order }) => order.provider === name);
  const hostOf = new Map(facts.hosts.map((host) => [host.name, host]));
  const owned = purchases
    .flatMap(({ instances }) => instances)
    .flatMap((instance): Owned[] => {
      // A host's name is its instance's id.
      const host = hostOf.get(instance.instanceId);
      return host === undefined ? [] : [{ instance, host }];
    });
  const joined = new Set(owned.map(({ instance }) => instance.instanceId));
  const plan = plans.get(name);
  return compact({
    name,
    status,
    limits,
    policy,
    hosts: owned.length,
    usage: usageOf(owned.map(({ host }) => host)),
    hourlyUsd: cents(owned.reduce((sum, { instance }) => sum + instance.hourlyUsd, 0)),
    onOrder: purchases.flatMap((purchase) => onOrderReport(purchase, joined, facts.prices)),
    plan: plan && planReport(plan, owned),
  });
}

/** Nothing where all of it has come or is not expected any more. */
function onOrderReport(
  { order, state, orderedAt, covers, why, instances, failure }: Purchase,
  joined: ReadonlySet<string>,
  prices: CapacityFacts['prices'],
): OnOrderView[] {
  const coming = instances.filter(
    ({ instanceId, joinedAt, endingAt }) => joinedAt === undefined && endingAt === undefined && !joined.has(instanceId),
  );
  const hosts = state === 'OPEN' ? order.count : coming.length;
  if (hosts === 0) return [];
  const named = order.offers.map(({ name }) => name);
  const [first = ''] = named;
  const price = (prices.get(first) ?? 0) * hosts;
  return [
    compact({
      id: order.id,
      state,
      orderedAt: new Date(orderedAt),
      market: order.market,
      offers: state === 'OPEN' ? named : [...new Set(coming.map(({ offer }) => offer))],
      hosts,
      hourlyUsd: cents(state === 'OPEN' ? price : coming.reduce((sum, { hourlyUsd }) => sum + hourlyUsd, 0)),
      instanceIds: coming.map(({ instanceId }) => instanceId),
      tasks: covers,
      why,
      failure,
    }),
  ];
}

function planReport(
  { plan, lean }: { readonly plan: CapacityPlan; readonly lean: CapacityPlan },
  owned: readonly Owned[],
): NonNullable<ProviderCapacityView['plan']> {
  const leaving = goingOf(plan, owned);
  const known = new Set(leaving.map(({ instanceId }) => instanceId));
  const hosts = goingOf(lean, owned).filter(({ instanceId }) => !known.has(instanceId));
  return {
    explanation: [...plan.explanation],
    wouldBuy: plan.launches.map((launch) => wouldBuy(launch, launch.covers.length)),
    leaving,
    consolidation: { hosts, savesHourlyUsd: cents(hosts.reduce((sum, { hourlyUsd }) => sum + hourlyUsd, 0)) },
  };
}

const goingOf = ({ drains, terminations }: CapacityPlan, owned: readonly Owned[]) =>
  [...terminations, ...drains].map(({ instanceId, why }) => {
    const found = owned.find(({ instance }) => instance.instanceId === instanceId);
    return compact({ hostName: found?.host.name, instanceId, hourlyUsd: found?.instance.hourlyUsd ?? 0, why });
  });

export const wouldBuy = ({ order, hourlyUsd, why }: Launch, tasks: number): WouldBuyView => ({
  capacityProvider: order.provider,
  market: order.market,
  offers: order.offers.map(({ name }) => name),
  hosts: order.count,
  hourlyUsd: cents(hourlyUsd),
  tasks,
  why,
});

function waitingReport(waiting: readonly WaitingTask[]): CapacityView['waiting'] {
  const groups = new Map<string, string[]>();
  for (const { taskId, sentence, capacityNote } of waiting) {
    const why = capacityNote ?? sentence ?? 'has not been looked at yet';
    const ids = groups.get(why);
    if (ids === undefined) groups.set(why, [taskId]);
    else ids.push(taskId);
  }
  return [...groups]
    .sort(([, a], [, b]) => b.length - a.length)
    .map(([why, ids]) => ({ tasks: ids.length, taskIds: ids.slice(0, mostIds), why }));
}

const usageOf = (hosts: readonly HostCapacity[]): CapacityView['usage'] => {
  const sum = (amount: (host: HostCapacity) => number): number =>
    hosts.reduce((total, host) => total + amount(host), 0);
  return {
    totalCpuUnits: sum((host) => host.totalCpuUnits),
    freeCpuUnits: sum((host) => host.freeCpuUnits),
    totalMemoryMib: sum((host) => host.totalMemoryMib),
    freeMemoryMib: sum((host) => host.freeMemoryMib),
  };
};

/** Sums of prices are not exact in binary; nobody is billed by the millionth of a dollar. */
export const cents = (usd: number): number => Math.round(usd * 1e6) / 1e6;
