/** RunTask's overrides, checked against the revision that they change: what results must keep the rules of a revision. */
import type { RunTaskInput } from '../api/tasks.ts';
import { compact } from '../compact.ts';
import { overrideContainer, taskSizes } from '../task/effective.ts';
import { checkEnvironment } from './environment-rules.ts';
import { firstDouble, parameterFault, refuseNul } from './faults.ts';
import { checkSizes, parseTaskCpu, parseTaskMemory } from './sizes.ts';
import type { ContainerOverride, TaskOverrides } from './task.ts';
import type { TaskDefinition } from './task-definition.ts';

type OverridesInput = NonNullable<RunTaskInput['overrides']>;
type ContainerOverrideInput = NonNullable<OverridesInput['containerOverrides']>[number];

const mostCharacters = 8192;
const listPath = 'overrides.containerOverrides';

/** Throws InvalidParameterException with the path of the member at fault. */
export function normaliseOverrides(input: OverridesInput, definition: TaskDefinition): TaskOverrides {
  if (JSON.stringify(input).length > mostCharacters)
    throw parameterFault('overrides', `Container Overrides length must be at most ${mostCharacters}`);
  const { containerOverrides = [], cpu, memory, taskRoleArn, executionRoleArn } = input;
  const overrides = compact({
    containerOverrides: containerOverrides.map((override, index) =>
      containerOverride(override, `${listPath}[${index}]`, definition),
    ),
    cpu: cpu === undefined ? undefined : parseTaskCpu(parameterFault, 'overrides.cpu', cpu),
    memory: memory === undefined ? undefined : parseTaskMemory(parameterFault, 'overrides.memory', memory),
    taskRoleArn,
    executionRoleArn,
  });
  const double = firstDouble(overrides.containerOverrides, ({ name }) => name);
  if (double !== undefined)
    throw parameterFault(`${listPath}[${double.index}].name`, `The container ${double.item.name} is overridden twice.`);
  checkResult(overrides, definition);
  return overrides;
}

function containerOverride(
  input: ContainerOverrideInput,
  path: string,
  { containerDefinitions }: TaskDefinition,
): ContainerOverride {
  const { name, command, environment, cpu, memory, memoryReservation } = input;
  if (name === undefined || name === '') throw parameterFault(`${path}.name`, `${path}.name is missing.`);
  if (!containerDefinitions.some((container) => container.name === name))
    throw parameterFault(
      `${path}.name`,
      `Override for container named ${name} is not a container in the TaskDefinition.`,
      `Its containers: ${containerDefinitions.map((container) => container.name).join(', ')}.`,
    );
  for (const [index, part] of (command ?? []).entries()) refuseNul(parameterFault, `${path}.command[${index}]`, part);
  checkEnvironment(environment ?? [], `${path}.environment`, parameterFault);
  return compact({ name, command, environment, cpu, memory, memoryReservation });
}

/** The revision by itself is right: what is wrong is named at the container's override, or at the task's where it has none. */
function checkResult(overrides: TaskOverrides, definition: TaskDefinition): void {
  const containers = definition.containerDefinitions.map((container) => overrideContainer(container, overrides));
  const paths = {
    task: 'overrides.',
    container(index: number) {
      const name = containers[index]?.name;
      const place = overrides.containerOverrides.findIndex((override) => override.name === name);
      return place === -1 ? 'overrides' : `${listPath}[${place}]`;
    },
  };
  checkSizes(parameterFault, paths, { ...taskSizes(definition, overrides), containers });
}
