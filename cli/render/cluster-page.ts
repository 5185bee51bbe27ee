/** Clusters in words and cells. */
import type { ClusterView } from '../../core/api/shapes.ts';
import { plural } from '../../core/text.ts';
import { alignColumns, type Output } from '../output.ts';

export function printClusterTable(clusters: readonly ClusterView[], out: Output): void {
  out.table(
    ['NAME', 'STATUS', 'HOSTS', 'RUNNING', 'PENDING', 'CAPACITY PROVIDERS'],
    clusters.map((cluster) => [
      cluster.clusterName,
      statusOf(cluster, out),
      String(cluster.registeredContainerInstancesCount),
      String(cluster.runningTasksCount),
      String(cluster.pendingTasksCount),
      cluster.capacityProviders.join(' ') || '-',
    ]),
  );
}

export function printClusterPage(cluster: ClusterView, out: Output): void {
  const { clusterName, clusterArn, settings, tags, capacityProviders, defaultCapacityProviderStrategy } = cluster;
  out.line(`${out.paint('bold', clusterName)}  ${statusOf(cluster, out)}`);
  out.line(`It has ${contentsOf(cluster)}.`);
  out.line();
  const strategy = defaultCapacityProviderStrategy.map(
    ({ capacityProvider, weight, base }) => `${capacityProvider} (weight ${weight}, base ${base})`,
  );
  const rows = [
    ['ARN', clusterArn],
    ...settings.map(({ name, value }) => ['setting', `${name}=${value}`]),
    ['capacity providers', capacityProviders.join(', ') || 'none'],
    ...(strategy.length === 0 ? [] : [['default strategy', strategy.join(', ')]]),
    ...tags.map(({ key, value = '' }) => ['tag', `${key}=${value}`]),
  ];
  for (const line of alignColumns(rows)) out.line(`  ${line}`);
}

/** `2 hosts, 1 running task and 1 pending task`. */
export const contentsOf = (cluster: ClusterView): string =>
  `${plural(cluster.registeredContainerInstancesCount, 'host')}, ${plural(cluster.runningTasksCount, 'running task')} and ` +
  `${plural(cluster.pendingTasksCount, 'pending task')}`;

const statusOf = ({ status }: ClusterView, out: Output): string =>
  out.paint(status === 'ACTIVE' ? 'green' : 'dim', status);
