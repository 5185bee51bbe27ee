/**
 * Makes a cluster's hosts follow its tasks: first it carries on with what was bought before, then it plans, writes down what is to be
 * bought, and only then acts. A process may die at any point: the next activation finds everything written down. docs/adr/0005.
 */
import type { CapacityProvider, Purchase } from '../../core/model/capacity.ts';
import { planCapacity } from '../../core/plan/capacity/plan.ts';
import type { CapacityPlan } from '../../core/plan/capacity/types.ts';
import { beginEnding, finishEndings } from '../capacity/ending.ts';
import { capacityInput, type Market, offersFor, providersOf, waitingFor } from '../capacity/facts.ts';
import { followHosts } from '../capacity/following.ts';
import { blameLate } from '../capacity/late.ts';
import { aboutOrder, adopt, askAgainAt, isForgotten, launchAll } from '../capacity/launching.ts';
import { notesOf, writeNotes } from '../capacity/notes.ts';
import { isWanted, mostPurchasesAtOnce, Overtaken } from '../capacity/purchase-book.ts';
import { openRound, type Round } from '../capacity/round.ts';
import { sweep } from '../capacity/sweep.ts';
import type { ControlDeps } from '../deps.ts';
import type { FleetInstance } from '../fleet/fleet.ts';
import { drainForConsolidation } from '../hosts/drain-instance.ts';
import { clusterProviders } from '../store/capacity-providers.ts';
import { blames } from '../store/purchases.ts';
import { type WaitingTask, waitingTasks } from '../store/waiting-tasks.ts';
import type { ClusterLoop, LoopResult } from './loop.ts';

export const buyCapacity: ClusterLoop = {
  name: 'buy-capacity',
  scope: 'cluster',
  periodSeconds: (deps) => deps.settings.heartbeatSeconds,
  activate,
};

/** After a step that another process or the fleet has hindered. */
const retryMs = 5_000;
/** After a purchase: what is told to the tasks is planned again from what is ordered by then. */
const goOnMs = 500;

async function activate(deps: ControlDeps, cluster: string): Promise<LoopResult> {
  const { fleet } = deps;
  if (fleet === undefined) return { changed: 0 };
  try {
    return await carryOut(await openRound(deps, fleet, cluster));
  } catch (error) {
    if (!(error instanceof Overtaken)) throw error;
    deps.log.debug({ cluster, why: error.message }, 'another process buys for this cluster; it is looked at again');
    return { changed: 0, againAt: deps.clock.now() + Math.round(deps.random() * retryMs) };
  }
}

async function carryOut(round: Round): Promise<LoopResult> {
  const { deps, fleet, cluster, now } = round;
  const listed = await sweep(round);
  const providers = providersOf(round, await clusterProviders(deps.table, cluster));
  if (providers.length === 0) return { changed: 0 };
  const known = await marketOf(round);
  if (known !== undefined) await settleOpen(round, known, listed);
  await followHosts(round);
  await endLeftovers(round);
  const market = known === undefined ? nothingOnOffer : await blameLate(round, providers, known);
  const waiting = await stillWaiting(round);
  const plans: { readonly provider: CapacityProvider; readonly plan: CapacityPlan }[] = [];
  for (const provider of providers) {
    const own = waitingFor(provider, providers, waiting);
    plans.push({ provider, plan: planCapacity(await capacityInput(round, provider, { waiting: own, market })) });
  }
  const ordered = await order(
    round,
    plans.map(({ plan }) => plan),
    market,
  );
  let changed = ordered.length;
  for (const { provider, plan } of plans) changed += await letGo(round, provider, plan);
  const isAllEnded = await finishEndings(round);
  // What is not known now is no reason to tell a task that nothing suits it.
  if (known !== undefined)
    changed += await tell(
      deps,
      waiting,
      plans.map(({ plan }) => plan),
    );
  const againAt = Math.min(
    ...plans.map(({ plan }) => plan.againAt ?? Infinity),
    ...round.book.all
      .filter(({ state }) => state === 'OPEN')
      .map((open) => Math.max(askAgainAt(open, fleet), now + retryMs)),
    ordered.length > 0 ? now + goOnMs : Infinity,
    isAllEnded && known !== undefined ? Infinity : now + retryMs,
  );
  return Number.isFinite(againAt) ? { changed, againAt } : { changed };
}

/** With it nothing is bought, and hosts go all the same. */
const nothingOnOffer: Market = { offers: [], blames: [] };

