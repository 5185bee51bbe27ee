/** Access paths of the credentials of private registries. docs/adr/0011. */
import { type RegistryCredentials, registryCredentialsSchema } from '../../core/model/registry-credentials.ts';
import { itemOf, parseItem, parseOptional } from './item.ts';
import { keys, partitions } from './keys.ts';
import { queryAll } from './read-all.ts';
import type { Change, ReadOptions, Table } from './table.ts';

/** In the order of their names. */
export const clusterRegistryCredentials = async (
  table: Table,
  cluster: string,
  options: ReadOptions = {},
): Promise<RegistryCredentials[]> =>
  (await queryAll(table, partitions.registryCredentials(cluster), options)).map((item) =>
    parseItem(registryCredentialsSchema, item),
  );

export const getRegistryCredentials = async (
  table: Table,
  cluster: string,
  name: string,
): Promise<RegistryCredentials | undefined> =>
  parseOptional(registryCredentialsSchema, await table.get(keys.registryCredentials(cluster, name)));

/** The last ones that are given count. */
export const putRegistryCredentials = (credentials: RegistryCredentials): Change => ({
  kind: 'put',
  item: itemOf(keys.registryCredentials(credentials.cluster, credentials.name), credentials),
  when: [],
});

/** Refused where there are none. */
export const removeRegistryCredentials = (cluster: string, name: string): Change => ({
  kind: 'delete',
  key: keys.registryCredentials(cluster, name),
  when: [{ item: 'exists' }],
});
