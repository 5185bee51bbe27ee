/** A new task from a revision and a request, and what it needs of a host. Ids and times are the caller's. */
import { compact } from '../compact.ts';
import { providerAttribute } from '../model/capacity.ts';
import type { Tag } from '../model/cluster.ts';
import type { PlacementConstraint } from '../model/placement-constraint.ts';
import { type HostPort, hostPort } from '../model/resources.ts';
import type { PlacementNeeds, PlacementStrategy, Task, TaskOverrides } from '../model/task.ts';
import type { PortMapping, TaskDefinition } from '../model/task-definition.ts';
import type { TaskLimits } from '../model/task-limits.ts';
import { effectivePorts, overrideContainer, taskSizes } from './effective.ts';

export interface PlacementWishes {
  /** `family:<family>` where absent. */
  readonly group?: string | undefined;
  readonly constraints?: readonly PlacementConstraint[] | undefined;
  readonly strategies?: readonly PlacementStrategy[] | undefined;
}

export interface NewTask extends PlacementWishes, TaskLimits {
  readonly id: string;
  readonly cluster: string;
  readonly definition: TaskDefinition;
  /** Parsed: task-level `cpu` and `memory` are decimal strings of CPU units and MiB, as in a stored revision. */
  readonly overrides: TaskOverrides;
  readonly tags: readonly Tag[];
  readonly replaceable?: boolean | undefined;
  readonly replaceWhenLost?: boolean | undefined;
  readonly launchType?: Task['launchType'];
  readonly startedBy?: string | undefined;
  readonly referenceId?: string | undefined;
  readonly now: number;
  readonly placementDeadline: number;
}

/** The task under a capacity provider: it runs on hosts of that provider only. */
export const underProvider = (task: Task, capacityProvider: string): Task => ({
  ...task,
  capacityProvider,
  needs: { ...task.needs, attributes: { ...task.needs.attributes, [providerAttribute]: capacityProvider } },
});

/** A task that waits for a host: PROVISIONING, version 1. */
export function makeTask(input: NewTask): Task {
  const { definition, overrides } = input;
  const sizes = taskSizes(definition, overrides);
  return compact({
    id: input.id,
    cluster: input.cluster,
    family: definition.family,
    revision: definition.revision,
    launchType: input.launchType,
    startedBy: input.startedBy,
    referenceId: input.referenceId,
    ...sizes,
    timeoutSeconds: input.timeoutSeconds,
    cpuLimitUnits: input.cpuLimitUnits,
    overrides,
    tags: [...input.tags],
    replaceable: input.replaceable,
    replaceWhenLost: input.replaceWhenLost,
    needs: needsOf(definition, overrides, input),
    createdAt: input.now,
    placementDeadline: input.placementDeadline,
    desired: { status: 'RUNNING' as const, version: 1, at: input.now },
    released: false,
    version: 1,
  });
}

/**
 * What placement reserves (ecs-semantics.md 2.3): the task's sizes where it has them, else the sum over its containers, of memory
 * the soft limit before the hard one; and its static host ports.
 */
export function needsOf(definition: TaskDefinition, overrides: TaskOverrides, wishes: PlacementWishes): PlacementNeeds {
  const { cpuUnits, memoryMib } = taskSizes(definition, overrides);
  const containers = definition.containerDefinitions.map((container) => overrideContainer(container, overrides));
  const architecture = definition.runtimePlatform?.cpuArchitecture;
  return {
    reservation: {
      cpuUnits: cpuUnits ?? sum(containers, ({ cpu }) => cpu),
      memoryMib: memoryMib ?? sum(containers, ({ memory, memoryReservation }) => memoryReservation ?? memory ?? 0),
      ports: [...new Set(containers.flatMap(({ portMappings }) => staticPorts(definition, portMappings)))],
    },
    attributes: architecture === undefined ? {} : { 'ecs.cpu-architecture': architecture.toLowerCase() },
    group: wishes.group ?? `family:${definition.family}`,
    constraints: [...(definition.placementConstraints ?? []), ...(wishes.constraints ?? [])],
    strategies: [...(wishes.strategies ?? [])],
  };
}

const sum = <T>(items: readonly T[], amount: (item: T) => number): number =>
  items.reduce((total, item) => total + amount(item), 0);

function staticPorts({ networkMode }: TaskDefinition, mappings: readonly PortMapping[]): HostPort[] {
  return effectivePorts(networkMode, mappings).flatMap(({ protocol, hostPort: port = 0 }) =>
    port > 0 ? [hostPort(protocol, port)] : [],
  );
}
