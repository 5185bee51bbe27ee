/**
 * CreateCapacityProvider, UpdateCapacityProvider, DeleteCapacityProvider, DescribeCapacityProviders. What clusters do with them is
 * cluster-capacity.ts; buying is a loop's business.
 */
import { z } from 'zod';
import type { Input, Output } from '../../core/api/operations.ts';
import { capacityProviderArn } from '../../core/arn.ts';
import { compact } from '../../core/compact.ts';
import type { GantryError } from '../../core/errors.ts';
import type { CapacityProvider } from '../../core/model/capacity.ts';
import { checkProviderName, providerRules, providerWarnings } from '../../core/model/capacity-provider-rules.ts';
import { namePattern } from '../../core/model/cluster.ts';
import { clientFault } from '../../core/model/faults.ts';
import { checkTags } from '../../core/model/tag-rules.ts';
import { attempt } from '../attempts.ts';
import type { ControlDeps } from '../deps.ts';
import {
  addCapacityProvider,
  capacityProvidersPage,
  getCapacityProvider,
  getCapacityProviders,
  replaceCapacityProvider,
} from '../store/capacity-providers.ts';
import { getCluster, replaceCluster } from '../store/clusters.ts';
import type { Change } from '../store/table.ts';
import { capacityProviderMeant } from './capacity-references.ts';
import { refuseTooMany } from './checks.ts';
import { refuseUsedProviders } from './cluster-capacity.ts';
import type { Handlers } from './context.ts';
import { checkOffers } from './offer-checks.ts';
import { decodeToken, nextTokenOf, pageSize } from './paging.ts';
import { activeClusterName, refuseInactive } from './references.ts';
import { capacityProviderView } from './views/capacity-provider-view.ts';
import { withTags } from './views/with-tags.ts';

const tries = 10;

export const createCapacityProvider: Handlers['CreateCapacityProvider'] = async ({ deps }, input) => {
  const { name, tags = [] } = input;
  checkProviderName(name);
  checkTags(tags);
  const cluster = await homeOf(deps, input);
  const rules = providerRules(configurationOf(input));
  const unchecked = await checkOffers(deps, { name, ...rules, cluster });
  const made = await attempt(deps, { most: tries, what: `capacity provider ${name}` }, async () => {
    const [seen, home] = await Promise.all([
      getCapacityProvider(deps.table, name),
      cluster === undefined ? undefined : getCluster(deps.table, cluster),
    ]);
    if (seen?.status === 'ACTIVE') throw alreadyThere();
    if (cluster !== undefined) refuseInactive(home);
    const usedBy = cluster === undefined ? [] : [cluster];
    const now = deps.clock.now();
    const members = { name, status: 'ACTIVE' as const, ...rules, tags, usedBy, createdAt: now, version: 1 };
    const fresh: CapacityProvider = compact({ ...members, cluster });
    const changes: Change[] = [seen === undefined ? addCapacityProvider(fresh) : replaceCapacityProvider(seen, fresh)];
    // Also where it lists the name: the cluster must not be deleted meanwhile.
    if (home !== undefined)
      changes.push(
        replaceCluster(home, { ...home, capacityProviders: [...new Set(home.capacityProviders).add(name)] }),
      );
    const { outcome } = await deps.table.commit(changes);
    return outcome === 'done' ? fresh : undefined;
  });
  if (cluster !== undefined) deps.recent.clusterChanged(cluster);
  return changedView(deps, made, configurationOf(input), unchecked);
};

const alreadyThere = (): GantryError =>
  clientFault(
    'name',
    'The specified capacity provider already exists. To change the configuration of an existing capacity provider, update the capacity provider.',
  );

export const updateCapacityProvider: Handlers['UpdateCapacityProvider'] = async ({ deps }, input) => {
  const name = capacityProviderMeant(deps, input.name, 'name');
  const cluster = await clusterNamed(deps, input.cluster);
  const given = configurationOf(input);
  let unchecked: readonly string[] = [];
  const updated = await attempt(deps, { most: tries, what: `capacity provider ${name}` }, async () => {
    const seen = await existing(deps, 'name', name, cluster);
    const rules = providerRules(given, seen.configuration);
    unchecked = await checkOffers(deps, { name, ...rules, cluster: seen.cluster });
    const next: CapacityProvider = { ...seen, ...rules, updatedAt: deps.clock.now() };
    const { outcome } = await deps.table.commit([replaceCapacityProvider(seen, next)]);
    return outcome === 'done' ? next : undefined;
  });
  for (const cluster of updated.usedBy) deps.activate('buy-capacity', cluster);
  return changedView(deps, updated, given, unchecked);
};

/** As ECS has it: first off every cluster. One that belongs to a single cluster is taken off it here, where nothing uses it. */
export const deleteCapacityProvider: Handlers['DeleteCapacityProvider'] = async ({ deps }, input) => {
  const name = capacityProviderMeant(deps, input.capacityProvider, 'capacityProvider');
  const cluster = await clusterNamed(deps, input.cluster);
  const deleted = await attempt(deps, { most: tries, what: `capacity provider ${name}` }, async () => {
    const seen = await existing(deps, 'capacityProvider', name, cluster);
    const [user] = seen.usedBy.filter((cluster) => cluster !== seen.cluster);
    if (user !== undefined)
      throw clientFault(
        'capacityProvider',
        `The capacity provider cannot be deleted because it is associated with cluster: ${user}. ` +
          'Remove the capacity provider from the cluster and try again.',
        'PutClusterCapacityProviders says which a cluster has.',
      );
    const gone: CapacityProvider = { ...seen, status: 'INACTIVE', usedBy: [] };
    const { outcome } = await deps.table.commit([
      replaceCapacityProvider(seen, gone),
      ...(await leaveHome(deps, seen)),
    ]);
    return outcome === 'done' ? gone : undefined;
  });
  if (deleted.cluster !== undefined) {
    deps.recent.clusterChanged(deleted.cluster);
    deps.activate('buy-capacity', deleted.cluster);
  }
  return { capacityProvider: capacityProviderView(deps.realm, deleted) };
};

