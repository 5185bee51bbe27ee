/** What the plan of one capacity provider is made from, as the store and the fleet tell it. Decides nothing. */

import {
  type CapacityProvider,
  capacityPolicySchema,
  type Offer,
  providerAttribute,
} from '../../core/model/capacity.ts';
import type { HostCapacity } from '../../core/model/host.ts';
import { allowedOffers } from '../../core/plan/capacity/allowed-offers.ts';
import type { Blame, CapacityInput, HostTaskFacts, OwnedHost } from '../../core/plan/capacity/types.ts';
import { isProtected } from '../../core/task/protection.ts';
import type { ControlDeps } from '../deps.ts';
import type { Catalogue } from '../fleet/fleet.ts';
import { hostTasks } from '../store/hosts.ts';
import { getTasks } from '../store/tasks.ts';
import type { WaitingTask } from '../store/waiting-tasks.ts';
import { isWanted } from './purchase-book.ts';
import type { Facts } from './round.ts';

export interface Market {
  readonly offers: readonly Offer[];
  readonly blames: readonly Blame[];
}

const offersAgeMs = 5 * 60_000;

/** From memory while that is young: prices and what there is change slowly. */
export async function offersFor(
  { recent, clock }: Pick<ControlDeps, 'recent' | 'clock'>,
  catalogue: Catalogue,
  cluster: string,
): Promise<readonly Offer[]> {
  const readAt = clock.now();
  const known = recent.offers.get(cluster);
  if (known !== undefined && readAt - known.readAt < offersAgeMs) return known.offers;
  const offers = await catalogue.offers(cluster);
  recent.offers.set(cluster, { offers, readAt });
  return offers;
}

/** With one for what was bought by a provider that is no more: it buys nothing, and keeps no host longer than its tasks. */
export function providersOf({ book }: Facts, known: readonly CapacityProvider[]): readonly CapacityProvider[] {
  const names = new Set(known.map(({ name }) => name));
  const orphaned = new Set(book.all.map(({ order }) => order.provider).filter((name) => !names.has(name)));
  return [...known, ...[...orphaned].map(lastOf)];
}

const lastOf = (name: string): CapacityProvider => ({
  name,
  status: 'INACTIVE',
  configuration: {},
  offers: {},
  limits: { minHosts: 0, maxHosts: 0 },
  policy: capacityPolicySchema.parse({ idleSeconds: 0 }),
  tags: [],
  usedBy: [],
  createdAt: 0,
  version: 1,
});

/** A task under a strategy waits for one provider; any other is bought for by the first that may. */
export function waitingFor(
  provider: CapacityProvider,
  providers: readonly CapacityProvider[],
  waiting: readonly WaitingTask[],
): readonly WaitingTask[] {
  const first = providers.find(({ status }) => status === 'ACTIVE');
  return waiting.filter(({ needs }) => (needs.attributes[providerAttribute] ?? first?.name) === provider.name);
}

export async function capacityInput(
  facts: Facts,
  provider: CapacityProvider,
  { waiting, market }: { readonly waiting: readonly WaitingTask[]; readonly market: Market },
): Promise<CapacityInput> {
  const purchases = facts.book.all.filter(({ order }) => order.provider === provider.name);
  const hosts = await ownedHosts(facts, provider);
  const owned = new Set(hosts.map(({ host }) => host.hostId));
  return {
    now: facts.now,
    cluster: facts.cluster,
    provider: provider.name,
    offers: allowedOffers(provider, market.offers),
    limits: provider.limits,
    policy: provider.policy,
    waiting,
    hosts,
    otherHosts: [...facts.hosts.values()].filter(({ hostId, status }) => !owned.has(hostId) && status !== 'INACTIVE'),
    purchases,
    blames: market.blames,
  };
}

async function ownedHosts(facts: Facts, provider: CapacityProvider): Promise<OwnedHost[]> {
  const joined = facts.book.all
    .filter(({ order }) => order.provider === provider.name)
    .flatMap(({ instances }) => instances.filter(isWanted))
    .flatMap((instance) => {
      const host = facts.hosts.get(instance.instanceId);
      return host === undefined ? [] : [{ instance, host }];
    });
  const tasks = await tasksOf(
    facts,
    // Only who may move them needs to know them, and they are many.
    provider.policy.consolidation === 'replace' ? joined.map(({ host }) => host) : [],
  );
  return joined.map(({ instance, host }) => ({
    host,
    instanceId: instance.instanceId,
    offer: instance.offer,
    zone: instance.zone,
    hourlyUsd: instance.hourlyUsd,
    joinedAt: instance.joinedAt ?? facts.now,
    emptySince: host.taskCount === 0 ? (instance.idle?.since ?? facts.now) : undefined,
    tasks: tasks.get(host.hostId) ?? [],
  }));
}

async function tasksOf({ deps, now }: Facts, hosts: readonly HostCapacity[]): Promise<Map<string, HostTaskFacts[]>> {
  const busy = hosts.filter(({ status, taskCount }) => status === 'ACTIVE' && taskCount > 0);
  const entries = await Promise.all(busy.map(({ hostId }) => hostTasks(deps.table, hostId)));
  const found = await getTasks(
    deps.table,
    entries.flat().map(({ taskId }) => taskId),
  );
  const byHost = new Map<string, HostTaskFacts[]>();
  for (const task of found.values()) {
    const { id, hostId, needs, replaceable, desired, released } = task;
    if (hostId === undefined || released) continue;
    const mayMove = replaceable === true && !isProtected(task, now);
    // What is to stop anyway holds nobody up.
    const fact = { taskId: id, needs, replaceable: mayMove || desired.status === 'STOPPED' };
    byHost.set(hostId, [...(byHost.get(hostId) ?? []), fact]);
  }
  return byHost;
}
