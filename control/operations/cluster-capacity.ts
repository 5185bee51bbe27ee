/** UpdateCluster, UpdateClusterSettings and PutClusterCapacityProviders: which capacity a cluster has, and what waits for it. */
import type { Input } from '../../core/api/operations.ts';
import { compact } from '../../core/compact.ts';
import { GantryError } from '../../core/errors.ts';
import type { CapacityProvider } from '../../core/model/capacity.ts';
import { mostProviders, normaliseStrategy } from '../../core/model/capacity-strategy.ts';
import { type Cluster, namePattern, type StrategyItem } from '../../core/model/cluster.ts';
import { mergeConfiguration } from '../../core/model/cluster-configuration.ts';
import { mergeSettings } from '../../core/model/cluster-settings.ts';
import { clientFault, parameterFault } from '../../core/model/faults.ts';
import { attempt } from '../attempts.ts';
import type { ControlDeps } from '../deps.ts';
import { getCapacityProviders, replaceCapacityProvider } from '../store/capacity-providers.ts';
import { getCluster, replaceCluster } from '../store/clusters.ts';
import type { Change } from '../store/table.ts';
import { liveTasks } from '../store/tasks.ts';
import { capacityProviderMeant, strategyMeant } from './capacity-references.ts';
import type { Handlers } from './context.ts';
import { clusterMeant, refuseInactive } from './references.ts';
import { clusterView } from './views/cluster-view.ts';

const tries = 10;
const wholeShard = 1000;

export const updateClusterSettings: Handlers['UpdateClusterSettings'] = async ({ deps }, input) => {
  const cluster = await changeCluster(deps, clusterMeant(deps, input.cluster), (seen) => ({
    next: { ...seen, settings: mergeSettings(seen.settings, input.settings) },
    others: [],
  }));
  return { cluster: await clusterView(deps, cluster) };
};

export const updateCluster: Handlers['UpdateCluster'] = async ({ deps }, input) => {
  refuseNamespace(input.serviceConnectDefaults);
  const cluster = await changeCluster(deps, clusterMeant(deps, input.cluster), (seen) => ({
    next: compact({
      ...seen,
      settings: mergeSettings(seen.settings, input.settings ?? []),
      configuration: mergeConfiguration(seen.configuration, input.configuration),
    }),
    others: [],
  }));
  return { cluster: await clusterView(deps, cluster) };
};

/** An empty one unsets what nobody could set. */
export function refuseNamespace(defaults: Input<'UpdateCluster'>['serviceConnectDefaults']): void {
  if (defaults === undefined || defaults.namespace === '') return;
  const field = 'serviceConnectDefaults.namespace';
  throw clientFault(field, `${field} is not supported yet.`, 'There are no services to connect; leave it out.');
}

export const putClusterCapacityProviders: Handlers['PutClusterCapacityProviders'] = async ({ deps }, input) => {
  const { capacityProviders, defaultCapacityProviderStrategy } = input;
  const wish = clusterCapacity(deps, capacityProviders, defaultCapacityProviderStrategy);
  const name = clusterMeant(deps, input.cluster);
  const cluster = await changeCluster(deps, name, (seen) => withCapacity(deps, seen, wish));
  deps.activate('buy-capacity', name);
  return { cluster: await clusterView(deps, cluster) };
};

/**
 * Puts one of the cluster's providers into its default strategy (by weight 1 where it was not in it), or takes it out. The others stay as
 * they are.
 */
export async function changeDefaultStrategy(
  deps: ControlDeps,
  cluster: string,
  { name, isIn }: { readonly name: string; readonly isIn: boolean },
): Promise<void> {
  await changeCluster(deps, cluster, (seen) => {
    const others = seen.defaultStrategy.filter(({ capacityProvider }) => capacityProvider !== name);
    const own = seen.defaultStrategy.find(({ capacityProvider }) => capacityProvider === name);
    const wanted = isIn ? [...others, own ?? { capacityProvider: name, weight: 1 }] : others;
    const strategy = normaliseStrategy('defaultCapacityProviderStrategy', wanted, seen.capacityProviders);
    return { next: { ...seen, defaultStrategy: strategy }, others: [] };
  });
}

interface CapacityWish {
  readonly names: readonly string[];
  readonly strategy: StrategyItem[];
}

