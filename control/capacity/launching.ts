/**
 * Asks the fleet for what is written down, and writes down what it answers. Asking again is asking for the same, so that a process may
 * die before, between and after; what the fleet has promised to remember for too long ago is taken from its list instead.
 */
import type { Offer, Order, Purchase, PurchasedInstance } from '../../core/model/capacity.ts';
import type { Blame } from '../../core/plan/capacity/types.ts';
import type { Fleet, FleetInstance, LaunchedInstance, LaunchFault, LaunchOutcome } from '../fleet/fleet.ts';
import { admitInstances } from '../hosts/instances.ts';
import { addBlame } from '../store/purchases.ts';
import type { Round } from './round.ts';

/** Younger ones are most likely in the hands of the process that wrote them. */
const usualAnswerMs = 60_000;
/** A fleet answers the same for ten minutes at least. */
const rememberedMs = 9 * 60_000;
const asksAtOnce = 8;

const blameMs: Readonly<Record<Exclude<LaunchFault['kind'], 'throttled'>, number>> = {
  'no-capacity': 5 * 60_000,
  limit: 60_000,
  invalid: 15 * 60_000,
};
const mostBlames = 90;

/** When a purchase that is still OPEN is to be asked for again. */
export const askAgainAt = ({ orderedAt }: Purchase, { answersWithinMs = usualAnswerMs }: Fleet): number =>
  orderedAt + answersWithinMs;
export const isForgotten = ({ orderedAt }: Purchase, now: number): boolean => orderedAt + rememberedMs <= now;

export async function launchAll(round: Round, purchases: readonly Purchase[], offers: readonly Offer[]): Promise<void> {
  for (let from = 0; from < purchases.length; from += asksAtOnce)
    await Promise.all(purchases.slice(from, from + asksAtOnce).map((purchase) => launch(round, purchase, offers)));
}

async function launch(round: Round, purchase: Purchase, offers: readonly Offer[]): Promise<void> {
  const { deps, fleet } = round;
  const { order } = purchase;
  const about = { ...aboutOrder(order), why: purchase.why };
  let outcome: LaunchOutcome;
  try {
    outcome = await fleet.launch(order);
  } catch (error) {
    deps.log.warn({ ...about, err: error }, 'it is not known what was launched; the same is asked for again');
    countFault(round, 'unknown');
    return;
  }
  for (const { kind } of outcome.faults) countFault(round, kind);
  if (outcome.instances.length === 0 && outcome.faults.some(({ kind }) => kind === 'throttled')) {
    deps.log.warn({ ...about, faults: outcome.faults }, 'the fleet is asked too much; the same is asked for again');
    return;
  }
  const at = deps.clock.now();
  await note(round, purchase, {
    instances: outcome.instances.map((instance) => bought(instance, { order, offers, launchedAt: at })),
    faults: outcome.faults,
    failure: outcome.faults.map(({ message }) => message).join('; '),
  });
}

/** Nobody knows any more what was answered: what is there was. What shows later is nobody's, and is ended (sweep.ts). */
export async function adopt(
  round: Round,
  purchase: Purchase,
  listed: readonly FleetInstance[],
  offers: readonly Offer[],
): Promise<void> {
  const { order } = purchase;
  const own = listed.filter(
    ({ orderId, state }) => orderId === order.id && (state === 'pending' || state === 'running'),
  );
  const instances = own.map((instance) => bought(instance, { order, offers, launchedAt: instance.launchedAt }));
  const failure = instances.length === order.count ? '' : 'it was never known what the fleet answered';
  await note(round, purchase, { instances, faults: [], failure });
}

interface Answer {
  readonly instances: readonly PurchasedInstance[];
  readonly faults: readonly LaunchFault[];
  readonly failure: string;
}

async function note(round: Round, { order }: Purchase, { instances, faults, failure }: Answer): Promise<void> {
  const { deps, book, cluster } = round;
  const ids = instances.map(({ instanceId }) => instanceId);
  // Before it is written down: a purchase that is LAUNCHED has nothing left to do.
  if (ids.length > 0) await admitInstances(deps, cluster, ids, order.provider);
  const now = deps.clock.now();
  const blames = blamesOf(order, faults, now).map((blame) => addBlame(cluster, blame));
  const over = instances.length === 0 ? { state: 'CLOSED' as const, closedAt: now } : { state: 'LAUNCHED' as const };
  const fault = failure === '' ? {} : { failure };
  await book.change(order.id, (seen) => ({ ...seen, ...over, ...fault, instances: [...instances] }), blames);
  const about = { ...aboutOrder(order), instances: ids, faults };
  if (ids.length === order.count) deps.log.info(about, 'hosts were launched');
  else deps.log.warn({ ...about, failure }, 'fewer hosts were launched than ordered');
}

function bought(
  { instanceId, offer, zone }: LaunchedInstance,
  {
    order,
    offers,
    launchedAt,
  }: { readonly order: Order; readonly offers: readonly Offer[]; readonly launchedAt: number },
): PurchasedInstance {
  const found = offers.find(({ name }) => name === offer);
  const hourlyUsd = (order.market === 'spot' ? found?.spotHourlyUsd : undefined) ?? found?.hourlyUsd ?? 0;
  return { instanceId, offer, zone, hourlyUsd, launchedAt };
}

/** A limit or a mistake is not about one zone: all that was asked for is left alone for a while. */
function blamesOf({ offers, market }: Order, faults: readonly LaunchFault[], now: number): Blame[] {
  const blames = new Map<string, Blame>();
  for (const fault of faults) {
    if (fault.kind === 'throttled') continue;
    const places =
      fault.kind === 'no-capacity'
        ? [{ offer: fault.offer, zone: fault.zone }]
        : offers.flatMap(({ name, zones }) => zones.map((zone) => ({ offer: name, zone })));
    for (const { offer, zone } of places) {
      const blame = { offer, zone, market, until: now + blameMs[fault.kind], why: fault.message };
      blames.set(`${offer}#${zone}`, blame);
    }
  }
  return [...blames.values()].slice(0, mostBlames);
}

const countFault = ({ deps, cluster }: Round, reason: LaunchFault['kind'] | 'unknown'): void =>
  deps.metrics.count('LaunchFaults', 1, { cluster, reason });

export const aboutOrder = ({ id, cluster, provider, count, market, offers }: Order): object => ({
  order: id,
  cluster,
  provider,
  count,
  market,
  offers: offers.map(({ name }) => name),
});
