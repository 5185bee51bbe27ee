/**
 * What becomes of a host's capacity item while its agent does not know this store: it is given nothing, somebody decides, and what it has
 * is taken over.
 */
import type { HostCapacity } from '../../core/model/host.ts';
import type { HostPort } from '../../core/model/resources.ts';
import { tasksOfGroup } from '../../core/placement/capacity.ts';
import type { Holding } from './host-capacity.ts';
import { keys } from './keys.ts';
import type { Change, Json, Path } from './table.ts';

type UnknownStore = NonNullable<HostCapacity['unknownStore']>;

/** Nothing is placed before it has reported under this store. Refused where somebody decided, or it was given something, meanwhile. */
export const setUnknownStore = (seen: HostCapacity, unknownStore: UnknownStore): Change => ({
  kind: 'update',
  key: keys.hostCapacity(seen.cluster, seen.hostId),
  set: [
    { path: ['unknownStore'], value: unknownStore },
    { path: ['reportedEpoch'], value: 0 },
  ],
  add: [{ path: ['generation'], by: 1 }],
  when: [
    { path: ['generation'], is: '=', value: seen.generation },
    { path: ['status'], is: '=', value: seen.status },
  ],
});

/** The copy of a host that has not reported under its store yet. */
export const asUnheard = (seen: HostCapacity, at: number): Change => ({
  kind: 'update',
  key: keys.hostCapacity(seen.cluster, seen.hostId),
  set: [
    { path: ['connected'], value: false },
    { path: ['connectedChangedAt'], value: at },
    { path: ['reportedEpoch'], value: 0 },
  ],
  add: [{ path: ['generation'], by: 1 }],
  when: [{ path: ['generation'], is: '=', value: seen.generation }],
});

/** Takes what the host has in use already, whether or not it is free; a port that another task has stays that one's. */
export function holdAdopted(seen: HostCapacity, holdings: readonly Holding[]): Change {
  const key = keys.hostCapacity(seen.cluster, seen.hostId);
  const set: { path: Path; value: Json }[] = [];
  const ports = new Set(Object.keys(seen.ports));
  const groups = new Map<string, number>();
  let [cpuUnits, memoryMib] = [0, 0];
  for (const { taskId, needs } of holdings) {
    cpuUnits += needs.reservation.cpuUnits;
    memoryMib += needs.reservation.memoryMib;
    for (const port of needs.reservation.ports.filter((wanted: HostPort) => !ports.has(wanted))) {
      ports.add(port);
      set.push({ path: ['ports', port], value: taskId });
    }
    groups.set(needs.group, (groups.get(needs.group) ?? 0) + 1);
  }
  for (const [group, count] of groups) set.push({ path: ['groups', group], value: tasksOfGroup(seen, group) + count });
  const add = [
    { path: ['freeCpuUnits'] as const, by: -cpuUnits },
    { path: ['freeMemoryMib'] as const, by: -memoryMib },
    { path: ['taskCount'] as const, by: holdings.length },
    { path: ['generation'] as const, by: 1 },
  ];
  return { kind: 'update', key, ...(set.length > 0 && { set }), add, when: asSeen(seen) };
}

/** Releases and placements each move one of them. */
const asSeen = ({ generation, taskCount }: HostCapacity): Change['when'] => [
  { path: ['generation'], is: '=', value: generation },
  { path: ['taskCount'], is: '=', value: taskCount },
];