/** Throws where the strategy breaks a rule, or names what is not among the providers. */
export function clusterCapacity(
  deps: Pick<ControlDeps, 'realm'>,
  references: readonly string[],
  strategy: Parameters<typeof normaliseStrategy>[1],
): CapacityWish {
  const nameOf = (reference: string, index: number): string =>
    capacityProviderMeant(deps, reference, `capacityProviders[${index}]`);
  const names = [...new Set(references.map(nameOf))];
  if (names.length > mostProviders)
    throw parameterFault('capacityProviders', `A cluster can have at most ${mostProviders} capacity providers.`);
  const fargate = names.find((name) => name.startsWith('FARGATE'));
  if (fargate !== undefined)
    throw parameterFault(
      'capacityProviders',
      `There is no capacity provider ${fargate}: Gantry runs tasks on hosts of yours and has no Fargate.`,
      'Leave it out.',
    );
  const field = 'defaultCapacityProviderStrategy';
  return { names, strategy: normaliseStrategy(field, strategyMeant(deps, field, strategy), names) };
}

/** The cluster with these providers, and what else changes with that: each provider knows its clusters. */
export async function withCapacity(
  deps: ControlDeps,
  seen: Cluster,
  { names, strategy }: CapacityWish,
): Promise<{ next: Cluster; others: Change[] }> {
  const removed = seen.capacityProviders.filter((name) => !names.includes(name));
  const added = names.filter((name) => !seen.capacityProviders.includes(name));
  const providers = await getCapacityProviders(deps.table, [...added.filter(isName), ...removed]);
  for (const name of added) checkUsable(seen.name, name, providers);
  if (removed.length > 0) await refuseUsedProviders(deps, seen.name, removed);
  const next: Cluster = {
    ...seen,
    capacityProviders: [...names],
    defaultStrategy: strategy,
  };
  const others = providers.map((provider) => {
    const without = provider.usedBy.filter((name) => name !== seen.name);
    const usedBy = added.includes(provider.name) ? [...without, seen.name] : without;
    return replaceCapacityProvider(provider, { ...provider, usedBy });
  });
  return { next, others };
}

const isName = (name: string): boolean => namePattern.test(name);

function checkUsable(cluster: string, name: string, providers: readonly CapacityProvider[]): void {
  const provider = providers.find((each) => each.name === name);
  if (provider?.status !== 'ACTIVE')
    throw parameterFault(
      'capacityProviders',
      'The specified capacity provider does not exist. Specify a valid name or ARN and try again.',
      `There is no ${name}; CreateCapacityProvider makes one.`,
    );
  if (provider.cluster === undefined || provider.cluster === cluster) return;
  throw parameterFault(
    'capacityProviders',
    `The capacity provider ${name} belongs to the cluster ${provider.cluster}, not to ${cluster}.`,
    'Make one for this cluster, or one without a cluster.',
  );
}

/** Throws ResourceInUseException where a task of the cluster, also one that waits, is under one of these providers. */
export async function refuseUsedProviders(
  { table }: ControlDeps,
  cluster: string,
  names: readonly string[],
): Promise<void> {
  for await (const { entry } of liveTasks(table, cluster, { pageSize: wholeShard })) {
    if (entry.capacityProvider === undefined || !names.includes(entry.capacityProvider)) continue;
    throw new GantryError(
      'ResourceInUseException',
      'The specified capacity provider is in use and cannot be removed.',
      {
        field: 'capacityProviders',
        hint: `The task ${entry.taskId} is under ${entry.capacityProvider}: stop it first.`,
      },
    );
  }
}

/** Repeats what `change` makes of the cluster until nobody was quicker. Throws ClusterNotFoundException. */
async function changeCluster(
  deps: ControlDeps,
  name: string,
  change: (seen: Cluster) => Promise<{ next: Cluster; others: Change[] }> | { next: Cluster; others: Change[] },
): Promise<Cluster> {
  const cluster = await attempt(deps, { most: tries, what: `cluster ${name}` }, async () => {
    const seen = isName(name) ? await getCluster(deps.table, name) : undefined;
    refuseInactive(seen);
    const { next, others } = await change(seen);
    const { outcome } = await deps.table.commit([replaceCluster(seen, next), ...others]);
    return outcome === 'done' ? next : undefined;
  });
  deps.recent.clusterChanged(name);
  return cluster;
}
