/**
 * Admits hosts: a new key with a join token, or on an admitted instance of a cluster's role, becomes a new host; a known key is the same
 * host, back with what its machine has now, unless it was retired.
 * Owns a host's identity and totals; never its free capacity except by the difference of totals.
 */
import { createHash } from 'node:crypto';
import { GantryError } from '../../core/errors.ts';
import {
  oldestProtocolVersion,
  protocolVersion,
  type RegisterRequest,
  type RegisterResponse,
} from '../../core/host-protocol.ts';
import { providerAttribute } from '../../core/model/capacity.ts';
import { type HostCapacity, type HostIdentity, hostNamePattern } from '../../core/model/host.ts';
import { attempt } from '../attempts.ts';
import type { ControlDeps } from '../deps.ts';
import { touchActiveCluster } from '../store/clusters.ts';
import { reservedByHost } from '../store/host-capacity.ts';
import { changeTotals, type HostFacts } from '../store/host-totals.ts';
import {
  addHostCapacity,
  addHostIdentity,
  claimHostKey,
  claimHostName,
  getHostCapacity,
  getHostIdentity,
  hostByKey,
  hostIdByName,
  replaceHostIdentity,
  writeHostLease,
} from '../store/hosts.ts';
import { type Admission, admissionOf } from './admission.ts';
import { type SignedRequest, signatureOf, verifySignature } from './http-signature.ts';

/** Throws one of AWS' authentication errors unless the request is signed with the key that it carries. */
export function verifyRegistration(request: SignedRequest, body: RegisterRequest, now: number): void {
  const signature = signatureOf(request);
  if (signature.keyId !== body.publicKey) {
    throw new GantryError('InvalidSignatureException', 'A registration is signed with the key that it carries.');
  }
  verifySignature(request, signature, body.publicKey, now);
}

/** Answers who the host is. Throws AccessDeniedException, ClusterNotFoundException or ConflictException, each saying what to do. */
export async function admitHost(deps: ControlDeps, request: RegisterRequest): Promise<RegisterResponse> {
  checkProtocol(request.protocolVersion);
  if (!hostNamePattern.test(request.name)) {
    const message =
      'name must be 1 to 255 letters, digits, dots, hyphens and underscores, and begin with a letter or digit.';
    throw new GantryError('InvalidParameterException', message, { field: 'name' });
  }
  const keyDigest = createHash('sha256').update(request.publicKey).digest('hex');
  const admission = admissionOf(deps, request, keyDigest);
  const { hostId, cluster } = await attempt(deps, { most: 10, what: `host ${request.name}` }, async () => {
    const known = await hostByKey(deps.table, keyDigest);
    if (known?.retired === true) throw keyRetired(known.hostId);
    if (known !== undefined) return await welcomeBack(deps, request, known.hostId);
    return await admitNew(deps, request, keyDigest, admission);
  });
  deps.recent.hostChanged(hostId);
  deps.log.info({ hostId, host: request.name, cluster }, 'a host registered');
  const { heartbeatSeconds, sockets } = deps.settings;
  return {
    hostId,
    cluster,
    storeEpoch: deps.storeEpoch,
    heartbeatSeconds,
    ...(sockets === undefined ? {} : { sockets }),
  };
}

/** One that is newer says this one's version when it is told. */
function checkProtocol(version: number): void {
  if (version >= oldestProtocolVersion && version <= protocolVersion) return;
  const understood = `${oldestProtocolVersion} and ${protocolVersion}`;
  const message = `The agent speaks protocol version ${version}; this control plane understands ${understood}.`;
  throw new GantryError('InvalidParameterException', message, {
    field: 'protocolVersion',
    hint: version < oldestProtocolVersion ? 'Upgrade the agent.' : 'Upgrade the control plane.',
  });
}

const keyRetired = (hostId: string): GantryError =>
  new GantryError('AccessDeniedException', `The host ${hostId} was deregistered, and its key is not admitted again.`, {
    hint: 'Have it forgotten (`gantry leave --force` on that machine, or an empty identity directory), and join as a new host.',
    resourceIds: [hostId],
  });

type Admitted = Pick<HostIdentity, 'hostId' | 'cluster'>;

