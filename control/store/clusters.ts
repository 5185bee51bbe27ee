/** Access paths of clusters: one partition, by name. */
import { type Cluster, clusterSchema } from '../../core/model/cluster.ts';
import { itemOf, parseItem, parseOptional } from './item.ts';
import { keys, partitions } from './keys.ts';
import type { Change, Table } from './table.ts';

export const getCluster = async (table: Table, name: string): Promise<Cluster | undefined> =>
  parseOptional(clusterSchema, await table.get(keys.cluster(name)));

export const getClusters = async (table: Table, names: readonly string[]): Promise<Cluster[]> =>
  (await table.getMany(names.map(keys.cluster))).map((item) => parseItem(clusterSchema, item));

/** In the order of names, INACTIVE ones included; `after` is a name. */
export async function clustersPage(
  table: Table,
  options: { after?: string; limit?: number; eventual?: boolean },
): Promise<{ clusters: Cluster[]; next?: string }> {
  const page = await table.query(partitions.clusters, options);
  const clusters = page.items.map((item) => parseItem(clusterSchema, item));
  return page.next === undefined ? { clusters } : { clusters, next: page.next };
}

/** Loops are to find nothing in a cluster that was deleted; where one does, as in one of an earlier version, it ends that. */
const afterlifeMs = 3600_000;

/** The clusters that loops look at: those that are ACTIVE, and those that were until lately. */
export async function livelyClusters(table: Table, now: number): Promise<Cluster[]> {
  const lively: Cluster[] = [];
  let after: string | undefined;
  do {
    const page = await clustersPage(table, { eventual: true, ...(after === undefined ? {} : { after }) });
    for (const cluster of page.clusters) {
      const { inactiveSince } = cluster;
      if (inactiveSince === undefined || now - inactiveSince < afterlifeMs) lively.push(cluster);
    }
    after = page.next;
  } while (after !== undefined);
  return lively;
}

export const livelyClusterNames = async (table: Table, now: number): Promise<string[]> =>
  (await livelyClusters(table, now)).map(({ name }) => name);

export const addCluster = (cluster: Cluster): Change => ({
  kind: 'put',
  item: itemOf(keys.cluster(cluster.name), cluster),
  when: [{ item: 'absent' }],
});

/** Replaces what was read; refused where somebody else wrote in between. */
export const replaceCluster = (seen: Cluster, next: Cluster): Change => ({
  kind: 'put',
  item: itemOf(keys.cluster(seen.name), { ...next, version: seen.version + 1 }),
  when: [{ path: ['version'], is: '=', value: seen.version }],
});

/** Refused unless the cluster is ACTIVE, and nobody is about to delete it. */
export const clusterIsOpen = (name: string): Change => ({
  kind: 'check',
  key: keys.cluster(name),
  when: [
    { path: ['status'], is: '=', value: 'ACTIVE' },
    { path: ['isShut'], is: 'absent' },
  ],
});

/** Something of the cluster changed that its deletion must not miss; refused unless it is ACTIVE. For rare changes only. */
export const touchActiveCluster = (name: string): Change => ({
  kind: 'update',
  key: keys.cluster(name),
  add: [{ path: ['version'], by: 1 }],
  when: [{ path: ['status'], is: '=', value: 'ACTIVE' }],
});
