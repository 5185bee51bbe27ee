/** PutRegistryCredentials, ListRegistryCredentials, DeleteRegistryCredentials. Hosts ask for them in control/hosts. docs/adr/0011. */
import type { Input } from '../../core/api/operations.ts';
import type { RegistryCredentialsView } from '../../core/api/registry-credentials.ts';
import { GantryError } from '../../core/errors.ts';
import { checkLength, parameterFault, refuseNul } from '../../core/model/faults.ts';
import {
  completeRegistry,
  registryCredentialLimits as limits,
  mostRegistryCredentials,
  type RegistryCredentials,
} from '../../core/model/registry-credentials.ts';
import { storedPassword } from '../keys/registry-passwords.ts';
import * as store from '../store/registry-credentials.ts';
import type { Handlers } from './context.ts';
import { knownClusterName } from './known-cluster.ts';
import { activeClusterName } from './references.ts';

export const putRegistryCredentials: Handlers['PutRegistryCredentials'] = async ({ deps }, input) => {
  const cluster = await activeClusterName(deps, input.cluster);
  const registry = registryOf(input);
  const name = input.name ?? registry;
  checkTexts({ ...input, name });
  const there = await store.clusterRegistryCredentials(deps.table, cluster);
  const before = there.find((one) => one.name === name);
  if (before === undefined && there.length >= mostRegistryCredentials)
    throw new GantryError('LimitExceededException', `The cluster ${cluster} has ${there.length} credentials already.`, {
      hint: 'Delete what is not needed: ListRegistryCredentials shows them.',
    });
  const now = deps.clock.now();
  const credentials: RegistryCredentials = {
    cluster,
    name,
    registry,
    username: input.username,
    createdAt: before?.createdAt ?? now,
    updatedAt: now,
    ...storedPassword(deps, { cluster, name }, input.password),
  };
  await deps.table.commit([store.putRegistryCredentials(credentials)]);
  deps.recent.registryNames.delete(cluster);
  deps.log.info({ cluster, name, registry }, 'credentials of a registry were kept');
  return { registryCredentials: view(credentials) };
};

function registryOf({ registry, name }: Input<'PutRegistryCredentials'>): string {
  const completed = completeRegistry(registry);
  if (completed === undefined)
    throw parameterFault(
      'registry',
      `registry must be a host name, with its port where it has one; it is "${registry}".`,
      'Give it as it stands in images’ names, without https:// and path: "registry.example.com:5000", "ghcr.io", "docker.io".',
    );
  const named = name === undefined ? undefined : completeRegistry(name);
  if (named !== undefined && named !== name)
    throw parameterFault('name', `name would stand for the registry ${named}; it is "${name}".`, `Use "${named}".`);
  return completed;
}

function checkTexts(input: Pick<Input<'PutRegistryCredentials'>, 'name' | 'username' | 'password'>): void {
  for (const member of ['name', 'username', 'password'] as const) {
    checkLength(parameterFault, member, input[member], limits[member]);
    refuseNul(parameterFault, member, input[member] ?? '');
  }
  if (!/^[\x21-\x7e]+$/.test(input.name ?? ''))
    throw parameterFault('name', 'name must be visible characters of ASCII without blanks.');
  if (input.username.includes(':'))
    throw parameterFault('username', 'username must not contain a colon.', 'Registries take username:password.');
}

export const listRegistryCredentials: Handlers['ListRegistryCredentials'] = async ({ deps }, input) => {
  const cluster = await knownClusterName(deps, input.cluster);
  return { registryCredentials: (await store.clusterRegistryCredentials(deps.table, cluster)).map(view) };
};

export const deleteRegistryCredentials: Handlers['DeleteRegistryCredentials'] = async ({ deps }, input) => {
  const cluster = await knownClusterName(deps, input.cluster);
  checkLength(parameterFault, 'name', input.name, limits.name);
  const { outcome } = await deps.table.commit([store.removeRegistryCredentials(cluster, input.name)]);
  if (outcome !== 'done')
    throw new GantryError('ResourceNotFoundException', `The cluster ${cluster} has no credentials ${input.name}.`, {
      field: 'name',
      hint: 'ListRegistryCredentials shows which there are.',
    });
  deps.recent.registryNames.delete(cluster);
  deps.log.info({ cluster, name: input.name }, 'credentials of a registry were deleted');
  return {};
};

const view = (credentials: RegistryCredentials): RegistryCredentialsView => {
  const { name, registry, username, createdAt, updatedAt } = credentials;
  const use = name === registry ? 'ALL_IMAGES' : 'NAMED';
  return { name, registry, username, use, createdAt: new Date(createdAt), updatedAt: new Date(updatedAt) };
};
