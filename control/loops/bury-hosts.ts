/**
 * Carries on what a retirement left undone when its caller died, and takes hosts out of their cluster's list some time after they were
 * retired: every refresh of the capacity view reads that list, so it must not grow with the hosts that there ever were.
 */
import type { HostCapacity } from '../../core/model/host.ts';
import type { ControlDeps } from '../deps.ts';
import { retireHost } from '../hosts/retire.ts';
import { buryHost, clusterHosts, freeHostName } from '../store/hosts.ts';
import type { ClusterLoop, LoopResult } from './loop.ts';

/** How long a host can be described after its end. Less than a deleted cluster is looked at. */
const describableMs = 30 * 60_000;

export const buryHosts: ClusterLoop = {
  name: 'bury-hosts',
  scope: 'cluster',
  periodSeconds: () => 600,
  activate,
};

async function activate(deps: ControlDeps, cluster: string): Promise<LoopResult> {
  let changed = 0;
  for (const host of await clusterHosts(deps.table, cluster, { eventual: true })) {
    if (host.status !== 'INACTIVE') continue;
    if (host.taskCount > 0) {
      // The reason that was given first counts.
      await retireHost(deps, host.hostId, { reason: 'The host was deregistered.', stopCode: 'InfrastructureHealth' });
      changed += 1;
    } else if (deps.clock.now() - host.connectedChangedAt >= describableMs && (await bury(deps, host))) changed += 1;
  }
  return { changed };
}

async function bury({ table }: ControlDeps, host: HostCapacity): Promise<boolean> {
  // On its own, because another host may have the name by now.
  await table.commit([freeHostName(host)]);
  const { outcome } = await table.commit(buryHost(host));
  return outcome === 'done';
}
