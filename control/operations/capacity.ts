/** GetCapacity: what the loop that buys sees and would do, without doing it. */
import { planCapacity } from '../../core/plan/capacity/plan.ts';
import type { CapacityInput } from '../../core/plan/capacity/types.ts';
import { capacityInput, fleetOffers, type Market, providersOf, waitingFor } from '../capacity/facts.ts';
import { openRound, type Round } from '../capacity/round.ts';
import type { ControlDeps } from '../deps.ts';
import { clusterProviders } from '../store/capacity-providers.ts';
import { blames, openPurchases } from '../store/purchases.ts';
import { waitingTasks } from '../store/waiting-tasks.ts';
import type { Handlers } from './context.ts';
import { activeClusterName } from './references.ts';
import { capacityReport, type ProviderPlans } from './views/capacity-report.ts';

export const getCapacity: Handlers['GetCapacity'] = async ({ deps }, input) => {
  const cluster = await activeClusterName(deps, input.cluster);
  const [providers, waiting, sight] = await Promise.all([
    clusterProviders(deps.table, cluster),
    waitingTasks(deps.table, cluster),
    openSight(deps, cluster),
  ]);
  if (sight === undefined) {
    const [purchases, hosts] = await Promise.all([
      openPurchases(deps.table, cluster),
      deps.capacity.readStrongly(cluster),
    ]);
    const there = hosts.filter(({ status }) => status !== 'INACTIVE');
    return capacityReport({ providers, purchases, hosts: there, waiting, prices: new Map() }, new Map());
  }
  const { round, market } = sight;
  const all = providersOf(round, providers);
  const plans: [string, { plan: ReturnType<typeof planCapacity>; lean: ReturnType<typeof planCapacity> }][] = [];
  for (const provider of all) {
    const willing = { ...provider, policy: { ...provider.policy, consolidation: 'replace' as const } };
    const lean = await capacityInput(round, willing, { waiting: waitingFor(provider, all, waiting), market });
    plans.push([
      provider.name,
      { plan: planCapacity({ ...lean, policy: provider.policy }), lean: planCapacity(withoutPatience(lean)) },
    ]);
  }
  const prices = new Map(market.offers.map(({ name, hourlyUsd }) => [name, hourlyUsd]));
  const hosts = [...round.hosts.values()].filter(({ status }) => status !== 'INACTIVE');
  const facts = { providers: all, purchases: round.book.all, hosts, waiting, prices };
  return capacityReport(facts, new Map(plans) satisfies ProviderPlans);
};

/** As if nothing might stay that need not. */
const withoutPatience = (input: CapacityInput): CapacityInput => ({
  ...input,
  policy: { ...input.policy, idleSeconds: 0, maxDraining: Math.max(1, input.hosts.length) },
});

export interface Sight {
  readonly round: Round;
  readonly market: Market;
}

/** What is needed for a plan; undefined where there is no fleet here, or it does not say what is on offer. */
export async function openSight(deps: ControlDeps, cluster: string): Promise<Sight | undefined> {
  const { fleet, table, clock } = deps;
  if (fleet === undefined) return undefined;
  const round = await openRound(deps, fleet, cluster);
  try {
    return { round, market: { offers: await fleetOffers(round), blames: await blames(table, cluster, clock.now()) } };
  } catch (error) {
    deps.log.warn({ err: error, cluster }, 'the fleet cannot say what is on offer, so nothing is planned');
    return undefined;
  }
}