async function leaveHome(deps: ControlDeps, { name, cluster }: CapacityProvider): Promise<Change[]> {
  const home = cluster === undefined ? undefined : await getCluster(deps.table, cluster);
  if (home === undefined || !home.capacityProviders.includes(name)) return [];
  if (home.defaultStrategy.some(({ capacityProvider }) => capacityProvider === name))
    throw clientFault(
      'capacityProvider',
      `The capacity provider cannot be deleted because it is in the default strategy of cluster: ${home.name}. ` +
        'Remove the capacity provider from the strategy and try again.',
    );
  await refuseUsedProviders(deps, home.name, [name]);
  return [
    replaceCluster(home, {
      ...home,
      capacityProviders: home.capacityProviders.filter((other) => other !== name),
    }),
  ];
}

export const describeCapacityProviders: Handlers['DescribeCapacityProviders'] = async ({ deps }, input) => {
  const { realm } = deps;
  const size = pageSize(input.maxResults, 'maxResults');
  const cluster = await clusterNamed(deps, input.cluster);
  const named = input.capacityProviders ?? [];
  if (named.length === 0 && cluster === undefined) return describePage(deps, input, size);
  refuseTooMany('capacityProviders', named);
  const ofCluster = cluster === undefined ? [] : ((await getCluster(deps.table, cluster))?.capacityProviders ?? []);
  const nameOf = (reference: string, index: number): string =>
    capacityProviderMeant(deps, reference, `capacityProviders[${index}]`);
  const wanted = [...new Set(named.length === 0 ? ofCluster : named.map(nameOf))];
  const readable = wanted.filter(
    (name) => namePattern.test(name) && (cluster === undefined || ofCluster.includes(name)),
  );
  const found = await getCapacityProviders(deps.table, readable);
  const names = new Set(found.map(({ name }) => name));
  return {
    capacityProviders: found.map((provider) => withTags(capacityProviderView(realm, provider), input.include)),
    failures: wanted
      .filter((name) => !names.has(name))
      .map((name) => ({ arn: capacityProviderArn(realm, name), reason: 'MISSING' })),
  };
};

async function describePage(
  { table, realm }: ControlDeps,
  { nextToken, include }: Input<'DescribeCapacityProviders'>,
  size: number,
): Promise<Output<'DescribeCapacityProviders'>> {
  const found: CapacityProvider[] = [];
  let after = nextToken === undefined ? undefined : decodeToken(z.string().regex(namePattern), nextToken);
  do {
    const limit = size - found.length;
    const page = await capacityProvidersPage(table, { limit, ...(after === undefined ? {} : { after }) });
    found.push(...page.providers.filter(({ status }) => status === 'ACTIVE'));
    after = page.next;
  } while (after !== undefined && found.length < size);
  const capacityProviders = found.map((provider) => withTags(capacityProviderView(realm, provider), include));
  return { capacityProviders, failures: [], ...nextTokenOf(after) };
}

type Given = Pick<Input<'UpdateCapacityProvider'>, 'autoScalingGroupProvider' | 'managedInstancesProvider' | 'gantry'>;

const configurationOf = ({ autoScalingGroupProvider, managedInstancesProvider, gantry }: Given) =>
  compact({ autoScalingGroupProvider, managedInstancesProvider, gantry });

/** As ECS has it, instances that are managed are those of one cluster. */
async function homeOf(deps: ControlDeps, input: Input<'CreateCapacityProvider'>): Promise<string | undefined> {
  if (input.cluster !== undefined) return activeClusterName(deps, input.cluster);
  if (input.managedInstancesProvider === undefined) return undefined;
  throw clientFault(
    'cluster',
    'Managed Instances Provider is not supported without a Cluster Name.',
    'Name a cluster.',
  );
}

/** Here none is named where none is given: capacity providers need not be of a cluster. */
const clusterNamed = async (deps: ControlDeps, cluster: string | undefined): Promise<string | undefined> =>
  cluster === undefined ? undefined : activeClusterName(deps, cluster);

/** Not of another cluster than the one that is named beside it, where one is. */
async function existing(
  { table }: ControlDeps,
  field: string,
  name: string,
  cluster: string | undefined,
): Promise<CapacityProvider> {
  const found = namePattern.test(name) ? await getCapacityProvider(table, name) : undefined;
  if (found?.status === 'ACTIVE' && [undefined, found.cluster ?? cluster].includes(cluster)) return found;
  throw clientFault(
    field,
    'The specified capacity provider does not exist. Specify a valid name or ARN and try again.',
    'DescribeCapacityProviders shows which there are.',
  );
}

const changedView = (
  deps: ControlDeps,
  provider: CapacityProvider,
  given: ReturnType<typeof configurationOf>,
  unchecked: readonly string[],
) => ({
  capacityProvider: capacityProviderView(deps.realm, provider),
  warnings: [...providerWarnings(given, provider), ...unchecked],
});
