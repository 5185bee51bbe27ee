/**
 * Between DeleteCluster and calls that let tasks wait: nothing else holds a cluster with tasks but no hosts. Who deletes shuts the gate,
 * looks whether the cluster is empty, and deletes it only as it was shut; a task begins to wait only where the gate is open. Who finds it
 * shut opens it, and then who deletes begins anew: so nobody waits for a process that may be gone. Tasks that are placed need no gate:
 * their host is of the cluster, which is why that is not deleted.
 */
import type { Cluster } from '../../core/model/cluster.ts';
import type { ControlDeps } from '../deps.ts';
import { getCluster, replaceCluster } from '../store/clusters.ts';

type HasTable = Pick<ControlDeps, 'table'>;

/** The cluster as it is then; undefined where somebody else has changed it. */
export async function shutGate({ table }: HasTable, seen: Cluster): Promise<Cluster | undefined> {
  // Anew also where it is shut: whoever has shut it may have looked before a task came.
  const { outcome } = await table.commit([replaceCluster(seen, { ...seen, isShut: true })]);
  return outcome === 'done' ? { ...seen, isShut: true, version: seen.version + 1 } : undefined;
}

/** Answers whether there is such a cluster, and it is ACTIVE. */
export async function openGate(
  { table, recent }: Pick<ControlDeps, 'table' | 'recent'>,
  name: string,
): Promise<boolean> {
  recent.clusterChanged(name);
  const seen = await getCluster(table, name);
  if (seen?.status !== 'ACTIVE') return false;
  // Where this is refused, somebody has just deleted it, or opened it too: who needs to know looks again.
  if (seen.isShut === true) await table.commit([replaceCluster(seen, { ...seen, isShut: undefined })]);
  return true;
}
