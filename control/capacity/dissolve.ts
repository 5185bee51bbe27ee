/**
 * Ends a capacity provider of one cluster whatever is under it: its tasks are stopped, its hosts emptied, and whoever buys ends the
 * instances, which have no reason to stay then. Each step may be repeated; ends no instance itself.
 */
import { type Purchase, providerAttribute } from '../../core/model/capacity.ts';
import type { Cluster } from '../../core/model/cluster.ts';
import { attempt } from '../attempts.ts';
import type { ControlDeps } from '../deps.ts';
import { drainHost } from '../hosts/drain.ts';
import { livingHost } from '../hosts/instances.ts';
import { retireHost } from '../hosts/retire.ts';
import { getCapacityProvider, replaceCapacityProvider } from '../store/capacity-providers.ts';
import { getCluster, replaceCluster } from '../store/clusters.ts';
import { openPurchases } from '../store/purchases.ts';
import type { Change } from '../store/table.ts';
import { waitingTasks } from '../store/waiting-tasks.ts';
import { stopTask } from '../tasks/stop.ts';
import { isLeft } from './purchase-book.ts';

interface OwnProvider {
  readonly name: string;
  readonly cluster: string;
}

/** From now on nothing is bought by it, no strategy names it, and no task can be run under it. */
export async function dissolveProvider(deps: ControlDeps, { name, cluster }: OwnProvider): Promise<void> {
  await attempt(deps, { most: 20, what: `capacity provider ${name}` }, async () => {
    const [seen, home] = await Promise.all([getCapacityProvider(deps.table, name), getCluster(deps.table, cluster)]);
    if (seen?.status !== 'ACTIVE' || seen.cluster !== cluster) return 'gone';
    const { outcome } = await deps.table.commit([
      replaceCapacityProvider(seen, { ...seen, status: 'INACTIVE', usedBy: [] }),
      ...leave(home, name),
    ]);
    return outcome === 'done' ? 'dissolved' : undefined;
  });
  deps.recent.clusterChanged(cluster);
  deps.activate('buy-capacity', cluster);
}

function leave(home: Cluster | undefined, name: string): Change[] {
  if (home?.capacityProviders.includes(name) !== true) return [];
  const capacityProviders = home.capacityProviders.filter((other) => other !== name);
  const defaultStrategy = home.defaultStrategy.filter(({ capacityProvider }) => capacityProvider !== name);
  return [replaceCluster(home, { ...home, capacityProviders, defaultStrategy })];
}

interface Emptying {
  /** For people and for the tasks: a sentence. */
  readonly reason: string;
  /** Whether tasks that do not stop are given up, with their host. */
  readonly atOnce: boolean;
}

/** One step, to be repeated until it answers nothing: the instances and orders of the provider that are not over yet. */
export async function emptyProvider(
  deps: ControlDeps,
  { name, cluster }: OwnProvider,
  emptying: Emptying,
): Promise<readonly string[]> {
  const { reason } = emptying;
  for (const { taskId, needs } of await waitingTasks(deps.table, cluster, { eventual: false }))
    if (needs.attributes[providerAttribute] === name)
      await stopTask(deps, cluster, taskId, { reason, stopCode: 'TerminationNotice' });
  const left = (await openPurchases(deps.table, cluster)).filter(({ order }) => order.provider === name);
  for (const { instances } of left)
    for (const { instanceId } of instances.filter(isLeft)) await emptyHost(deps, { cluster, instanceId }, emptying);
  return left.flatMap(namesOf);
}

const namesOf = ({ state, order, instances }: Purchase): string[] =>
  state === 'OPEN' ? [`order ${order.id}`] : instances.filter(isLeft).map(({ instanceId }) => instanceId);

/** One that has not joined yet is ended once it has, or in time. */
async function emptyHost(
  deps: ControlDeps,
  { cluster, instanceId }: { readonly cluster: string; readonly instanceId: string },
  { reason, atOnce }: Emptying,
): Promise<void> {
  const host = await livingHost(deps, cluster, instanceId);
  if (host === undefined) return;
  const { hostId } = host;
  const stop = { reason, stopCode: 'TerminationNotice' as const };
  // Nobody is there to say that a task has stopped, or there is no time to hear it.
  if (atOnce || !host.connected) await retireHost(deps, hostId, { ...stop, replaces: false });
  else await drainHost(deps, { cluster, hostId }, { ...stop, deadline: deps.clock.now() });
}
