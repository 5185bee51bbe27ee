/**
 * What a host is to run: its whole desired set, read strongly by one query, under the generation read before it. A set that is newer
 * than its ETag costs one more fetch; the reverse would lose a task. A fetch or a heartbeat also shows that the host's agent is there.
 */
import { taskArn } from '../../core/arn.ts';
import { compact } from '../../core/compact.ts';
import type { DesiredSet, DesiredTask, HeartbeatResponse } from '../../core/host-protocol.ts';
import type { HostCapacity, HostIdentity } from '../../core/model/host.ts';
import type { RegistryCredentials } from '../../core/model/registry-credentials.ts';
import { resolveSpec } from '../../core/task/spec.ts';
import type { ControlDeps } from '../deps.ts';
import { setConnected } from '../store/host-states.ts';
import { getHostCapacity, type HostTask, hostTasks, writeHostLease } from '../store/hosts.ts';
import type { ReadOptions } from '../store/table.ts';
import { registryNames } from './registry-names.ts';

export interface FetchedSet {
  readonly etag: string;
  /** undefined where the host has the set of this ETag already. */
  readonly set: DesiredSet | undefined;
}

export async function fetchDesiredSet(
  deps: ControlDeps,
  host: HostIdentity,
  knownEtag: string | undefined,
): Promise<FetchedSet> {
  const capacity = await capacityOf(deps, host);
  const etag = etagOf(deps, capacity);
  if (capacity?.connected === false) await reconnect(deps, capacity);
  if (knownEtag === etag) return { etag, set: undefined };
  const { storeEpoch } = deps;
  // Whatever runs on a host that was retired is to stop.
  if (capacity === undefined) return { etag, set: { storeEpoch, hostEpoch: 0, generation: 0, tasks: [] } };
  const entries = await hostTasks(deps.table, host.hostId);
  const registries = entries.length === 0 ? [] : await registryNames(deps, host.cluster);
  const tasks = await Promise.all(entries.map((entry) => resolve(deps, entry, registries)));
  const { epoch: hostEpoch, generation, unknownStore } = capacity;
  return { etag, set: compact({ storeEpoch, hostEpoch, generation, tasks, decision: unknownStore?.decision }) };
}

/** The host is there; answers the ETag of its desired set, so that its agent fetches only where that differs from what it has. */
export async function takeHeartbeat(deps: ControlDeps, host: HostIdentity): Promise<HeartbeatResponse> {
  if (host.retired !== undefined) return { etag: etagOf(deps, undefined) };
  const lease = writeHostLease(host.hostId, { at: deps.clock.now() });
  // Some moments old: what was placed in them has its own wake-up, and the next heartbeat behind that.
  const [capacity] = await Promise.all([capacityOf(deps, host, { eventual: true }), deps.table.commit([lease])]);
  // An agent that has the newest set does not fetch.
  if (capacity?.connected === false) await reconnect(deps, capacity);
  return { etag: etagOf(deps, capacity) };
}

/** undefined where the host was retired. */
async function capacityOf(
  { table }: ControlDeps,
  host: HostIdentity,
  options: ReadOptions = {},
): Promise<HostCapacity | undefined> {
  if (host.retired !== undefined) return undefined;
  const capacity = await getHostCapacity(table, host.cluster, host.hostId, options);
  if (capacity === undefined) throw new Error(`host ${host.hostId} has no capacity item`);
  return capacity.status === 'INACTIVE' ? undefined : capacity;
}

/** With the epochs: a restored store may be at the generation that the agent knows from another. */
const etagOf = ({ storeEpoch }: ControlDeps, capacity: HostCapacity | undefined): string =>
  capacity === undefined ? `"${storeEpoch}-retired"` : `"${storeEpoch}-${capacity.epoch}-${capacity.generation}"`;

/** With a fresh lease: an old one would have the host marked silent again before its first heartbeat. */
async function reconnect(deps: ControlDeps, host: HostCapacity): Promise<void> {
  const at = deps.clock.now();
  const { outcome } = await deps.table.commit([setConnected(host, true, at), writeHostLease(host.hostId, { at })]);
  if (outcome !== 'done') return; // Another request of the host did it.
  deps.capacity.learned({ ...host, connected: true, connectedChangedAt: at });
  deps.log.info({ hostId: host.hostId, host: host.name, cluster: host.cluster }, 'a host is connected');
  deps.activate('place-pending', host.cluster);
}

async function resolve(
  { recent, realm }: ControlDeps,
  entry: HostTask,
  registryCredentials: readonly Pick<RegistryCredentials, 'name'>[],
): Promise<DesiredTask> {
  const { taskId, cluster, family, revision, spec } = entry;
  if (spec !== undefined) return { taskId, desired: entry.desired, spec };
  const definition = await recent.revisionBody({ family, revision });
  if (definition === undefined) throw new Error(`task ${taskId} runs ${family}:${revision}, which does not exist`);
  const { timeoutSeconds, cpuLimitUnits } = entry;
  const identity = { taskId, taskArn: taskArn(realm, cluster, taskId), cluster, region: realm.region };
  const context = compact({ ...identity, timeoutSeconds, cpuLimitUnits, registryCredentials });
  return { taskId, desired: entry.desired, spec: resolveSpec(definition, entry.overrides, context) };
}
