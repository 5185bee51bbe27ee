/**
 * From placement's choice to changes of the store: what RunTask and the loop for waiting tasks have in common. Several tasks on one
 * host become one change of that host, because a commit names no item twice.
 */
import type { HostCapacity } from '../../core/model/host.ts';
import type { Task } from '../../core/model/task.ts';
import type { Explanation } from '../../core/placement/explanation.ts';
import { place } from '../../core/placement/place.ts';
import type { PlacementResult } from '../../core/placement/types.ts';
import type { ControlDeps } from '../deps.ts';
import { holdingOf, reserve } from '../store/host-capacity.ts';
import { refusedHosts } from '../store/hosts.ts';
import type { Change, CommitResult } from '../store/table.ts';

/** A task together with the host that it was just placed on. */
export interface Assigned {
  readonly task: Task;
  readonly host: HostCapacity;
}

interface Planned extends PlacementResult {
  readonly hosts: readonly HostCapacity[];
}

/** Tasks that are alike. */
interface Wanted {
  readonly cluster: string;
  readonly needs: Task['needs'];
  readonly count: number;
  /** What was read since then is young enough (epoch milliseconds). */
  readonly since: number | undefined;
}

/** Plans on the capacity view; only where that leaves something unplaced, on a strong read: no refusal comes from a stale view. */
export function planPlacement(
  deps: Pick<ControlDeps, 'capacity' | 'random' | 'tracing'>,
  wanted: Wanted,
): Promise<Planned> {
  const { cluster, count } = wanted;
  const plan = (): Promise<Planned> => planOnView(deps, wanted);
  return deps.tracing === undefined ? plan() : deps.tracing.within('place', { cluster, count }, plan);
}

async function planOnView(
  deps: Pick<ControlDeps, 'capacity' | 'random'>,
  { cluster, needs, count, since }: Wanted,
): Promise<Planned> {
  const viewed = await deps.capacity.hosts(cluster, since);
  const planned = place({ needs, count }, viewed, deps.random);
  if (planned.unplaced === 0) return { ...planned, hosts: viewed };
  const hosts = await deps.capacity.readStrongly(cluster);
  return { ...place({ needs, count }, hosts, deps.random), hosts };
}

/** One change a host. */
export const reserveHosts = (assigned: readonly Assigned[]): Change[] =>
  [...byHost(assigned).values()].map(({ host, tasks }) => reserve(host, tasks.map(holdingOf)));

/** After the commit: the view follows, and the hosts are told to look. */
export async function announcePlaced(
  deps: Pick<ControlDeps, 'capacity' | 'wake' | 'sleep' | 'log' | 'metrics'>,
  assigned: readonly Assigned[],
): Promise<void> {
  const hosts = byHost(assigned);
  for (const { host, tasks } of hosts.values()) {
    deps.capacity.took(host.cluster, host.hostId, tasks.map(holdingOf));
  }
  countLatency(deps, assigned);
  await wakeHosts(deps, [...hosts.keys()]);
}

/** Tasks that are assigned together are of one cluster. */
function countLatency({ metrics }: Pick<ControlDeps, 'metrics'>, assigned: readonly Assigned[]): void {
  const cluster = assigned[0]?.task.cluster;
  if (cluster === undefined) return;
  const slowest = Math.max(...assigned.map(({ task: { createdAt, placedAt = createdAt } }) => placedAt - createdAt));
  metrics.count('PlacementLatencyMs', slowest, { cluster });
}

/** What a commit that was overtaken tells of hosts is newer than the view. */
export function learnFrom(
  deps: Pick<ControlDeps, 'capacity' | 'metrics'>,
  cluster: string,
  result: CommitResult,
): void {
  if (result.outcome !== 'done') deps.metrics.count('CommitConflicts', 1, { cluster });
  if (result.outcome !== 'refused') return;
  for (const host of refusedHosts(result.failed)) deps.capacity.learned(host);
}

const wakeLimits = { hosts: 100, ms: 500 };

/** Bounded in number and time, and never a reason to fail: the agents also fetch on a timer. */
export async function wakeHosts(
  { wake, sleep, log }: Pick<ControlDeps, 'wake' | 'sleep' | 'log'>,
  hostIds: readonly string[],
): Promise<void> {
  if (hostIds.length === 0) return;
  const woken = wake.hosts(hostIds.slice(0, wakeLimits.hosts)).catch((error: unknown) => {
    log.warn({ err: error }, 'hosts could not be woken; they fetch on their timers');
  });
  const over = new AbortController();
  await Promise.race([woken, sleep(wakeLimits.ms, over.signal)]);
  over.abort();
}

function byHost(assigned: readonly Assigned[]): Map<string, { host: HostCapacity; tasks: Task[] }> {
  const hosts = new Map<string, { host: HostCapacity; tasks: Task[] }>();
  for (const { task, host } of assigned) {
    const entry = hosts.get(host.hostId);
    if (entry === undefined) hosts.set(host.hostId, { host, tasks: [task] });
    else entry.tasks.push(task);
  }
  return hosts;
}

/** For a task that waits although nothing refused it: other placements were quicker every time. */
export const contended: Explanation = {
  sentence: 'its hosts were taken by other tasks while it was being placed; it is next',
  hostsLookedAt: 0,
  histogram: [],
  nearest: [],
};
