/**
 * Says of a store that it was put back from a backup: it gets another epoch, so that agents take nothing over from it by themselves, and no
 * host is given anything before it has reported. To be called while no control plane uses the store; may be repeated.
 */
import { attempt } from './attempts.ts';
import type { ControlDeps } from './deps.ts';
import { livelyClusterNames } from './store/clusters.ts';
import { clusterHosts, getHostCapacity } from './store/hosts.ts';
import { refuseHalfCopy } from './store/store-copies.ts';
import { changeStoreEpoch, getStoreMeta } from './store/store-meta.ts';
import type { Change } from './store/table.ts';
import { asUnheard } from './store/unknown-stores.ts';

type Deps = Pick<ControlDeps, 'table' | 'clock' | 'newId' | 'random' | 'sleep'>;

export interface RestoredStore {
  readonly epoch: string;
  readonly before: string;
  /** How many hosts wait for a decision once their agents are heard. */
  readonly hosts: number;
}

/** Undefined where there is no store. */
export async function markRestored(deps: Deps): Promise<RestoredStore | undefined> {
  const seen = await getStoreMeta(deps.table);
  if (seen === undefined) {
    await refuseHalfCopy(deps.table);
    return undefined;
  }
  const epoch = deps.newId();
  // First: hosts that are not marked yet are found out by their agents.
  const { outcome } = await deps.table.commit([changeStoreEpoch(seen, epoch)]);
  if (outcome !== 'done') throw new Error('another process has changed the store in this moment');
  const clusters = await livelyClusterNames(deps.table, deps.clock.now());
  return { epoch, before: seen.epoch, hosts: await unhearHosts(deps, clusters) };
}

/** Answers how many there are that may be heard again. `beside` is of each commit: whoever has lost his turn changes nothing. */
export async function unhearHosts(
  deps: Omit<Deps, 'newId'>,
  clusters: readonly string[],
  beside: readonly Change[] = [],
): Promise<number> {
  let hosts = 0;
  for (const cluster of clusters) {
    for (const { hostId, status } of await clusterHosts(deps.table, cluster)) {
      if (status === 'INACTIVE') continue;
      await attempt(deps, { most: 10, what: `host ${hostId}` }, async () => {
        const host = await getHostCapacity(deps.table, cluster, hostId);
        if (host === undefined) return 'done';
        const { outcome } = await deps.table.commit([asUnheard(host, deps.clock.now()), ...beside]);
        return outcome === 'done' ? 'done' : undefined;
      });
      hosts += 1;
    }
  }
  return hosts;
}
