/**
 * A task, and the revision that it runs, out of what an agent's ledger has of it: for a store that knows neither any more. What only the
 * store knew (tags, who asked for it, why it was placed there) is lost.
 */
import { compact } from '../compact.ts';
import type { HandedTask } from '../host-protocol.ts';
import type { Task } from '../model/task.ts';
import type { ContainerDefinition, TaskDefinition } from '../model/task-definition.ts';
import type { ContainerSpec, TaskSpec } from '../model/task-spec.ts';
import { needsOf } from './create.ts';

export function adoptedTask(
  { taskId, spec, desired, observation }: HandedTask,
  host: Required<Pick<Task, 'cluster' | 'hostId' | 'hostName'>>,
): Task {
  const { acceptedAt: at } = observation;
  const overrides = { containerOverrides: [] };
  return compact({
    id: taskId,
    ...host,
    family: spec.family,
    revision: spec.revision,
    cpuUnits: spec.cpuUnits,
    memoryMib: spec.memoryMib,
    timeoutSeconds: spec.timeoutSeconds,
    cpuLimitUnits: spec.cpuLimitUnits,
    overrides,
    tags: [],
    needs: needsOf(adoptedDefinition(spec, at), overrides, {}),
    createdAt: at,
    placementDeadline: at,
    placedAt: at,
    placementReason: 'it was adopted from there',
    desired,
    observed: observation,
    released: observation.status === 'STOPPED',
    version: 1,
  });
}

/** As the task runs it: overrides are part of it. */
export const adoptedDefinition = (spec: TaskSpec, registeredAt: number): TaskDefinition =>
  compact({
    family: spec.family,
    revision: spec.revision,
    containerDefinitions: spec.containers.map(containerOf),
    networkMode: spec.networkMode,
    cpu: spec.cpuUnits?.toString(),
    memory: spec.memoryMib?.toString(),
    registeredAt,
    registeredBy: 'gantry adopt',
  });

/** Without what every container gets. */
const containerOf = (spec: ContainerSpec): ContainerDefinition => {
  const { cpuUnits, memoryMib, memoryReservationMib, startTimeoutSeconds, stopTimeoutSeconds, labels, ...same } = spec;
  const own = Object.entries(labels).filter(([name]) => !name.startsWith('com.amazonaws.ecs.'));
  return compact({
    ...same,
    cpu: cpuUnits,
    memory: memoryMib,
    memoryReservation: memoryReservationMib,
    startTimeout: startTimeoutSeconds,
    stopTimeout: stopTimeoutSeconds,
    dockerLabels: own.length === 0 ? undefined : Object.fromEntries(own),
  });
};
