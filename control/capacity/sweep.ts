/**
 * Compares what the fleet has with what was bought: instances that are nobody's are ended once they are old enough for that to be sure,
 * and those that are gone are noted. Without it a lost answer would be a machine that somebody pays for and nobody knows.
 */
import type { PurchasedInstance } from '../../core/model/capacity.ts';
import type { FleetInstance } from '../fleet/fleet.ts';
import { noteGone } from './ending.ts';
import { isWanted } from './purchase-book.ts';
import type { Round } from './round.ts';

/** What was launched shows by then, and what was bought for is written down long before. */
const certainMs = 10 * 60_000;
const sweepEveryMs = 60_000;

/** What the fleet has, where it was time to look; undefined where it was not, or the fleet did not say. */
export async function sweep(round: Round): Promise<readonly FleetInstance[] | undefined> {
  const { deps, fleet, cluster, now } = round;
  if (now - (deps.recent.fleetSweeps.get(cluster) ?? -Infinity) < sweepEveryMs) return undefined;
  let listed: readonly FleetInstance[];
  try {
    listed = await fleet.list(cluster);
    await endOrphans(round, listed);
  } catch (error) {
    deps.log.warn({ err: error, cluster }, 'the fleet could not be looked through; it is tried again');
    return undefined;
  }
  await findGone(round, listed);
  deps.recent.fleetSweeps.set(cluster, now);
  return listed;
}

async function endOrphans({ deps, fleet, book, cluster, now }: Round, listed: readonly FleetInstance[]): Promise<void> {
  const orphans = listed.filter(({ orderId, instanceId, state, launchedAt }) => {
    if (state !== 'pending' && state !== 'running') return false;
    const purchase = book.get(orderId);
    const isKnown =
      purchase !== undefined &&
      (purchase.state === 'OPEN' || purchase.instances.some((instance) => instance.instanceId === instanceId));
    return !isKnown && launchedAt + certainMs <= now;
  });
  if (orphans.length === 0) return;
  await fleet.terminate(orphans.map(({ instanceId }) => instanceId));
  for (const { instanceId, orderId, launchedAt } of orphans)
    deps.log.warn({ instanceId, order: orderId, cluster, launchedAt }, 'an instance that nobody has bought was ended');
  deps.metrics.count('OrphansEnded', orphans.length, { cluster });
}

async function findGone(round: Round, listed: readonly FleetInstance[]): Promise<void> {
  const states = new Map(listed.map(({ instanceId, state }) => [instanceId, state]));
  const gone = round.book.all
    .flatMap(({ instances }) => instances)
    .filter((instance) => isWanted(instance) && isGone(round, instance, states.get(instance.instanceId)));
  for (const instance of gone) await noteGone(round, instance);
}

/** A host that is heard has a machine, whatever the fleet says. */
function isGone(
  { hosts, now }: Round,
  { instanceId, launchedAt }: PurchasedInstance,
  state: FleetInstance['state'] | undefined,
): boolean {
  const host = hosts.get(instanceId);
  if (host?.connected && host.status !== 'INACTIVE') return false;
  if (state === undefined) return launchedAt + certainMs <= now;
  return state === 'ending' || state === 'ended';
}
