/**
 * What a host pulls an image of a private registry with: answered for what a container of its own live tasks is pulled with, and for
 * nothing else. docs/adr/0011.
 */
import { GantryError } from '../../core/errors.ts';
import type { RegistryCredentialsAnswer, RegistryCredentialsRequest } from '../../core/host-protocol.ts';
import type { HostIdentity } from '../../core/model/host.ts';
import { splitRegistry } from '../../core/model/registry-credentials.ts';
import type { ContainerSpec } from '../../core/model/task-spec.ts';
import type { ControlDeps } from '../deps.ts';
import { passwordOf, sealToRequest } from '../keys/registry-passwords.ts';
import { getRegistryCredentials } from '../store/registry-credentials.ts';
import { fetchDesiredSet } from './desired-set.ts';

/** Throws AccessDeniedException where no task of the host needs them, ResourceNotFoundException where there are none. */
export async function answerRegistryCredentials(
  deps: ControlDeps,
  host: HostIdentity,
  { name, publicKey }: RegistryCredentialsRequest,
): Promise<RegistryCredentialsAnswer> {
  const { set } = await fetchDesiredSet(deps, host, undefined);
  const isNeeded = set?.tasks.some(
    ({ desired, spec }) =>
      desired.status === 'RUNNING' && spec.containers.some((container) => isPulledWith(container, name)),
  );
  if (isNeeded !== true)
    throw new GantryError(
      'AccessDeniedException',
      `No task of this host is to be pulled with the credentials ${name}.`,
    );
  const found = await getRegistryCredentials(deps.table, host.cluster, name);
  if (found === undefined)
    throw new GantryError('ResourceNotFoundException', `The cluster ${host.cluster} has no credentials ${name}.`, {
      field: 'name',
      hint: 'Put them there: `gantry registries login REGISTRY --username NAME`, with --name where a container names them.',
    });
  const password = await passwordOf(deps, found);
  return {
    registry: found.registry,
    username: found.username,
    password: sealToRequest(password, publicKey, { hostId: host.hostId, name }),
  };
}

/** What its image's registry is called will do where it names nothing: its set may be older than the credentials. */
const isPulledWith = ({ image, registryCredentials }: ContainerSpec, name: string): boolean =>
  (registryCredentials ?? splitRegistry(image).registry) === name;
