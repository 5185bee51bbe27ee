/**
 * Takes hosts out of use while they live: DRAINING keeps placement away from them, ACTIVE lets it come back. What runs on a draining host
 * runs on, until whoever empties it by a deadline has its tasks stopped.
 */
import type { HostCapacity, HostIdentity } from '../../core/model/host.ts';
import { attempt } from '../attempts.ts';
import type { ControlDeps } from '../deps.ts';
import { setStatus } from '../store/host-states.ts';
import { getHostCapacity, hostTasks } from '../store/hosts.ts';
import { type StopRequest, stopTask } from '../tasks/stop.ts';

type HostReference = Pick<HostIdentity, 'cluster' | 'hostId'>;

/** Answers the host as it is then; undefined where the cluster has no such host, or had it. */
export async function changeStatus(
  deps: ControlDeps,
  { cluster, hostId }: HostReference,
  status: 'ACTIVE' | 'DRAINING',
): Promise<HostCapacity | undefined> {
  const { host } = await attempt(deps, { most: 20, what: `host ${hostId}` }, async () => {
    const seen = await getHostCapacity(deps.table, cluster, hostId);
    if (seen === undefined || seen.status === 'INACTIVE') return { host: undefined };
    if (seen.status === status) return { host: seen };
    const { outcome } = await deps.table.commit([setStatus(seen, status)]);
    return outcome === 'done' ? { host: { ...seen, status } } : undefined;
  });
  if (host === undefined) return undefined;
  deps.capacity.learned(host);
  if (status === 'ACTIVE') deps.activate('place-pending', cluster);
  return host;
}

/**
 * One step of emptying a host, to be repeated until nothing remains: nothing more is placed on it, and once `deadline` (epoch
 * milliseconds) has passed its tasks are asked to stop. Answers how many tasks it still has; none where it is gone.
 */
export async function drainHost(
  deps: ControlDeps,
  host: HostReference,
  { deadline, ...request }: { readonly deadline: number } & StopRequest,
): Promise<{ readonly remaining: number }> {
  if ((await changeStatus(deps, host, 'DRAINING')) === undefined) return { remaining: 0 };
  const tasks = await hostTasks(deps.table, host.hostId);
  if (deps.clock.now() >= deadline) {
    for (const { taskId, cluster, desired } of tasks) {
      if (desired.status === 'RUNNING') await stopTask(deps, cluster, taskId, request);
    }
  }
  return { remaining: tasks.length };
}
