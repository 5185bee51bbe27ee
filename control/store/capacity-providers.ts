/**
 * Access paths of capacity providers: one partition, by name. Which of them a cluster uses is in the cluster's own item, so that what a
 * strategy may name and what may be taken away are decided by one condition.
 */
import { type CapacityProvider, capacityProviderSchema } from '../../core/model/capacity.ts';
import { getCluster } from './clusters.ts';
import { itemOf, parseItem, parseOptional } from './item.ts';
import { keys, partitions } from './keys.ts';
import { getAll } from './read-all.ts';
import type { Change, Table } from './table.ts';

export const getCapacityProvider = async (table: Table, name: string): Promise<CapacityProvider | undefined> =>
  parseOptional(capacityProviderSchema, await table.get(keys.capacityProvider(name)));

/** In the order of the names; those that do not exist are left out. */
export async function getCapacityProviders(table: Table, names: readonly string[]): Promise<CapacityProvider[]> {
  const items = await getAll(table, names.map(keys.capacityProvider));
  const found = new Map(items.map((item) => [item.sk, parseItem(capacityProviderSchema, item)]));
  return names.flatMap((name) => found.get(name) ?? []);
}

/** Those that may buy for a cluster, in its order. */
export async function clusterProviders(table: Table, cluster: string): Promise<readonly CapacityProvider[]> {
  const found = await getCluster(table, cluster);
  return found?.status === 'ACTIVE' ? getCapacityProviders(table, found.capacityProviders) : [];
}

/** In the order of names, INACTIVE ones included; `after` is a name. */
export async function capacityProvidersPage(
  table: Table,
  options: { readonly after?: string; readonly limit: number },
): Promise<{ readonly providers: CapacityProvider[]; readonly next?: string }> {
  const page = await table.query(partitions.capacityProviders, options);
  const providers = page.items.map((item) => parseItem(capacityProviderSchema, item));
  return page.next === undefined ? { providers } : { providers, next: page.next };
}

export const addCapacityProvider = (provider: CapacityProvider): Change => ({
  kind: 'put',
  item: itemOf(keys.capacityProvider(provider.name), provider),
  when: [{ item: 'absent' }],
});

/** Replaces what was read; refused where somebody else wrote in between. */
export const replaceCapacityProvider = (seen: CapacityProvider, next: CapacityProvider): Change => ({
  kind: 'put',
  item: itemOf(keys.capacityProvider(seen.name), { ...next, version: seen.version + 1 }),
  when: [{ path: ['version'], is: '=', value: seen.version }],
});
