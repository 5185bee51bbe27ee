/**
 * What placement takes of a host and what release gives back, each as one conditional change of the host's capacity item, together
 * with the capacity that results. Conditions test what is taken (Omega's lesson: capacity, not a version), so two placements on one
 * host can both win. Nothing else writes free amounts, ports, groups or the generation, except admission (a host's totals).
 */
import type { HostCapacity } from '../../core/model/host.ts';
import type { PlacementNeeds, Task } from '../../core/model/task.ts';
import { keys } from './keys.ts';
import type { Change, Condition, Path } from './table.ts';

/** What one task takes of its host. */
export interface Holding {
  readonly taskId: string;
  readonly needs: PlacementNeeds;
}

export interface CapacityChange {
  readonly change: Change;
  /** What the host has once the change is committed, given that it was as seen. */
  readonly next: HostCapacity;
}

export const holdingOf = (task: Task): Holding => ({ taskId: task.id, needs: task.needs });

type Update = { set: { path: Path; value: string | number }[]; add: { path: Path; by: number }[]; remove: Path[] };

interface Totals {
  readonly cpuUnits: number;
  readonly memoryMib: number;
  readonly ports: Map<HostPortKey, string>;
  readonly groups: Map<string, number>;
  readonly distinctGroups: Set<string>;
}
type HostPortKey = Holding['needs']['reservation']['ports'][number];

function totalsOf(holdings: readonly Holding[]): Totals {
  const ports = new Map<HostPortKey, string>();
  const groups = new Map<string, number>();
  const distinctGroups = new Set<string>();
  let cpuUnits = 0;
  let memoryMib = 0;
  for (const { taskId, needs } of holdings) {
    cpuUnits += needs.reservation.cpuUnits;
    memoryMib += needs.reservation.memoryMib;
    for (const port of needs.reservation.ports) ports.set(port, taskId);
    groups.set(needs.group, (groups.get(needs.group) ?? 0) + 1);
    if (needs.constraints.some((constraint) => constraint.type === 'distinctInstance')) distinctGroups.add(needs.group);
  }
  return { cpuUnits, memoryMib, ports, groups, distinctGroups };
}

/** Takes the holdings of a host that is active, connected, fully reported under the epoch seen, and still has room. */
export function reserve(seen: HostCapacity, holdings: readonly Holding[]): CapacityChange {
  const totals = totalsOf(holdings);
  const ports = { ...seen.ports };
  const groups = { ...seen.groups };
  const update: Update = { set: [], add: amounts(-1, totals, holdings.length), remove: [] };
  const when: Condition[] = [
    { path: ['status'], is: '=', value: 'ACTIVE' },
    { path: ['connected'], is: '=', value: true },
    { path: ['epoch'], is: '=', value: seen.epoch },
    { path: ['reportedEpoch'], is: '=', value: seen.epoch },
    { path: ['freeCpuUnits'], is: '>=', value: totals.cpuUnits },
    { path: ['freeMemoryMib'], is: '>=', value: totals.memoryMib },
  ];
  for (const [port, taskId] of totals.ports) {
    when.push({ path: ['ports', port], is: 'absent' });
    update.set.push({ path: ['ports', port], value: taskId });
    ports[port] = taskId;
  }
  for (const [group, count] of totals.groups) {
    const path: Path = ['groups', group];
    const before = totals.distinctGroups.has(group) ? undefined : seen.groups[group];
    // Arithmetic needs a number that exists, so the first task of a group sets it and later ones add to it.
    when.push({ path, is: before === undefined ? 'absent' : 'exists' });
    if (before === undefined) update.set.push({ path, value: count });
    else update.add.push({ path, by: count });
    groups[group] = (before ?? 0) + count;
  }
  return { change: changeOf(seen, update, when), next: { ...moved(-1, seen, totals, holdings.length), ports, groups } };
}

/** Gives the holdings back. Refused only where another release or placement of the same groups came in between. */
export function release(seen: HostCapacity, holdings: readonly Holding[]): CapacityChange {
  const totals = totalsOf(holdings);
  const ports = { ...seen.ports };
  const groups = { ...seen.groups };
  const update: Update = { set: [], add: amounts(1, totals, holdings.length), remove: [] };
  const when: Condition[] = [{ item: 'exists' }];
  for (const [port, taskId] of totals.ports) {
    if (seen.ports[port] !== taskId) continue;
    when.push({ path: ['ports', port], is: '=', value: taskId });
    update.remove.push(['ports', port]);
    delete ports[port];
  }
  for (const [group, count] of totals.groups) {
    const before = seen.groups[group];
    if (before === undefined) continue;
    const path: Path = ['groups', group];
    const left = before - count;
    // A group without tasks must be absent: distinctInstance tests for that, and the item must not grow for ever.
    when.push({ path, is: left > 0 ? '>' : '=', value: left > 0 ? count : before });
    if (left > 0) {
      update.add.push({ path, by: -count });
      groups[group] = left;
    } else {
      update.remove.push(path);
      delete groups[group];
    }
  }
  return { change: changeOf(seen, update, when), next: { ...moved(1, seen, totals, holdings.length), ports, groups } };
}

/** Says that the desired set of a host changed, with nothing taken or given back. */
export const bumpGeneration = (cluster: string, hostId: string): Change => ({
  kind: 'update',
  key: keys.hostCapacity(cluster, hostId),
  add: [{ path: ['generation'], by: 1 }],
  when: [{ item: 'exists' }],
});

const amounts = (sign: 1 | -1, totals: Totals, tasks: number): { path: Path; by: number }[] => [
  { path: ['freeCpuUnits'], by: sign * totals.cpuUnits },
  { path: ['freeMemoryMib'], by: sign * totals.memoryMib },
  { path: ['taskCount'], by: -sign * tasks },
  { path: ['generation'], by: 1 },
];

const moved = (sign: 1 | -1, seen: HostCapacity, totals: Totals, tasks: number): HostCapacity => ({
  ...seen,
  freeCpuUnits: seen.freeCpuUnits + sign * totals.cpuUnits,
  freeMemoryMib: seen.freeMemoryMib + sign * totals.memoryMib,
  taskCount: seen.taskCount - sign * tasks,
  generation: seen.generation + 1,
});

const changeOf = (seen: HostCapacity, update: Update, when: Condition[]): Change => ({
  kind: 'update',
  key: keys.hostCapacity(seen.cluster, seen.hostId),
  ...update,
  when,
});
