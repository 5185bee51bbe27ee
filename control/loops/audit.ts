/**
 * Recomputes what each host has reserved from the tasks that it holds, and names any difference in the log. Repairs nothing: drift is
 * a defect, and what caused it must be found first.
 */
import { isDeepStrictEqual } from 'node:util';
import type { HostCapacity } from '../../core/model/host.ts';
import type { Task } from '../../core/model/task.ts';
import type { ControlDeps } from '../deps.ts';
import { reservedByHost } from '../store/host-capacity.ts';
import { clusterHosts, getHostCapacity, hostTasks } from '../store/hosts.ts';
import { getTasks } from '../store/tasks.ts';
import type { ClusterLoop, LoopResult } from './loop.ts';

export const audit: ClusterLoop = {
  name: 'audit',
  scope: 'cluster',
  periodSeconds: () => 1800,
  activate,
};

async function activate(deps: ControlDeps, cluster: string): Promise<LoopResult> {
  // Some moments old: one that has changed since is left for the next time.
  for (const host of await clusterHosts(deps.table, cluster, { eventual: true })) {
    const drift = await auditHost(deps, host);
    if (drift.length === 0) continue;
    deps.log.error({ hostId: host.hostId, host: host.name, cluster, drift }, 'a host has drifted');
    deps.metrics.count('HostDrift', 1, { cluster });
  }
  return { changed: 0 };
}

/** Each difference as a sentence; none where the host changed while it was looked at. */
async function auditHost({ table }: ControlDeps, host: HostCapacity): Promise<string[]> {
  const entries = await hostTasks(table, host.hostId);
  const tasks = await getTasks(
    table,
    entries.map(({ taskId }) => taskId),
  );
  const after = await getHostCapacity(table, host.cluster, host.hostId);
  return isDeepStrictEqual(after, host)
    ? driftOf(
        host,
        [...tasks.values()].filter(({ released }) => !released),
      )
    : [];
}

/** What the host's capacity says and what its tasks amount to, wherever the two differ. */
export function driftOf(host: HostCapacity, tasks: readonly Task[]): string[] {
  const drift: string[] = [];
  const compare = (what: string, recorded: unknown, computed: unknown): void => {
    if (recorded !== computed) drift.push(`${what}: ${String(recorded)} recorded, ${String(computed)} by its tasks`);
  };
  const reserved = tasks.map(({ needs }) => needs.reservation);
  const sum = (amounts: readonly number[]): number => amounts.reduce((total, amount) => total + amount, 0);
  compare('tasks', host.taskCount, tasks.length);
  compare('free CPU units', host.freeCpuUnits, host.totalCpuUnits - sum(reserved.map(({ cpuUnits }) => cpuUnits)));
  compare('free MiB', host.freeMemoryMib, host.totalMemoryMib - sum(reserved.map(({ memoryMib }) => memoryMib)));
  const ports = new Map<string, string>(
    tasks.flatMap(({ id, needs }) => needs.reservation.ports.map((port) => [port, id] as const)),
  );
  const held = new Map(Object.entries(host.ports).filter(([, holder]) => holder !== reservedByHost));
  for (const port of new Set([...ports.keys(), ...held.keys()]))
    compare(`port ${port}`, held.get(port), ports.get(port));
  const groups = Map.groupBy(tasks, ({ needs }) => needs.group);
  const counted = new Map(Object.entries(host.groups));
  for (const group of new Set([...groups.keys(), ...counted.keys()])) {
    compare(`tasks of group ${group}`, counted.get(group), groups.get(group)?.length);
  }
  return drift;
}
