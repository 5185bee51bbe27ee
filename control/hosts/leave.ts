/**
 * What a host may ask of the control plane about itself: how it stands, and to be a host no more. Its key is enough for that, and for no
 * other host.
 */
import type { HostSelf, LeaveRequest } from '../../core/host-protocol.ts';
import { type HostIdentity, shownHostStatus } from '../../core/model/host.ts';
import type { ControlDeps } from '../deps.ts';
import { getHostCapacity, getHostIdentity, hostTasks } from '../store/hosts.ts';
import { drainHost } from './drain.ts';
import { retireHost } from './retire.ts';

const asked = { reason: 'The host was taken out of the cluster.', stopCode: 'UserInitiated' } as const;

/** One step of it, to be repeated: answers the host as it is then. */
export async function leaveCluster(deps: ControlDeps, host: HostIdentity, { tasks }: LeaveRequest): Promise<HostSelf> {
  if (tasks !== 'abandon') {
    const deadline = tasks === 'stop' ? deps.clock.now() : Infinity;
    const { remaining } = await drainHost(deps, host, { deadline, ...asked });
    if (remaining > 0) return hostSelf(deps, host);
  }
  await retireHost(deps, host.hostId, asked);
  return hostSelf(deps, host);
}

/** Also of one that was retired, and even forgotten. */
export async function hostSelf({ table }: ControlDeps, known: HostIdentity): Promise<HostSelf> {
  const { hostId, cluster, name } = known;
  const [identity = known, capacity, tasks] = await Promise.all([
    getHostIdentity(table, hostId),
    getHostCapacity(table, cluster, hostId),
    hostTasks(table, hostId),
  ]);
  return {
    hostId,
    name,
    cluster,
    status: capacity === undefined ? 'INACTIVE' : shownHostStatus(capacity),
    connected: capacity?.connected ?? false,
    agentVersion: identity.agentVersion,
    version: identity.version,
    tasks: tasks.length,
  };
}
