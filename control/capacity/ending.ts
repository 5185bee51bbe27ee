/**
 * Ends instances: their host is taken out first, on the condition that nothing runs on it; then it is written down; then the fleet is
 * asked. Each step may be repeated, and is by the next round where a process died in between.
 */
import { GantryError } from '../../core/errors.ts';
import type { PurchasedInstance } from '../../core/model/capacity.ts';
import type { Termination } from '../../core/plan/capacity/types.ts';
import { dismissInstances, livingHost } from '../hosts/instances.ts';
import { instanceGone, retireHost, retireInstance } from '../hosts/retire.ts';
import { isLeft } from './purchase-book.ts';
import type { Round } from './round.ts';

/** Answers whether it is going to end: not where it has got something to do in this moment. */
export async function beginEnding(round: Round, { instanceId, hostId, why }: Termination): Promise<boolean> {
  const { deps, cluster, book } = round;
  const bought = book.of(instanceId)?.instances.find((instance) => instance.instanceId === instanceId);
  const isFree = hostId === undefined ? await keepOut(round, instanceId) : await takeOut(round, hostId, why);
  if (!isFree) return false;
  await markEnding(round, instanceId, why);
  deps.log.info({ instanceId, hostId, cluster, why }, 'a host is ended');
  deps.metrics.count(bought?.joinedAt === undefined ? 'HostsNotJoined' : 'HostsEnded', 1, { cluster });
  return true;
}

/** A host that is there: only without a task. */
async function takeOut({ deps }: Round, hostId: string, why: string): Promise<boolean> {
  try {
    await retireHost(deps, hostId, { reason: `${why}.`, stopCode: 'TerminationNotice', onlyIdle: true });
    return true;
  } catch (error) {
    if (error instanceof GantryError && error.code === 'InvalidParameterException') return false;
    throw error;
  }
}

/** An instance that is no host yet becomes none; false where it has become one in this moment. */
async function keepOut(round: Round, instanceId: string): Promise<boolean> {
  const { deps, cluster } = round;
  await dismissInstances(deps, cluster, [instanceId]);
  return (await livingHost(deps, cluster, instanceId)) === undefined;
}

/** The machine is gone already, whoever ended it: what ran on it is over. */
export async function noteGone(round: Round, instanceId: string): Promise<void> {
  const { deps, cluster } = round;
  const why = instanceGone(instanceId, 'terminated');
  const hostId = (await livingHost(deps, cluster, instanceId))?.hostId;
  if (hostId !== undefined) await retireHost(deps, hostId, { reason: why, stopCode: 'TerminationNotice' });
  await markEnding(round, instanceId, why);
  deps.log.warn({ instanceId, hostId, cluster }, 'an instance is gone');
}

async function markEnding({ book, deps }: Round, instanceId: string, endReason: string): Promise<void> {
  const purchase = book.of(instanceId);
  if (purchase === undefined) return;
  const endingAt = deps.clock.now();
  await book.changeInstances(purchase.order.id, (instance) =>
    instance.instanceId === instanceId && instance.endingAt === undefined
      ? { ...instance, endingAt, endReason }
      : instance,
  );
}

/** Asks the fleet for the end of everything that is marked; answers whether all of it is ended. */
export async function finishEndings(round: Round): Promise<boolean> {
  const { deps, fleet, book, cluster } = round;
  const due = book.all.flatMap(({ order, instances }) =>
    instances
      .filter((instance) => instance.endingAt !== undefined && isLeft(instance))
      .map((instance) => ({ order, instance })),
  );
  if (due.length === 0) return true;
  const ids = due.map(({ instance }) => instance.instanceId);
  try {
    await fleet.terminate(ids);
  } catch (error) {
    deps.log.warn({ err: error, instances: ids, cluster }, 'instances could not be ended; it is asked for again');
    return false;
  }
  for (const { instance } of due) await forget(round, instance);
  const ended = new Set(ids);
  const endedAt = deps.clock.now();
  for (const orderId of new Set(due.map(({ order }) => order.id)))
    await book.changeInstances(orderId, (instance) =>
      ended.has(instance.instanceId) && isLeft(instance) ? { ...instance, endedAt } : instance,
    );
  return true;
}

/** No instance of that name becomes a host any more, and one that has done so meanwhile has no machine. */
async function forget(round: Round, { instanceId, endReason }: PurchasedInstance): Promise<void> {
  const { deps, cluster } = round;
  const reason = endReason ?? instanceGone(instanceId, 'terminated');
  const host = await livingHost(deps, cluster, instanceId);
  if (host !== undefined) await retireHost(deps, host.hostId, { reason, stopCode: 'TerminationNotice' });
  await retireInstance(deps, instanceId, reason);
}
