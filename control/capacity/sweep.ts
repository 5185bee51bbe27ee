/**
 * Compares what the fleet has with what was bought: instances that are nobody's are ended once they are old enough for that to be sure,
 * and those that are gone are noted. Without it a lost answer would be a machine that somebody pays for and nobody knows.
 */
import { type PurchasedInstance, providerAttribute } from '../../core/model/capacity.ts';
import type { HostCapacity } from '../../core/model/host.ts';
import type { FleetInstance } from '../fleet/fleet.ts';
import { noteGone } from './ending.ts';
import { offersFor } from './facts.ts';
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
    await endAgain(round, listed);
  } catch (error) {
    deps.log.warn({ err: error, cluster }, 'the fleet could not be looked through; it is tried again');
    return undefined;
  }
  await findGone(round, listed);
  deps.recent.fleetSweeps.set(cluster, now);
  return listed;
}

async function endOrphans(round: Round, listed: readonly FleetInstance[]): Promise<void> {
  const { deps, fleet, book, cluster, now } = round;
  const strangers = listed.filter(({ orderId, instanceId, state }) => {
    if (state !== 'pending' && state !== 'running') return false;
    return book.get(orderId)?.state !== 'OPEN' && book.of(instanceId) === undefined;
  });
  const isHost = ({ instanceId }: FleetInstance): boolean => isLiving(round.hosts.get(instanceId));
  for (const stranger of strangers.filter(isHost)) await keepFound(round, stranger);
  const orphans = strangers.filter((stranger) => !isHost(stranger) && stranger.launchedAt + certainMs <= now);
  if (orphans.length === 0) return;
  await fleet.terminate(orphans.map(({ instanceId }) => instanceId));
  for (const { instanceId, orderId, launchedAt } of orphans)
    deps.log.warn({ instanceId, order: orderId, cluster, launchedAt }, 'an instance that nobody has bought was ended');
  deps.metrics.count('OrphansEnded', orphans.length, { cluster });
}

/** The fleet has taken the end of these, and they are there all the same: it knew nothing of them yet. */
async function endAgain({ deps, fleet, book, cluster, now }: Round, listed: readonly FleetInstance[]): Promise<void> {
  const ended = new Set(
    book.all
      .flatMap(({ instances }) => instances)
      .flatMap(({ instanceId, endedAt = Infinity }) => (endedAt + sweepEveryMs <= now ? instanceId : [])),
  );
  const there = listed.filter(
    ({ instanceId, state }) => ended.has(instanceId) && (state === 'pending' || state === 'running'),
  );
  if (there.length === 0) return;
  const instances = there.map(({ instanceId }) => instanceId);
  await fleet.terminate(instances);
  deps.log.warn({ instances, cluster }, 'instances that had been ended were still there, and are ended again');
}

const isLiving = (host: HostCapacity | undefined): boolean => host !== undefined && host.status !== 'INACTIVE';

/** It has joined by a token before anybody knew of it, and may run tasks: it is kept as one that was bought. */
async function keepFound(round: Round, { instanceId, offer, zone, orderId, launchedAt }: FleetInstance): Promise<void> {
  const { deps, book, cluster, hosts, now } = round;
  const hourlyUsd =
    (await offersFor(round.deps, round.fleet, round.cluster)).find(({ name }) => name === offer)?.hourlyUsd ?? 0;
  const provider = hosts.get(instanceId)?.attributes[providerAttribute] ?? '';
  await book.add({
    order: {
      id: `${orderId}-${instanceId}`,
      cluster,
      provider,
      offers: [{ name: offer, zones: [zone] }],
      market: 'on-demand',
      count: 1,
    },
    state: 'LAUNCHED',
    orderedAt: launchedAt,
    covers: [],
    why: 'it was found as a host that nobody knew to have bought',
    instances: [{ instanceId, offer, zone, hourlyUsd, launchedAt, joinedAt: now }],
    version: 1,
  });
  deps.log.warn({ instanceId, order: orderId, cluster }, 'a host was found that nobody knew to have bought');
}

async function findGone(round: Round, listed: readonly FleetInstance[]): Promise<void> {
  const states = new Map(listed.map(({ instanceId, state }) => [instanceId, state]));
  const gone = round.book.all
    .flatMap(({ instances }) => instances)
    .filter((instance) => isWanted(instance) && isGone(round, instance, states.get(instance.instanceId)));
  for (const { instanceId } of gone) await noteGone(round, instanceId);
  for (const { name, ...host } of round.hosts.values()) {
    // Bought by a purchase that has never known it.
    const isStranger = host.attributes[providerAttribute] !== undefined && round.book.of(name) === undefined;
    const isLost = isStranger && !states.has(name) && host.status !== 'INACTIVE' && !host.connected;
    if (isLost && host.connectedChangedAt + certainMs <= round.now) await noteGone(round, name);
  }
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
