/** CreateCluster, DescribeClusters, ListClusters, DeleteCluster. */
import { z } from 'zod';
import { clusterArn } from '../../core/arn.ts';
import { compact } from '../../core/compact.ts';
import { GantryError } from '../../core/errors.ts';
import { type Cluster, defaultClusterName, namePattern, newCluster } from '../../core/model/cluster.ts';
import { mergeConfiguration } from '../../core/model/cluster-configuration.ts';
import { mergeSettings } from '../../core/model/cluster-settings.ts';
import { checkTags } from '../../core/model/tag-rules.ts';
import { attempt } from '../attempts.ts';
import type { ControlDeps } from '../deps.ts';
import { getCapacityProviders } from '../store/capacity-providers.ts';
import { addCluster, clustersPage, getCluster, getClusters, replaceCluster } from '../store/clusters.ts';
import { clusterHosts } from '../store/hosts.ts';
import { liveTasks } from '../store/tasks.ts';
import { openGate, shutGate } from '../tasks/cluster-gate.ts';
import { refuseTooMany } from './checks.ts';
import { clusterCapacity, refuseNamespace, withCapacity } from './cluster-capacity.ts';
import { type Handlers, mayUse } from './context.ts';
import { decodeToken, nextTokenOf, pageSize } from './paging.ts';
import { clusterMeant, clusterNotFound } from './references.ts';
import { clusterView } from './views/cluster-view.ts';
import { describedCluster } from './views/described-cluster.ts';

export const createCluster: Handlers['CreateCluster'] = async ({ deps }, input) => {
  const name = input.clusterName ?? defaultClusterName;
  if (!namePattern.test(name)) {
    const message = 'clusterName must be 1 to 255 letters, digits, hyphens and underscores.';
    throw new GantryError('InvalidParameterException', message, { field: 'clusterName' });
  }
  checkTags(input.tags ?? []);
  const settings = mergeSettings([], input.settings ?? []);
  const wish = clusterCapacity(deps, input.capacityProviders ?? [], input.defaultCapacityProviderStrategy ?? []);
  const configuration = mergeConfiguration(undefined, input.configuration);
  refuseNamespace(input.serviceConnectDefaults);
  const cluster = await attempt(deps, { most: 10, what: `cluster ${name}` }, async () => {
    const seen = await getCluster(deps.table, name);
    if (seen?.status === 'ACTIVE') return seen;
    const given = compact({ name, createdAt: deps.clock.now(), tags: input.tags ?? [], settings, configuration });
    const fresh = newCluster(given);
    const { next, others } = await withCapacity(deps, fresh, wish);
    const change = seen === undefined ? addCluster(next) : replaceCluster(seen, next);
    const { outcome } = await deps.table.commit([change, ...others]);
    return outcome === 'done' ? next : undefined;
  });
  deps.recent.clusterChanged(name);
  return { cluster: await clusterView(deps, cluster) };
};

export const describeClusters: Handlers['DescribeClusters'] = async ({ deps }, input) => {
  const references =
    input.clusters === undefined || input.clusters.length === 0 ? [defaultClusterName] : input.clusters;
  refuseTooMany('clusters', references);
  const names = [...new Set(references.map((reference, index) => clusterMeant(deps, reference, `clusters[${index}]`)))];
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
  return { clusters: clusters.map((view) => describedCluster(view, input.include)), failures };
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
  const name = clusterMeant(deps, input.cluster);
  const cluster = await attempt(deps, { most: 10, what: `cluster ${name}` }, async () => {
    const seen = namePattern.test(name) ? await getCluster(deps.table, name) : undefined;
    if (seen === undefined) throw clusterNotFound();
    if (seen.status === 'INACTIVE') return seen;
    // Who is refused has changed nothing; so this is looked at once more behind the gate.
    await refuseUnlessEmpty(deps, seen);
    const shut = await shutGate(deps, seen);
    return shut && makeInactive(deps, shut);
  });
  deps.recent.clusterChanged(name);
  return { cluster: await clusterView(deps, cluster) };
};

/** Whoever adds a host, or lets a task wait, has changed the version of the cluster: then this answers undefined. */
async function makeInactive(deps: ControlDeps, shut: Cluster): Promise<Cluster | undefined> {
  try {
    await refuseUnlessEmpty(deps, shut);
    const { next, others } = await withCapacity(deps, shut, { names: [], strategy: [] });
    const gone = { status: 'INACTIVE' as const, isShut: undefined, inactiveSince: deps.clock.now() };
    const inactive: Cluster = compact({ ...next, ...gone });
    const { outcome } = await deps.table.commit([replaceCluster(shut, inactive), ...others]);
    return outcome === 'done' ? inactive : undefined;
  } catch (error) {
    await openGate(deps, shut.name);
    throw error;
  }
}

/** Those that are of this cluster alone would be left behind without one. */
async function refuseOwnProviders({ table }: ControlDeps, { name, capacityProviders }: Cluster): Promise<void> {
  const providers = await getCapacityProviders(table, capacityProviders);
  if (!providers.some(({ cluster }) => cluster === name)) return;
  throw new GantryError(
    'ClusterContainsCapacityProviderException',
    'The Cluster cannot be deleted while Cluster Scoped Capacity Providers are attached to the cluster.',
    { hint: 'Delete them first: DeleteCapacityProvider.' },
  );
}

async function refuseUnlessEmpty(deps: ControlDeps, cluster: Cluster): Promise<void> {
  const { table } = deps;
  const { name } = cluster;
  await refuseOwnProviders(deps, cluster);
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