/** undefined where the fleet does not say what is on offer: what was bought before must not stay for that. */
async function marketOf({ deps, fleet, cluster, now }: Round): Promise<Market | undefined> {
  try {
    return {
      offers: await offersFor(deps, fleet, cluster),
      blames: await blames(deps.table, cluster, now),
    };
  } catch (error) {
    deps.log.warn({ err: error, cluster }, 'it is not known what is on offer, so nothing is bought');
    return undefined;
  }
}

/** As they are and not as they were: nobody pays for a task that has just been placed. */
async function stillWaiting({ deps, cluster, now }: Round): Promise<readonly WaitingTask[]> {
  const waiting = await waitingTasks(deps.table, cluster, { eventual: false });
  return waiting.filter(({ placementDeadline }) => placementDeadline > now);
}

/** Purchases of which it is not known what the fleet made of them. */
async function settleOpen(round: Round, market: Market, listed: readonly FleetInstance[] | undefined): Promise<void> {
  const { deps, fleet, book, cluster, now } = round;
  const open = book.all.filter((purchase) => purchase.state === 'OPEN' && askAgainAt(purchase, fleet) <= now);
  if (open.length === 0) return;
  // Nothing is launched for a cluster that is none any more.
  const mayAsk = (await deps.recent.activeCluster(cluster)) !== undefined;
  const again = open.filter((purchase) => mayAsk && !isForgotten(purchase, now));
  for (const { order: asked, orderedAt } of again)
    deps.log.warn(
      { ...aboutOrder(asked), orderedAt },
      'it is not known what was launched; the same is asked for again',
    );
  await launchAll(round, again, market.offers);
  if (listed === undefined) return;
  for (const purchase of open) if (isForgotten(purchase, now)) await adopt(round, purchase, listed, market.offers);
}

/** Instances whose host was ended by somebody else and is not in the list any more; in a cluster that was deleted, all. */
async function endLeftovers(round: Round): Promise<void> {
  const { deps, book, cluster, hosts } = round;
  const isActive = (await deps.recent.activeCluster(cluster)) !== undefined;
  const instances = book.all.flatMap((purchase) => purchase.instances.filter(isWanted));
  for (const { instanceId, joinedAt } of instances) {
    if (hosts.has(instanceId) || (isActive && joinedAt === undefined)) continue;
    const why = isActive ? `${instanceId} is no host any more` : `the cluster ${cluster} was deleted`;
    await beginEnding(round, { instanceId, hostId: undefined, why });
  }
}

/** Writes down what is to be bought, and then asks for it. */
async function order(round: Round, plans: readonly CapacityPlan[], market: Market): Promise<readonly Purchase[]> {
  const { deps, book, cluster, turn, now } = round;
  const purchases = plans
    .flatMap(({ launches }) => launches)
    .slice(0, mostPurchasesAtOnce)
    .map(
      (launch): Purchase => ({
        order: { ...launch.order, id: deps.newId() },
        state: 'OPEN',
        orderedAt: now,
        covers: launch.covers.slice(0, 100),
        why: launch.why,
        instances: [],
        version: 1,
      }),
    );
  if (purchases.length === 0) return [];
  await book.order(turn, purchases);
  for (const { order: written, why, covers } of purchases) {
    deps.log.info({ ...aboutOrder(written), why, tasks: covers.length }, 'hosts are ordered');
    deps.metrics.count('HostsOrdered', written.count, { cluster });
  }
  await launchAll(round, purchases, market.offers);
  return purchases;
}

/** Answers how many hosts go, or begin to. */
async function letGo(round: Round, { policy }: CapacityProvider, plan: CapacityPlan): Promise<number> {
  const { deps, hosts, cluster, now } = round;
  let going = 0;
  for (const termination of plan.terminations) if (await beginEnding(round, termination)) going += 1;
  for (const { hostId, instanceId, why, deadline } of plan.drains) {
    const host = hosts.get(instanceId);
    if (host === undefined || host.hostId !== hostId) continue;
    const giveUpAt = now + policy.drainSeconds * 1000;
    if (!(await drainForConsolidation(deps, host, { why, deadline, giveUpAt }))) continue;
    deps.log.info({ hostId, instanceId, cluster, why }, 'a host is drained, as it is not needed');
    going += 1;
  }
  return going;
}

function tell(deps: ControlDeps, waiting: readonly WaitingTask[], plans: readonly CapacityPlan[]): Promise<number> {
  return writeNotes(deps, waiting, new Map(plans.flatMap((plan) => [...notesOf(plan)])));
}
