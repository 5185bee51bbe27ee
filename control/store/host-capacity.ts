/**
 * What placement takes of a host and what release gives back, each as one conditional change of the host's capacity item (the
 * arithmetic in memory is core/placement/capacity.ts). Conditions test what is taken (Omega's lesson: capacity, not a version), so two placements on one
 * host can both win. Nothing else writes free amounts, ports or groups, except admission (host-totals.ts).
 * A release leaves the generation alone: the agent that reported the end has forgotten the task already, and need not fetch for it.
 */
import type { HostCapacity } from '../../core/model/host.ts';
import type { HostPort } from '../../core/model/resources.ts';
import type { PlacementNeeds, Task } from '../../core/model/task.ts';
import { tasksOfGroup } from '../../core/placement/capacity.ts';
import { looksAtAttributes, looksAtTasks } from '../../core/placement/member-of.ts';
import { attributesAreStill } from './host-attributes.ts';
import { keys } from './keys.ts';
import type { Change, Condition, Json, Path } from './table.ts';
import { hostGrown } from './table-shape.ts';

/** What one task takes of its host. */
export interface Holding {
  readonly taskId: string;
  readonly needs: PlacementNeeds;
}

export const holdingOf = (task: Task): Holding => ({ taskId: task.id, needs: task.needs });

/** After every change but a placement. */
export const grown: { readonly path: Path; readonly value: Json } = { path: [hostGrown], value: true };

export type Update = { set: { path: Path; value: Json }[]; add: { path: Path; by: number }[]; remove: Path[] };

interface Totals {
  readonly cpuUnits: number;
  readonly memoryMib: number;
  readonly ports: Map<HostPort, string>;
  readonly groups: Map<string, number>;
  readonly distinctGroups: Set<string>;
}

export function totalsOf(holdings: readonly Holding[]): Totals {
  const ports = new Map<HostPort, string>();
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
export function reserve(seen: HostCapacity, holdings: readonly Holding[]): Change {
  const totals = totalsOf(holdings);
  const update: Update = {
    set: [{ path: [hostGrown], value: false }],
    add: [...amounts(-1, totals, holdings.length), { path: ['generation'], by: 1 }],
    remove: [],
  };
  const when: Condition[] = [
    { path: ['status'], is: '=', value: 'ACTIVE' },
    { path: ['connected'], is: '=', value: true },
    { path: ['epoch'], is: '=', value: seen.epoch },
    { path: ['reportedEpoch'], is: '=', value: seen.epoch },
    { path: ['freeCpuUnits'], is: '>=', value: totals.cpuUnits },
    { path: ['freeMemoryMib'], is: '>=', value: totals.memoryMib },
  ];
  // What an expression says of the tasks on a host holds only while no other comes. One that goes could have gone a moment later.
  if (holdings.some(({ needs }) => looksAtTasks(needs)))
    when.push({ path: ['generation'], is: '=', value: seen.generation });
  // Once somebody was answered that a host has other attributes, nothing comes by those of before.
  if (holdings.some(({ needs }) => looksAtAttributes(needs))) when.push(attributesAreStill(seen));
  for (const [port, taskId] of totals.ports) {
    when.push({ path: ['ports', port], is: 'absent' });
    update.set.push({ path: ['ports', port], value: taskId });
  }
  for (const [group, count] of totals.groups) {
    const path: Path = ['groups', group];
    // Arithmetic needs a number that exists, so the first task of a group sets it and later ones add to it.
    const isFirst = totals.distinctGroups.has(group) || tasksOfGroup(seen, group) === 0;
    when.push({ path, is: isFirst ? 'absent' : 'exists' });
    if (isFirst) update.set.push({ path, value: count });
    else update.add.push({ path, by: count });
  }
  return changeOf(seen, update, when);
}

/** Who holds a port that the host keeps for itself. */
export const reservedByHost = 'reserved';

export const amounts = (sign: 1 | -1, totals: Totals, tasks: number): { path: Path; by: number }[] => [
  { path: ['freeCpuUnits'], by: sign * totals.cpuUnits },
  { path: ['freeMemoryMib'], by: sign * totals.memoryMib },
  { path: ['taskCount'], by: -sign * tasks },
];

export const changeOf = (seen: HostCapacity, update: Update, when: Condition[]): Change => ({
  kind: 'update',
  key: keys.hostCapacity(seen.cluster, seen.hostId),
  ...update,
  when,
});
