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
  options: { after?: string; limit?: number },
): Promise<{ clusters: Cluster[]; next?: string }> {
  const page = await table.query(partitions.clusters, options);
  const clusters = page.items.map((item) => parseItem(clusterSchema, item));
  return page.next === undefined ? { clusters } : { clusters, next: page.next };
}

/** Names of the clusters that are ACTIVE; for loops. */
export async function activeClusterNames(table: Table): Promise<string[]> {
  const names: string[] = [];
  let after: string | undefined;
  do {
    const page = await clustersPage(table, after === undefined ? {} : { after });
    for (const cluster of page.clusters) if (cluster.status === 'ACTIVE') names.push(cluster.name);
    after = page.next;
  } while (after !== undefined);
  return names;
}

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

/** Holds as long as the cluster is ACTIVE; for rare changes only, because it contends with every other one that checks. */
export const clusterIsActive = (name: string): Change => ({
  kind: 'check',
  key: keys.cluster(name),
  when: [{ path: ['status'], is: '=', value: 'ACTIVE' }],
});