async function admitNew(
  deps: ControlDeps,
  request: RegisterRequest,
  keyDigest: string,
  admission: () => Promise<Admission>,
): Promise<Admitted | undefined> {
  const { table, clock } = deps;
  const { cluster, name } = request;
  if ((await deps.recent.activeCluster(cluster)) === undefined) {
    throw new GantryError('ClusterNotFoundException', 'Cluster not found.', {
      field: 'cluster',
      hint: `Create the cluster ${cluster} first.`,
    });
  }
  const { instanceId, provider, spend } = await admission();
  const previousHostId = await freeName(deps, cluster, name);
  const now = clock.now();
  const identity = identityOf(request, deps.newId(), instanceId, now);
  const result = await table.commit([
    addHostIdentity(identity),
    addHostCapacity(freshCapacity({ ...request, attributes: attributesOf(request, instanceId, provider) }, identity)),
    writeHostLease(identity.hostId, { at: now }),
    claimHostKey(keyDigest, identity.hostId),
    claimHostName(cluster, name, identity.hostId, previousHostId),
    ...spend(identity.hostId),
    touchActiveCluster(cluster),
  ]);
  if (result.outcome === 'done') {
    deps.recent.hostAdmitted(cluster);
    return identity;
  }
  deps.recent.clusterChanged(cluster); // It may be what refused.
  return undefined;
}

/** Checks that nobody has the name, and answers who had it last. */
async function freeName({ table }: ControlDeps, cluster: string, name: string): Promise<string | undefined> {
  const holder = await hostIdByName(table, cluster, name);
  if (holder === undefined) return undefined;
  const capacity = await getHostCapacity(table, cluster, holder);
  if (capacity === undefined || capacity.status === 'INACTIVE') return holder;
  throw new GantryError('ConflictException', `The cluster ${cluster} has a host named ${name} with another key.`, {
    field: 'name',
    hint: 'Give this host another name, or give it back the key that it had (its identity directory).',
    resourceIds: [holder],
  });
}

const identityOf = (
  request: RegisterRequest,
  hostId: string,
  instanceId: string | undefined,
  now: number,
): HostIdentity => ({
  hostId,
  ...(instanceId === undefined ? {} : { instanceId }),
  cluster: request.cluster,
  name: request.name,
  publicKey: request.publicKey,
  address: request.address,
  agentVersion: request.agentVersion,
  registeredAt: now,
  version: 1,
});

/** Which provider bought an instance of EC2 is known here; of any other machine, whoever starts its agent says it. */
function attributesOf(
  { attributes }: RegisterRequest,
  instanceId: string | undefined,
  provider: string | undefined,
): HostCapacity['attributes'] {
  if (instanceId === undefined) return attributes;
  const { [providerAttribute]: _said, ...others } = attributes;
  return provider === undefined ? others : { ...others, [providerAttribute]: provider };
}

/** Placeable only once its agent has fetched (connected) and reported everything it knows (reportedEpoch). */
const freshCapacity = (request: RegisterRequest, identity: HostIdentity): HostCapacity => ({
  hostId: identity.hostId,
  cluster: request.cluster,
  name: request.name,
  status: 'ACTIVE',
  epoch: 1,
  reportedEpoch: 0,
  connected: false,
  connectedChangedAt: identity.registeredAt,
  generation: 1,
  releases: 0,
  totalCpuUnits: request.cpuUnits,
  totalMemoryMib: request.memoryMib,
  freeCpuUnits: request.cpuUnits,
  freeMemoryMib: request.memoryMib,
  ports: Object.fromEntries(request.reservedPorts.map((port) => [port, reservedByHost])),
  groups: {},
  taskCount: 0,
  attributes: request.attributes,
  ...factsOf(identity),
});

/** What expressions may ask of a host's identity. */
const factsOf = ({ agentVersion, registeredAt, instanceId }: HostIdentity): HostFacts => ({
  agentVersion,
  registeredAt,
  ...(instanceId === undefined ? {} : { instanceId }),
});

async function welcomeBack(deps: ControlDeps, request: RegisterRequest, hostId: string): Promise<Admitted | undefined> {
  const identity = await getHostIdentity(deps.table, hostId);
  const capacity = await getHostCapacity(deps.table, identity?.cluster ?? request.cluster, hostId);
  if (identity === undefined || capacity === undefined) throw new Error(`host ${hostId} is known by its key alone`);
  if (identity.cluster !== request.cluster || identity.name !== request.name) {
    const message = `This key belongs to the host ${identity.name} of the cluster ${identity.cluster}.`;
    throw new GantryError('ConflictException', message, {
      hint: 'A host keeps its cluster and its name: make a new key (an empty identity directory) for another host.',
      resourceIds: [hostId],
    });
  }
  const { address, agentVersion } = request;
  const attributes = attributesOf(request, identity.instanceId, capacity.attributes[providerAttribute]);
  const totals = changeTotals(capacity, { ...request, attributes }, factsOf({ ...identity, agentVersion }));
  const result = await deps.table.commit([
    replaceHostIdentity(identity, { ...identity, address, agentVersion }),
    ...(totals === undefined ? [] : [totals]),
  ]);
  if (result.outcome !== 'done') return undefined;
  if (totals !== undefined) deps.activate('place-pending', identity.cluster);
  return identity;
}
