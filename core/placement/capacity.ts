/**
 * What one task takes from a host's capacity, and gives back. Pure: the host given is never changed. Whether the host may take the
 * task at all is filters.ts; that each task is released exactly once is its owner's business (task.released).
 */
import type { HostCapacity } from '../model/host.ts';
import type { PlacementNeeds } from '../model/task.ts';

/** The host once the task is placed on it. */
export function applyReservation(host: HostCapacity, needs: PlacementNeeds, taskId: string): HostCapacity {
  const { cpuUnits, memoryMib, ports } = needs.reservation;
  return {
    ...host,
    freeCpuUnits: host.freeCpuUnits - cpuUnits,
    freeMemoryMib: host.freeMemoryMib - memoryMib,
    ports:
      ports.length === 0 ? host.ports : { ...host.ports, ...Object.fromEntries(ports.map((port) => [port, taskId])) },
    groups: { ...host.groups, [needs.group]: tasksOfGroup(host, needs.group) + 1 },
    taskCount: host.taskCount + 1,
  };
}

/** The host once a commit has placed these tasks on it. */
export const afterPlacing = (
  host: HostCapacity,
  placed: readonly { readonly needs: PlacementNeeds; readonly taskId: string }[],
): HostCapacity => ({
  ...placed.reduce((left, { needs, taskId }) => applyReservation(left, needs, taskId), host),
  generation: host.generation + 1,
});

/** The host once the task is gone from it: `applyReservation` undone. A port that another task holds stays held. */
export function releaseReservation(host: HostCapacity, needs: PlacementNeeds, taskId: string): HostCapacity {
  const { cpuUnits, memoryMib } = needs.reservation;
  const left = tasksOfGroup(host, needs.group) - 1;
  const otherGroups = Object.entries(host.groups).filter(([group]) => group !== needs.group);
  return {
    ...host,
    freeCpuUnits: host.freeCpuUnits + cpuUnits,
    freeMemoryMib: host.freeMemoryMib + memoryMib,
    ports: Object.fromEntries(Object.entries(host.ports).filter(([, holder]) => holder !== taskId)),
    groups: Object.fromEntries(left > 0 ? [...otherGroups, [needs.group, left]] : otherGroups),
    taskCount: host.taskCount - 1,
  };
}

/** A group may be called `constructor`: only the host's own entries count. */
export const tasksOfGroup = (host: HostCapacity, group: string): number =>
  Object.hasOwn(host.groups, group) ? (host.groups[group] ?? 0) : 0;

export const attributeOf = (host: Pick<HostCapacity, 'attributes'>, name: string): string | undefined =>
  Object.hasOwn(host.attributes, name) ? host.attributes[name] : undefined;
