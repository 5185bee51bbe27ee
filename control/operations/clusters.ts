/** CreateCluster, DescribeClusters, ListClusters, DeleteCluster. */
import { z } from 'zod';
import type { ClusterView } from '../../core/api/shapes.ts';
import { clusterArn } from '../../core/arn.ts';
import { GantryError } from '../../core/errors.ts';
import { type Cluster, defaultClusterName, namePattern, newCluster } from '../../core/model/cluster.ts';
import { checkTags } from '../../core/model/tag-rules.ts';
import { attempt } from '../attempts.ts';
import type { ControlDeps } from '../deps.ts';
import { addCluster, clustersPage, getCluster, getClusters, replaceCluster } from '../store/clusters.ts';
import { clusterHosts } from '../store/hosts.ts';
import { liveTasks } from '../store/tasks.ts';
import { refuseOthers, refuseTooMany } from './checks.ts';
import { type Handlers, mayUse } from './context.ts';
import { decodeToken, nextTokenOf, pageSize } from './paging.ts';
import { clusterName, clusterNotFound } from './references.ts';

/** How many entries of a shard to read at once where all are wanted. */
const wholeShard = 1000;

export const createCluster: Handlers['CreateCluster'] = async ({ deps }, input) => {
  const name = input.clusterName ?? defaultClusterName;
  if (!namePattern.test(name)) {
    const message = 'clusterName must be 1 to 255 letters, digits, hyphens and underscores.';
    throw new GantryError('InvalidParameterException', message, { field: 'clusterName' });
  }
  checkTags(input.tags ?? []);
  refuseSettings(input.settings);
  refuseOthers(input, [
    'configuration',
    'capacityProviders',
    'defaultCapacityProviderStrategy',
    'serviceConnectDefaults',
  ]);
  const cluster = await attempt(deps, { most: 10, what: `cluster ${name}` }, async () => {
    const seen = await getCluster(deps.table, name);
    if (seen?.status === 'ACTIVE') return seen;
    const fresh = newCluster({ name, createdAt: deps.clock.now(), tags: input.tags ?? [] });
    const change = seen === undefined ? addCluster(fresh) : replaceCluster(seen, fresh);
    const { outcome } = await deps.table.commit([change]);
    return outcome === 'done' ? fresh : undefined;
  });
  deps.recent.clusterChanged(name);
  return { cluster: await clusterView(deps, cluster) };
};

/** Tools send Container Insights switched off; switched on would promise metrics that nobody collects. */
const settingsSchema = z.array(z.object({ name: z.literal('containerInsights'), value: z.literal('disabled') }));

function refuseSettings(settings: unknown): void {
  if (settings === undefined || settingsSchema.safeParse(settings).success) return;
  const message = 'settings may only switch containerInsights off: nothing else is supported yet.';
  throw new GantryError('ClientException', message, { field: 'settings', hint: 'Leave settings out.' });
}

export const describeClusters: Handlers['DescribeClusters'] = async ({ deps }, input) => {
  const references =
    input.clusters === undefined || input.clusters.length === 0 ? [defaultClusterName] : input.clusters;
  refuseTooMany('clusters', references);
  const names = [...new Set(references.map(clusterName))];
  const found = new Map(
    (
      await getClusters(
        deps.table,
        names.filter((name) => namePattern.test(name)),
      )
    ).map((cluster) => [cluster.name, cluster]),
  );
  const clusters = await Promise.all(
    names.flatMap((name) => found.get(name) ?? []).map((cluster) => clusterView(deps, cluster)),
  );
  const failures = names
    .filter((name) => !found.has(name))
    .map((name) => ({ arn: clusterArn(deps.realm, name), reason: 'MISSING' }));
  return { clusters, failures };
};

/** Only those that the principal may use. */
export const listClusters: Handlers['ListClusters'] = async ({ deps, principal }, input) => {
  const size = pageSize(input.maxResults, 'maxResults');
  const arns: string[] = [];
  let after = input.nextToken === undefined ? undefined : decodeToken(z.string().regex(namePattern), input.nextToken);
  do {
    const page = await clustersPage(deps.table, {
      limit: size - arns.length,
      ...(after === undefined ? {} : { after }),
    });
    arns.push(
      ...page.clusters
        .filter(({ status, name }) => status === 'ACTIVE' && mayUse(principal, name))
        .map(({ name }) => clusterArn(deps.realm, name)),
    );
    after = page.next;
  } while (after !== undefined && arns.length < size);
  return { clusterArns: arns, ...nextTokenOf(after) };
};

export const deleteCluster: Handlers['DeleteCluster'] = async ({ deps }, input) => {
  const name = clusterName(input.cluster);
  const cluster = await attempt(deps, { most: 10, what: `cluster ${name}` }, async () => {
    // Read first: whoever adds a host from here on changes its version.
    const seen = namePattern.test(name) ? await getCluster(deps.table, name) : undefined;
    if (seen === undefined) throw clusterNotFound();
    if (seen.status === 'INACTIVE') return seen;
    await refuseUnlessEmpty(deps, name);
    const inactive: Cluster = { ...seen, status: 'INACTIVE', inactiveSince: deps.clock.now() };
    const { outcome } = await deps.table.commit([replaceCluster(seen, inactive)]);
    return outcome === 'done' ? inactive : undefined;
  });
  deps.recent.clusterChanged(name);
  // A RunTask that was under way may have left a task that waits.
  deps.activate('expire-waiting', name);
  return { cluster: await clusterView(deps, cluster) };
};

async function refuseUnlessEmpty({ table }: ControlDeps, name: string): Promise<void> {
  const hosts = await clusterHosts(table, name);
  if (hosts.some(({ status }) => status !== 'INACTIVE')) {
    throw new GantryError(
      'ClusterContainsContainerInstancesException',
      'The Cluster cannot be deleted while Container Instances are active or draining.',
      { hint: 'End its hosts first.' },
    );
  }
  const { done } = await liveTasks(table, name, { pageSize: 1 }).next();
  if (done === true) return;
  throw new GantryError('ClusterContainsTasksException', 'The Cluster cannot be deleted while Tasks are active.', {
    hint: 'Stop its tasks first.',
  });
}

async function clusterView({ table, realm }: ControlDeps, cluster: Cluster): Promise<ClusterView> {
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
    settings: [],
    capacityProviders: [],
    defaultCapacityProviderStrategy: [],
    tags: cluster.tags,
  };
}
