/** A revision as one task gets it: sizes, containers and ports once RunTask's overrides are applied. Validates nothing. */
import { compact } from '../compact.ts';
import type { ContainerOverride, TaskOverrides } from '../model/task.ts';
import type { ContainerDefinition, PortMapping, TaskDefinition } from '../model/task-definition.ts';

/** Host mode publishes nothing: the container's own port is the host's. Without a network there are no ports. */
export function effectivePorts(
  networkMode: TaskDefinition['networkMode'],
  mappings: readonly PortMapping[],
): readonly PortMapping[] {
  switch (networkMode) {
    case 'none':
      return [];
    case 'host':
      return mappings.map((mapping) => ({ ...mapping, hostPort: mapping.containerPort }));
    case 'bridge':
      return mappings;
  }
}

/** Task-level limits after overrides; absent where there are none. */
export function taskSizes(
  definition: Pick<TaskDefinition, 'cpu' | 'memory'>,
  overrides: Pick<TaskOverrides, 'cpu' | 'memory'>,
): { cpuUnits?: number; memoryMib?: number } {
  const cpu = overrides.cpu ?? definition.cpu;
  const memory = overrides.memory ?? definition.memory;
  return compact({
    cpuUnits: cpu === undefined ? undefined : Number(cpu),
    memoryMib: memory === undefined ? undefined : Number(memory),
  });
}

const overrideOf = (name: string, overrides: TaskOverrides): ContainerOverride | undefined =>
  overrides.containerOverrides.find((override) => override.name === name);

/** The container with its overrides: command and sizes replaced, environment merged by name. */
export function overrideContainer(container: ContainerDefinition, overrides: TaskOverrides): ContainerDefinition {
  const override = overrideOf(container.name, overrides);
  if (override === undefined) return container;
  const { name: _, environment = [], ...replaced } = override;
  const overridden = new Set(environment.map((variable) => variable.name));
  return {
    ...container,
    ...compact(replaced),
    environment: [...container.environment.filter((variable) => !overridden.has(variable.name)), ...environment],
  };
}
