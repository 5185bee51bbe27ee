/**
 * What placement takes of a host and what release gives back, each as one conditional change of the host's capacity item (the
 * arithmetic in memory is core/placement/capacity.ts). Conditions test what is taken (Omega's lesson: capacity, not a version), so two placements on one
 * host can both win. Nothing else writes free amounts, ports, groups or the generation, except admission (a host's totals).
 * A release leaves the generation alone: the agent that reported the end has forgotten the task already, and need not fetch for it.
 */
import { isDeepStrictEqual } from 'node:util';
import type { HostCapacity } from '../../core/model/host.ts';
import { reportedAttributes } from '../../core/model/host-attributes.ts';
import type { HostPort } from '../../core/model/resources.ts';
import type { PlacementNeeds, Task } from '../../core/model/task.ts';
import { tasksOfGroup } from '../../core/placement/capacity.ts';
import { looksAtAttributes, looksAtTasks } from '../../core/placement/member-of.ts';
import { attributesAreStill, attributesUpdate } from './host-attributes.ts';
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
const grown: { readonly path: Path; readonly value: Json } = { path: [hostGrown], value: true };

type Update = { set: { path: Path; value: Json }[]; add: { path: Path; by: number }[]; remove: Path[] };

interface Totals {
  readonly cpuUnits: number;
  readonly memoryMib: number;
  readonly ports: Map<HostPort, string>;
  readonly groups: Map<string, number>;
  readonly distinctGroups: Set<string>;
}

