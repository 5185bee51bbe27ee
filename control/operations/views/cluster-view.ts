/** A cluster as clients see it: what is stored of it, and its hosts and tasks counted. */
import type { ClusterView } from '../../../core/api/shapes.ts';
import { clusterArn } from '../../../core/arn.ts';
import type { Cluster } from '../../../core/model/cluster.ts';
import type { ControlDeps } from '../../deps.ts';
import { clusterHosts } from '../../store/hosts.ts';
import { liveTasks } from '../../store/tasks.ts';

/** How many entries of a shard to read at once where all are wanted. */
const wholeShard = 1000;

export async function clusterView({ table, realm }: ControlDeps, cluster: Cluster): Promise<ClusterView> {
  const hosts = await clusterHosts(table, cluster.name);
  let running = 0;
  let pending = 0;
  for await (const { entry } of liveTasks(table, cluster.name, { pageSize: wholeShard })) {
    if (entry.lastStatus === 'RUNNING') running += 1;
    if (entry.lastStatus === 'PENDING' || entry.lastStatus === 'PROVISIONING') pending += 1;
  }
  return {
    clusterArn: clusterArn(realm, cluster.name),
    clusterName: cluster.name,
    status: cluster.status,
    registeredContainerInstancesCount: hosts.filter(({ status }) => status !== 'INACTIVE').length,
    runningTasksCount: running,
    pendingTasksCount: pending,
    activeServicesCount: 0,
    statistics: [],
    settings: cluster.settings,
    ...(cluster.configuration !== undefined && { configuration: cluster.configuration }),
    capacityProviders: cluster.capacityProviders,
    defaultCapacityProviderStrategy: cluster.defaultStrategy,
    tags: cluster.tags,
  };
}
