/** One registration of this host: what it says of itself, in a version that the control plane understands, and what is kept of the answer. */
import {
  oldestProtocolVersion,
  protocolVersion,
  type RegisterRequest,
  type RegisterResponse,
} from '../core/host-protocol.ts';
import type { HostConfig } from './config.ts';
import { type ControlPlane, ControlPlaneError } from './control-plane/client.ts';
import type { Identity } from './identity.ts';

/** What is said of a host at each registration, beside what admits it. */
export const describedHost = (
  host: Omit<HostConfig, 'runtime' | 'dataDirectory'>,
  agentVersion: string,
): Omit<RegisterRequest, 'protocolVersion' | 'publicKey'> => ({
  cluster: host.cluster,
  name: host.hostName,
  address: host.address,
  agentVersion,
  cpuUnits: host.cpuUnits,
  memoryMib: host.memoryMib,
  reservedPorts: host.reservedPorts,
  attributes: host.attributes,
});

/** Throws ControlPlaneError. A control plane that is older than this agent is spoken to in the version before. */
export async function registerHost(
  controlPlane: Pick<ControlPlane, 'register'>,
  who: Omit<RegisterRequest, 'protocolVersion'>,
): Promise<RegisterResponse> {
  try {
    return await controlPlane.register({ ...who, protocolVersion });
  } catch (error) {
    if (!(error instanceof ControlPlaneError && error.refusal?.field === 'protocolVersion')) throw error;
    return await controlPlane.register({ ...who, protocolVersion: oldestProtocolVersion });
  }
}

/** The store is the one that this host first belonged to: it is never overwritten here. */
export async function keepAdmission(
  identity: Identity,
  { hostId, cluster, storeEpoch }: RegisterResponse,
  { hasTasks = false }: { readonly hasTasks?: boolean } = {},
): Promise<void> {
  const before = identity.admission;
  if (before?.hostId === hostId && before.cluster === cluster) return;
  // Another host to this store, which so knows nothing of what it runs.
  const isStranded = before !== undefined && before.hostId !== hostId && hasTasks;
  await identity.admit({
    hostId,
    cluster,
    storeEpoch: before?.storeEpoch ?? storeEpoch,
    ...(isStranded && { isStranded }),
  });
}
