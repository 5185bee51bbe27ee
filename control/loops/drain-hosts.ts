/** Carries on with the hosts of a cluster that are being emptied, until they are or their time is over. */
import type { ControlDeps } from '../deps.ts';
import { drainStep } from '../hosts/drain-step.ts';
import { clusterDrains } from '../store/drains.ts';
import type { ClusterLoop, LoopResult } from './loop.ts';

export const drainHosts: ClusterLoop = {
  name: 'drain-hosts',
  scope: 'cluster',
  periodSeconds: (deps) => deps.settings.heartbeatSeconds,
  activate,
};

async function activate(deps: ControlDeps, cluster: string): Promise<LoopResult> {
  let changed = 0;
  let againAt = Infinity;
  let failure: { readonly error: unknown } | undefined;
  for (const drain of await clusterDrains(deps.table, cluster)) {
    try {
      const progress = await drainStep(deps, drain);
      changed += progress.changed;
      againAt = Math.min(againAt, progress.againAt ?? Infinity);
    } catch (error) {
      failure ??= { error }; // Other hosts have deadlines too.
    }
  }
  // An emptied host is ended by whoever bought it.
  if (changed > 0) deps.activate('buy-capacity', cluster);
  if (failure !== undefined) throw failure.error;
  return Number.isFinite(againAt) ? { changed, againAt } : { changed };
}
