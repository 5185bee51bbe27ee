/**
 * CPU and memory as ECS takes them: the forms in which a task's are written, and the rules between those of a task and of its containers.
 * The same rules hold for a revision and for a task with overrides.
 */
import { formatMib } from '../text.ts';
import { checkRange, type Refuse } from './faults.ts';
import { limits } from './limits.ts';
import type { ContainerDefinition } from './task-definition.ts';

const { taskCpuUnits, containerCpuUnits, memoryMib } = limits;

/** `512` or `0.5 vCPU` as a decimal string of CPU units. */
export function parseTaskCpu(refuse: Refuse, field: string, text: string): string {
  const units = amount(text, /^(\d+)$/) ?? amount(text, /^(\d*\.?\d+)\s*vcpu$/i, 1024);
  if (units !== undefined && Number.isInteger(units) && units >= taskCpuUnits[0] && units <= taskCpuUnits[1])
    return String(units);
  const hint = `It is ${taskCpuUnits[0]} to ${taskCpuUnits[1]} CPU units ("512") or as many vCPU ("0.5 vCPU").`;
  throw refuse(field, "Invalid 'cpu' setting for task.", hint);
}

/** `512`, `1GB` or `0.5 GB` as a decimal string of MiB. */
export function parseTaskMemory(refuse: Refuse, field: string, text: string): string {
  const mib = amount(text, /^(\d+)$/) ?? amount(text, /^(\d*\.?\d+)\s*gb$/i, 1024);
  if (mib !== undefined && Number.isInteger(mib) && mib >= memoryMib[0] && mib <= memoryMib[1]) return String(mib);
  throw refuse(field, "Invalid 'memory' setting for task.", 'It is MiB ("512", at least 6) or GB ("0.5 GB").');
}

function amount(text: string, pattern: RegExp, factor = 1): number | undefined {
  const digits = pattern.exec(text.trim())?.[1];
  return digits === undefined ? undefined : Number(digits) * factor;
}

export type ContainerSizes = Pick<ContainerDefinition, 'name' | 'cpu' | 'memory' | 'memoryReservation'>;

export interface TaskSizes {
  readonly cpuUnits?: number;
  readonly memoryMib?: number;
  readonly containers: readonly ContainerSizes[];
}

/** How the members are named to who wrote them. */
export interface SizePaths {
  /** Of a task's own `cpu` and `memory`. */
  readonly task: string;
  container(index: number): string;
}

export function checkSizes(refuse: Refuse, paths: SizePaths, sizes: TaskSizes): void {
  for (const [index, container] of sizes.containers.entries())
    checkContainer(refuse, paths.container(index), container, sizes.memoryMib);
  checkSum(refuse, `${paths.task}cpu`, 'CPU units', sizes.cpuUnits, sizes.containers, ({ cpu }) => cpu);
  checkSum(
    refuse,
    `${paths.task}memory`,
    'MiB of memory',
    sizes.memoryMib,
    sizes.containers,
    ({ memory = 0 }) => memory,
  );
}

function checkContainer(refuse: Refuse, path: string, container: ContainerSizes, taskMemory: number | undefined): void {
  const { name, cpu, memory, memoryReservation } = container;
  const setting = `Invalid setting for container '${name}'.`;
  checkRange(refuse, `${path}.cpu`, cpu, containerCpuUnits);
  checkRange(refuse, `${path}.memory`, memory, memoryMib);
  checkRange(refuse, `${path}.memoryReservation`, memoryReservation, memoryMib);
  if (memory === undefined && memoryReservation === undefined && taskMemory === undefined)
    throw refuse(
      `${path}.memory`,
      `${setting} At least one of 'memory' or 'memoryReservation' must be specified.`,
      "Or give the task a 'memory' of its own.",
    );
  if (memory !== undefined && memoryReservation !== undefined && memory <= memoryReservation)
    throw refuse(
      `${path}.memoryReservation`,
      `${setting} 'memory' (${memory}) must be greater than 'memoryReservation' (${memoryReservation}).`,
    );
  const most = memory ?? memoryReservation ?? 0;
  const member = memory === undefined ? 'memoryReservation' : 'memory';
  if (taskMemory !== undefined && most > taskMemory)
    throw refuse(
      `${path}.${member}`,
      `${setting} Its memory (${formatMib(most)}) exceeds the task's (${formatMib(taskMemory)}).`,
    );
}

function checkSum(
  refuse: Refuse,
  field: string,
  what: string,
  ofTask: number | undefined,
  containers: readonly ContainerSizes[],
  amountOf: (container: ContainerSizes) => number,
): void {
  const sum = containers.reduce((total, container) => total + amountOf(container), 0);
  if (ofTask === undefined || sum <= ofTask) return;
  throw refuse(
    field,
    `The containers have ${sum} ${what} together, the task only ${ofTask}.`,
    `Raise the task's, or lower the containers'.`,
  );
}
