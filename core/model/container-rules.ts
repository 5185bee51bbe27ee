/** The rules between the containers of one task: names, what is essential, and who waits for whom. */
import { clientFault, firstDouble } from './faults.ts';
import type { ContainerDefinition, ContainerDependency } from './task-definition.ts';

/** Throws ClientException with the path below `path`. */
export function checkContainersTogether(containers: readonly ContainerDefinition[], path: string): void {
  const double = firstDouble(containers, ({ name }) => name);
  if (double !== undefined)
    throw clientFault(`${path}[${double.index}].name`, `Two containers are named ${double.item.name}.`, 'Rename one.');
  if (!containers.some(({ essential }) => essential))
    throw clientFault(
      `${path}[0].essential`,
      'At least one container must be essential.',
      "Its end is the task's end; containers are essential unless they say otherwise.",
    );
  for (const [index, container] of containers.entries())
    for (const [place, dependency] of (container.dependsOn ?? []).entries())
      checkDependency(containers, container, dependency, `${path}[${index}].dependsOn[${place}]`);
  refuseCycle(containers, path);
}

function checkDependency(
  containers: readonly ContainerDefinition[],
  { name, dependsOn = [] }: ContainerDefinition,
  { containerName, condition }: ContainerDependency,
  field: string,
): void {
  const target = containers.find((container) => container.name === containerName);
  if (target === undefined)
    throw clientFault(
      `${field}.containerName`,
      `${name} depends on ${containerName}, which is no container of the task.`,
    );
  if (dependsOn.filter((dependency) => dependency.containerName === containerName).length > 1)
    throw clientFault(`${field}.containerName`, `${name} depends on ${containerName} twice.`);
  if (target.essential && condition !== 'START')
    throw clientFault(
      `${field}.condition`,
      `${name} waits for the end of ${containerName}, which is essential: the task would end with it.`,
      `Use START, or make ${containerName} not essential.`,
    );
}

function refuseCycle(containers: readonly ContainerDefinition[], path: string): void {
  const done = new Set<string>();
  let waiting = [...containers];
  while (waiting.length > 0) {
    const free = waiting.filter(({ dependsOn = [] }) =>
      dependsOn.every(({ containerName }) => done.has(containerName)),
    );
    if (free.length === 0) {
      const index = containers.findIndex(({ name }) => name === waiting[0]?.name);
      const names = waiting.map(({ name }) => name).join(', ');
      throw clientFault(`${path}[${index}].dependsOn`, `Containers wait for each other in a circle: ${names}.`);
    }
    for (const { name } of free) done.add(name);
    waiting = waiting.filter(({ name }) => !done.has(name));
  }
}