function totalsOf(holdings: readonly Holding[]): Totals {
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

/** Gives the holdings back. Refused only where another release or placement of the same groups came in between. */
export function release(seen: HostCapacity, holdings: readonly Holding[]): Change {
  const totals = totalsOf(holdings);
  const update: Update = { set: [grown], add: amounts(1, totals, holdings.length), remove: [] };
  const when: Condition[] = [{ item: 'exists' }];
  countRelease(seen, update, when);
  for (const [port, taskId] of totals.ports) {
    if (seen.ports[port] !== taskId) continue;
    when.push({ path: ['ports', port], is: '=', value: taskId });
    update.remove.push(['ports', port]);
  }
  for (const [group, count] of totals.groups) {
    const before = tasksOfGroup(seen, group);
    if (before === 0) continue;
    const path: Path = ['groups', group];
    const someAreLeft = before > count;
    // A group without tasks must be absent: distinctInstance tests for that, and the item must not grow for ever.
    when.push({ path, is: someAreLeft ? '>' : '=', value: someAreLeft ? count : before });
    if (someAreLeft) update.add.push({ path, by: -count });
    else update.remove.push(path);
  }
  return changeOf(seen, update, when);
}

/** A host that was admitted before releases were counted has no count yet. */
function countRelease(seen: HostCapacity, update: Update, when: Condition[]): void {
  const path: Path = ['releases'];
  if (seen.releases !== undefined) update.add.push({ path, by: 1 });
  else {
    when.push({ path, is: 'absent' });
    update.set.push({ path, value: 1 });
  }
}

/** Says that the desired set of a host changed, with nothing taken or given back. */
export const bumpGeneration = (cluster: string, hostId: string): Change => ({
  kind: 'update',
  key: keys.hostCapacity(cluster, hostId),
  add: [{ path: ['generation'], by: 1 }],
  when: [{ item: 'exists' }],
});

/** The host's agent is heard again, or has fallen silent; refused where that was known already. */
export const setConnected = (seen: HostCapacity, connected: boolean, at: number): Change => ({
  kind: 'update',
  key: keys.hostCapacity(seen.cluster, seen.hostId),
  set: [{ path: ['connected'], value: connected }, { path: ['connectedChangedAt'], value: at }, grown],
  when: [
    { path: ['connected'], is: '=', value: !connected },
    { path: ['status'], is: '=', value: seen.status },
  ],
});

/** Placement leaves a DRAINING host alone, and may use one that is ACTIVE again. With `asSeen` refused where its tasks have changed. */
export const setStatus = (
  seen: HostCapacity,
  status: 'ACTIVE' | 'DRAINING',
  { asSeen = false }: { readonly asSeen?: boolean } = {},
): Change => ({
  kind: 'update',
  key: keys.hostCapacity(seen.cluster, seen.hostId),
  set: [{ path: ['status'], value: status }, grown],
  // Statuses come and go: with this the change has a number that only grows, for who is told of changes out of order.
  add: [{ path: ['generation'], by: 1 }],
  when: [
    { path: ['status'], is: '=', value: seen.status },
    ...(asSeen ? [{ path: ['generation'] as const, is: '=' as const, value: seen.generation }] : []),
  ],
});

/** The end of a host, under an epoch of its own: nothing is placed on it from here on. With `onlyIdle` refused while it has tasks. */
export const setInactive = (seen: HostCapacity, at: number, { onlyIdle }: { readonly onlyIdle: boolean }): Change => ({
  kind: 'update',
  key: keys.hostCapacity(seen.cluster, seen.hostId),
  set: [
    { path: ['status'], value: 'INACTIVE' },
    { path: ['connected'], value: false },
    { path: ['connectedChangedAt'], value: at },
    { path: ['epoch'], value: seen.epoch + 1 },
  ],
  add: [{ path: ['generation'], by: 1 }],
  when: [
    { path: ['epoch'], is: '=', value: seen.epoch },
    { path: ['status'], is: '=', value: seen.status },
    ...(onlyIdle ? [{ path: ['taskCount'] as const, is: '=' as const, value: 0 }] : []),
  ],
});

/** The host has reported everything it knows under this epoch; refused where the epoch is over. */
export const setReportedEpoch = (seen: HostCapacity): Change => ({
  kind: 'update',
  key: keys.hostCapacity(seen.cluster, seen.hostId),
  set: [{ path: ['reportedEpoch'], value: seen.epoch }, grown],
  when: [{ path: ['epoch'], is: '=', value: seen.epoch }],
});

interface HostTotals {
  readonly cpuUnits: number;
  readonly memoryMib: number;
  readonly reservedPorts: readonly HostPort[];
  readonly attributes: HostCapacity['attributes'];
}

/** Of its identity, for expressions. */
export type HostFacts = Pick<HostCapacity, 'agentVersion' | 'registeredAt' | 'instanceId'>;

/** Who holds a port that the host keeps for itself. */
export const reservedByHost = 'reserved';

/** The host has other totals, reserved ports, attributes or facts than it had; undefined where it has the same. */
export function changeTotals(seen: HostCapacity, totals: HostTotals, facts: HostFacts): Change | undefined {
  const cpuUnits = totals.cpuUnits - seen.totalCpuUnits;
  const memoryMib = totals.memoryMib - seen.totalMemoryMib;
  // A port that a task holds stays the task's until it ends.
  const newlyReserved = totals.reservedPorts.filter((port) => seen.ports[port] === undefined);
  const noLongerReserved = (Object.keys(seen.ports) as HostPort[]).filter(
    (port) => seen.ports[port] === reservedByHost && !totals.reservedPorts.includes(port),
  );
  const samePorts = newlyReserved.length === 0 && noLongerReserved.length === 0;
  const next = reportedAttributes(seen, totals.attributes);
  const sameAttributes = isDeepStrictEqual(seen.attributes, next.attributes);
  const attributes = sameAttributes ? undefined : attributesUpdate(seen, next);
  const news = Object.entries(facts).flatMap(([name, value]) =>
    value === undefined || seen[name as keyof HostFacts] === value ? [] : [{ path: [name] as const, value }],
  );
  if (cpuUnits === 0 && memoryMib === 0 && samePorts && sameAttributes && news.length === 0) return undefined;
  const update: Update = {
    set: [
      { path: ['totalCpuUnits'], value: totals.cpuUnits },
      { path: ['totalMemoryMib'], value: totals.memoryMib },
      ...(attributes?.set ?? []),
      grown,
      ...news,
      ...newlyReserved.map((port) => ({ path: ['ports', port] as const, value: reservedByHost })),
    ],
    add: [
      { path: ['freeCpuUnits'], by: cpuUnits },
      { path: ['freeMemoryMib'], by: memoryMib },
    ],
    remove: noLongerReserved.map((port) => ['ports', port] as const),
  };
  return changeOf(seen, update, [
    { path: ['totalCpuUnits'], is: '=', value: seen.totalCpuUnits },
    { path: ['totalMemoryMib'], is: '=', value: seen.totalMemoryMib },
    ...(attributes === undefined ? [] : [attributes.when]),
    ...newlyReserved.map((port): Condition => ({ path: ['ports', port], is: 'absent' })),
    ...noLongerReserved.map((port): Condition => ({ path: ['ports', port], is: '=', value: reservedByHost })),
  ]);
}

const amounts = (sign: 1 | -1, totals: Totals, tasks: number): { path: Path; by: number }[] => [
  { path: ['freeCpuUnits'], by: sign * totals.cpuUnits },
  { path: ['freeMemoryMib'], by: sign * totals.memoryMib },
  { path: ['taskCount'], by: -sign * tasks },
];

const changeOf = (seen: HostCapacity, update: Update, when: Condition[]): Change => ({
  kind: 'update',
  key: keys.hostCapacity(seen.cluster, seen.hostId),
  ...update,
  when,
});
