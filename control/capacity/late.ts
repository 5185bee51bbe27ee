/**
 * Blames offers whose instances were launched and became no host in time, before it is planned again: what replaces them is another
 * offer, or another zone, for a while. Ending the instances is the plan's (core/plan/capacity/going.ts).
 */
import type { CapacityProvider, Purchase, PurchasedInstance } from '../../core/model/capacity.ts';
import { allowedOffers } from '../../core/plan/capacity/allowed-offers.ts';
import type { Blame } from '../../core/plan/capacity/types.ts';
import { formatDuration } from '../../core/text.ts';
import { addBlame } from '../store/purchases.ts';
import type { Market } from './facts.ts';
import { isWanted } from './purchase-book.ts';
import type { Round } from './round.ts';

const blameMs = 5 * 60_000;
const mostBlames = 90;

/** Answers the market with these blames as well. */
export async function blameLate(round: Round, providers: readonly CapacityProvider[], market: Market): Promise<Market> {
  const blames = providers.flatMap((provider) => blamesFor(round, provider, market)).slice(0, mostBlames);
  if (blames.length === 0) return market;
  const { deps, cluster } = round;
  await deps.table.commit(blames.map((blame) => addBlame(cluster, blame)));
  return { ...market, blames: [...market.blames, ...blames] };
}

function blamesFor(round: Round, provider: CapacityProvider, { offers }: Market): Blame[] {
  const places = allowedOffers(provider, offers).reduce((sum, { zones }) => sum + zones.length, 0);
  // Where there is nothing else to try, the same is tried again.
  if (places < 2) return [];
  const late = round.book.all
    .filter(({ order }) => order.provider === provider.name)
    .flatMap((purchase) =>
      purchase.instances
        .filter((instance) => isLate(round, provider, instance))
        .map((instance) => blameOf(round, provider, { purchase, instance })),
    );
  return [...new Map(late.map((blame) => [`${blame.market}#${blame.offer}#${blame.zone}`, blame])).values()];
}

const isLate = ({ hosts, now }: Round, { policy }: CapacityProvider, instance: PurchasedInstance): boolean =>
  isWanted(instance) &&
  instance.joinedAt === undefined &&
  !hosts.has(instance.instanceId) &&
  instance.launchedAt + policy.joinSeconds * 1000 <= now;

const blameOf = (
  { now }: Round,
  { policy }: CapacityProvider,
  { purchase, instance }: { readonly purchase: Purchase; readonly instance: PurchasedInstance },
): Blame => ({
  offer: instance.offer,
  zone: instance.zone,
  market: purchase.order.market,
  until: now + blameMs,
  why: `${instance.instanceId}, a ${instance.offer} in ${instance.zone}, did not join within ${formatDuration(policy.joinSeconds * 1000)}.`,
});
