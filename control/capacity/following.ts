/** Notes on purchases what has become of their instances: which have joined, and since when their hosts have had no task. */
import type { PurchasedInstance } from '../../core/model/capacity.ts';
import type { HostCapacity } from '../../core/model/host.ts';
import { isWanted } from './purchase-book.ts';
import type { Round } from './round.ts';

export async function followHosts(round: Round): Promise<void> {
  const { book, deps, cluster } = round;
  for (const { order, instances } of book.all) {
    const joined = instances.filter(
      ({ instanceId, joinedAt }) => joinedAt === undefined && isThere(round.hosts.get(instanceId)),
    );
    if (instances.every((instance) => followed(round, instance) === instance)) continue;
    await book.changeInstances(order.id, (instance) => followed(round, instance));
    for (const { instanceId, launchedAt } of joined)
      deps.log.info(
        { instanceId, order: order.id, cluster, afterMs: round.now - launchedAt },
        'a host has joined that was bought',
      );
  }
}

const isThere = (host: HostCapacity | undefined): boolean => host !== undefined && host.status !== 'INACTIVE';

/** The same object where nothing is new. */
function followed({ hosts, now }: Round, instance: PurchasedInstance): PurchasedInstance {
  const host = hosts.get(instance.instanceId);
  if (host === undefined || !isWanted(instance)) return instance;
  const { joinedAt, idle } = instance;
  const releases = host.releases ?? 0;
  // A host that had a task meanwhile has released it.
  const isNewlyIdle = host.taskCount === 0 && idle?.releases !== releases;
  if (joinedAt !== undefined && !isNewlyIdle) return instance;
  return { ...instance, joinedAt: joinedAt ?? now, ...(isNewlyIdle ? { idle: { since: now, releases } } : {}) };
}
