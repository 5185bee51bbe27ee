/** GetCapacity: what the loop that buys sees and would do, without doing it. */
import { planCapacity } from '../../core/plan/capacity/plan.ts';
import type { CapacityInput } from '../../core/plan/capacity/types.ts';
import { capacityInput, type Market, offersFor, providersOf, waitingFor } from '../capacity/facts.ts';
import { type Facts, readFacts } from '../capacity/round.ts';
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
  const { facts, market } = sight;
  const all = providersOf(facts, providers);
  const plans: [string, { plan: ReturnType<typeof planCapacity>; lean: ReturnType<typeof planCapacity> }][] = [];
  for (const provider of all) {
    const willing = { ...provider, policy: { ...provider.policy, consolidation: 'replace' as const } };
    const lean = await capacityInput(facts, willing, { waiting: waitingFor(provider, all, waiting), market });
    plans.push([
      provider.name,
      { plan: planCapacity({ ...lean, policy: provider.policy }), lean: planCapacity(withoutPatience(lean)) },
    ]);
  }
  const prices = new Map(market.offers.map(({ name, hourlyUsd }) => [name, hourlyUsd]));
  const hosts = [...facts.hosts.values()].filter(({ status }) => status !== 'INACTIVE');
  const shown = { providers: all, purchases: facts.book.all, hosts, waiting, prices };
  return capacityReport(shown, new Map(plans) satisfies ProviderPlans);
};

/** As if nothing might stay that need not. */
const withoutPatience = (input: CapacityInput): CapacityInput => ({
  ...input,
  policy: { ...input.policy, idleSeconds: 0, maxDraining: Math.max(1, input.hosts.length) },
});

export interface Sight {
  readonly facts: Facts;
  readonly market: Market;
}

/** What is needed for a plan; undefined where nobody here knows what is on offer. */
export async function openSight(deps: ControlDeps, cluster: string): Promise<Sight | undefined> {
  const { catalogue, table, clock } = deps;
  if (catalogue === undefined) return undefined;
  const facts = await readFacts(deps, cluster);
  try {
    const offers = await offersFor(deps, catalogue, cluster);
    return { facts, market: { offers, blames: await blames(table, cluster, clock.now()) } };
  } catch (error) {
    deps.log.warn({ err: error, cluster }, 'it is not known what is on offer, so nothing is planned');
    return undefined;
  }
}
