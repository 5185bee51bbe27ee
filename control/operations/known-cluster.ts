/** The cluster that an operation means which may also be deleted: what hangs on it can still be looked at and taken away. */
import { namePattern } from '../../core/model/cluster.ts';
import type { ControlDeps } from '../deps.ts';
import { getCluster } from '../store/clusters.ts';
import { clusterMeant, clusterNotFound } from './references.ts';

export async function knownClusterName(deps: ControlDeps, reference: string | undefined): Promise<string> {
  const name = clusterMeant(deps, reference);
  // What cannot be a name is no key either.
  const cluster = namePattern.test(name) ? await getCluster(deps.table, name) : undefined;
  if (cluster === undefined) throw clusterNotFound();
  return name;
}
