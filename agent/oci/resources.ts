/**
 * What a container may use, as its own cgroup says it. The task's limits stand on the group above (agent/cgroups); they are
 * repeated here because a program reads its limits from its own cgroup, and must find what it really has.
 */
import type { ContainerSpec, TaskSpec } from '../../core/model/task-spec.ts';
import type { SpecResources } from './runtime-spec.ts';

export const mib = 1024 * 1024;

/** The CFS period. The kernel's own default, and ECS'. */
export const cpuPeriodMicros = 100_000;

/** How many processes and threads a task may have, and each of its containers: a fork bomb must not take the host. */
export const defaultPidsLimit = 4096;

/** CPU shares outside of which the kernel refuses or changes them. */
export const minCpuShares = 2;
export const maxCpuShares = 262_144;

/** Below a millisecond in a period the kernel refuses a quota. */
const minQuotaMicros = 1000;

/** 1024 units are one whole CPU. A child's quota must not exceed its parent's (cgroup v1 answers EINVAL): both come from here. */
export const cpuQuotaMicros = (cpuUnits: number): number =>
  Math.max(minQuotaMicros, Math.round((cpuUnits * cpuPeriodMicros) / 1024));

/** CPU units that the task may use; undefined: all that is free. */
export const cpuLimitOf = ({ cpuLimitUnits, cpuUnits }: TaskSpec): number | undefined => cpuLimitUnits ?? cpuUnits;

export const cpuShares = (cpuUnits: number): number => Math.min(maxCpuShares, Math.max(minCpuShares, cpuUnits));

export function containerResources(
  task: TaskSpec,
  container: ContainerSpec,
  { swapLimits }: { readonly swapLimits: boolean },
): SpecResources {
  const limitMib = lesser(container.memoryMib, task.memoryMib);
  const limit = limitMib === undefined ? undefined : limitMib * mib;
  const cpuLimit = cpuLimitOf(task);
  const reservation = container.memoryReservationMib === undefined ? undefined : container.memoryReservationMib * mib;
  return {
    memory: {
      ...(limit === undefined ? {} : { limit }),
      ...(reservation === undefined ? {} : { reservation }),
      // Memory and swap together: the same number leaves no swap.
      ...(limit === undefined || !swapLimits ? {} : { swap: limit }),
    },
    cpu: {
      shares: cpuShares(container.cpuUnits),
      ...(cpuLimit === undefined ? {} : { quota: cpuQuotaMicros(cpuLimit), period: cpuPeriodMicros }),
    },
    pids: { limit: defaultPidsLimit },
    // runc adds the harmless ones (null, zero, random, tty…) by itself.
    devices: [{ allow: false, access: 'rwm' }],
  };
}

const lesser = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined ? b : b === undefined ? a : Math.min(a, b);
