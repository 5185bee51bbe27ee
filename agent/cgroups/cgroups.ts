/**
 * Control groups, version 1 and 2 behind one interface. A task has a group with its limits, made by the agent; runc makes a group
 * below it for each container. A path here is below the root of every hierarchy, for example `/gantry/host-1/<task>`.
 */
import { readFileSync } from 'node:fs';
import type { ContainerStats } from '../../core/model/container-stats.ts';
import type { TaskSpec } from '../../core/model/task-spec.ts';
import { cpuLimitOf, cpuShares, defaultPidsLimit, minCpuShares } from '../oci/resources.ts';
import { cgroupMounts } from './mounts.ts';
import { cgroupsV1 } from './v1.ts';
import { cgroupsV2 } from './v2.ts';

export interface GroupLimits {
  /** 1024 are one whole CPU: a hard limit. */
  readonly cpuUnits?: number;
  /** Weight against other groups. */
  readonly cpuShares: number;
  readonly memoryMib?: number;
  readonly pids: number;
}

/** What the processes of a group have used: what is of the group alone in a container's statistics. */
export interface GroupStats extends Pick<ContainerStats, 'memory' | 'pids' | 'blockIo'> {
  readonly cpu: Omit<ContainerStats['cpu'], 'onlineCpus' | 'machineNanos'>;
}

export interface Cgroups {
  readonly version: 1 | 2;
  /** True where memory and swap can be limited together. */
  readonly swapLimits: boolean;
  /** Makes the group with these limits, or brings an existing one to them. Throws an Error that names what the host lacks. */
  createGroup(path: string, limits: GroupLimits): Promise<void>;
  /** How often the kernel killed a process of this very group for want of memory; 0 when the group is gone. */
  oomKills(path: string): Promise<number>;
  /** What was used in the group and all below it; undefined when the group is gone. */
  stats(path: string): GroupStats | undefined;
  /** Removes the group and all below it from every hierarchy, ending processes that are still in them. Fine if there is none. */
  removeGroup(path: string): Promise<void>;
  /** The names of the groups directly below, from all hierarchies. */
  childGroups(path: string): Promise<string[]>;
}

/** Looks at what is mounted. Throws an Error when this machine has no usable control groups. */
export function detectCgroups(mountInfo: string = readFileSync('/proc/self/mountinfo', 'utf8')): Cgroups {
  const { byController, unified, all } = cgroupMounts(mountInfo);
  if (byController.size > 0) return cgroupsV1(byController, all);
  if (unified !== undefined) return cgroupsV2(unified);
  throw new Error(
    'No control groups are mounted below /sys/fs/cgroup: limits for containers cannot be set on this machine.',
  );
}

/** By ECS' rules: a task without a CPU size or a limit has no quota, and weighs what its containers weigh together. */
export function taskLimits(task: TaskSpec): GroupLimits {
  const sum = task.containers.reduce((total, { cpuUnits }) => total + Math.max(minCpuShares, cpuUnits), 0);
  const cpuLimit = cpuLimitOf(task);
  return {
    ...(cpuLimit === undefined ? {} : { cpuUnits: cpuLimit }),
    cpuShares: cpuShares(task.cpuUnits ?? sum),
    ...(task.memoryMib === undefined ? {} : { memoryMib: task.memoryMib }),
    pids: defaultPidsLimit,
  };
}
