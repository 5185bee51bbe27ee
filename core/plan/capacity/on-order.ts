/** What is on order: it counts for what waits and for the limits, as the hosts do that it has become and that have no task yet. */
import type { Order, Purchase, PurchasedInstance } from '../../model/capacity.ts';
import type { HostCapacity } from '../../model/host.ts';
import { hostOfOffer, type SeenOffer, seenOffers } from './market.ts';
import { asReady } from './shapes.ts';
import type { CapacityInput, OwnedHost } from './types.ts';

/** A host that has no task yet. */
export interface Fresh {
  readonly host: HostCapacity;
  /** `m7g.large i-0123, which is launched and has not joined yet`; undefined where it is there. */
  readonly awaitedAs: string | undefined;
  readonly hourlyUsd: number;
  readonly market: Order['market'];
  readonly orderedAt: number;
}

export interface OnOrder {
  /** Hosts of the provider that have no task yet, whether they are there or only on order. */
  readonly fresh: readonly Fresh[];
  /** Not yet joined, and not given up or ended. */
  readonly hosts: number;
  readonly cpuUnits: number;
  readonly hourlyUsd: number;
  /** Covered by orders of which nobody knows any more what they bring: awaited as they were bought for. Task to order. */
  readonly promised: ReadonlyMap<string, string>;
  /** Launched, and not joined in time. */
  readonly overdue: readonly PurchasedInstance[];
  /** When those that are still expected are overdue. */
  readonly overdueAt: readonly number[];
}

interface Draft {
  readonly fresh: Fresh[];
  hosts: number;
  cpuUnits: number;
  hourlyUsd: number;
  readonly promised: Map<string, string>;
  readonly overdue: PurchasedInstance[];
  readonly overdueAt: number[];
}

export function onOrder(input: CapacityInput): OnOrder {
  const offers = new Map(seenOffers(input).map((seen) => [seen.offer.name, seen]));
  const joined = new Set(input.hosts.map(({ instanceId }) => instanceId));
  const draft: Draft = {
    fresh: [],
    hosts: 0,
    cpuUnits: 0,
    hourlyUsd: 0,
    promised: new Map(),
    overdue: [],
    overdueAt: [],
  };
  for (const purchase of input.purchases) {
    if (purchase.state === 'CLOSED') continue;
    if (purchase.state === 'OPEN') addOpen(draft, purchase, offers, input);
    for (const instance of purchase.instances) {
      if (!isComing(instance) || joined.has(instance.instanceId)) continue;
      addInstance(draft, { purchase, instance, offer: offers.get(instance.offer) }, input);
    }
  }
  const bought = new Map(
    input.purchases.flatMap((purchase) => purchase.instances.map(({ instanceId }) => [instanceId, purchase] as const)),
  );
  for (const owned of input.hosts) addJoined(draft, owned, bought.get(owned.instanceId), input);
  return draft;
}

const isComing = ({ joinedAt, endingAt, endedAt }: PurchasedInstance): boolean =>
  joinedAt === undefined && endingAt === undefined && endedAt === undefined;

/** What was ordered and has no instance yet counts whole, as large and as dear as any of its offers. */
function addOpen(draft: Draft, purchase: Purchase, offers: ReadonlyMap<string, SeenOffer>, input: CapacityInput): void {
  const { order, instances, orderedAt } = purchase;
  const count = Math.max(0, order.count - instances.length);
  const named = order.offers.flatMap(({ name, zones }) => {
    const seen = offers.get(name);
    return seen === undefined ? [] : [{ seen, zones }];
  });
  draft.hosts += count;
  draft.cpuUnits += count * Math.max(0, ...named.map(({ seen }) => seen.offer.cpuUnits));
  draft.hourlyUsd += count * Math.max(0, ...named.map(({ seen }) => priceOf(seen, order.market)));
  const [first] = named;
  if (first === undefined) promise(draft, purchase);
  else {
    const awaitedAs = `${first.seen.offer.name}, which is ordered (${order.id})`;
    const host = hostOfOffer(first.seen, first.zones, input);
    const fresh = { host, awaitedAs, hourlyUsd: priceOf(first.seen, order.market), market: order.market, orderedAt };
    for (let copy = 0; copy < count; copy += 1) draft.fresh.push(fresh);
  }
}

const priceOf = ({ offer }: SeenOffer, market: Order['market']): number =>
  market === 'spot' ? (offer.spotHourlyUsd ?? offer.hourlyUsd) : offer.hourlyUsd;

function promise(draft: Draft, { covers, order }: Purchase): void {
  for (const taskId of covers) draft.promised.set(taskId, order.id);
}

function addInstance(
  draft: Draft,
  bought: {
    readonly purchase: Purchase;
    readonly instance: PurchasedInstance;
    readonly offer: SeenOffer | undefined;
  },
  input: CapacityInput,
): void {
  const { now, policy } = input;
  const { purchase, instance, offer } = bought;
  draft.hosts += 1;
  draft.cpuUnits += offer?.offer.cpuUnits ?? 0;
  draft.hourlyUsd += instance.hourlyUsd;
  const until = instance.launchedAt + policy.joinSeconds * 1000;
  if (until <= now) {
    draft.overdue.push(instance);
    return;
  }
  draft.overdueAt.push(until);
  if (offer === undefined) promise(draft, purchase);
  else {
    const awaitedAs = `${instance.offer} ${instance.instanceId}, which is launched and has not joined yet`;
    // As it was promised: if the zone that it is in now drew other tasks to it, those that it was bought for would be bought for again.
    const zones = purchase.order.offers.find(({ name }) => name === instance.offer)?.zones ?? [instance.zone];
    const { order, orderedAt } = purchase;
    const { hourlyUsd } = instance;
    const host = hostOfOffer(offer, zones, input);
    draft.fresh.push({ host, awaitedAs, hourlyUsd, market: order.market, orderedAt });
  }
}

/** A host that has joined takes tasks only once it has reported: until then it is still on order, though not for the limits. */
function addJoined(
  draft: Draft,
  { host, joinedAt, hourlyUsd }: OwnedHost,
  purchase: Purchase | undefined,
  { now, policy }: CapacityInput,
): void {
  const bought = {
    hourlyUsd,
    market: purchase?.order.market ?? 'on-demand',
    orderedAt: purchase?.orderedAt ?? joinedAt,
  };
  if (isFresh(host)) draft.fresh.push({ host, awaitedAs: undefined, ...bought });
  if (!isStarting(host)) return;
  const until = joinedAt + policy.joinSeconds * 1000;
  if (until <= now) return;
  draft.overdueAt.push(until);
  const awaitedAs = `${host.name}, which has joined and not reported yet`;
  draft.fresh.push({ host: asReady(host), awaitedAs, ...bought });
}

export const isStarting = (host: HostCapacity): boolean => host.status === 'ACTIVE' && host.reportedEpoch === 0;

/** There, and with all its room still to be given. */
export const isFresh = (host: HostCapacity): boolean =>
  host.status === 'ACTIVE' && host.reportedEpoch > 0 && host.taskCount === 0;
