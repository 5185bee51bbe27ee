/**
 * Control groups version 1: a hierarchy a controller. The agent makes the task's group where it sets limits; runc makes it in the
 * others, the unified one beside them included, and leaves it there, so removal goes through all.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cpuPeriodMicros, cpuQuotaMicros, mib } from '../oci/resources.ts';
import type { Cgroups, GroupLimits } from './cgroups.ts';
import { childDirectories, makeGroup, readCounter, removeTree, setControl } from './tree.ts';
import { readStatsV1 } from './v1-stats.ts';

/** @param mounts the mount point of each controller @param all every hierarchy's */
export function cgroupsV1(mounts: ReadonlyMap<string, string>, all: readonly string[]): Cgroups {
  const cpu = required(mounts, 'cpu');
  const memory = required(mounts, 'memory');
  const pids = required(mounts, 'pids');
  // Present only where the kernel accounts swap.
  const swapLimits = existsSync(join(memory, 'memory.memsw.limit_in_bytes'));
  return {
    version: 1,
    swapLimits,
    async createGroup(path, limits) {
      await Promise.all([
        limitCpu(join(cpu, path), limits),
        limitMemory(join(memory, path), limits, swapLimits),
        limitPids(join(pids, path), limits),
      ]);
    },
    async oomKills(path) {
      return (await readCounter(join(memory, path, 'memory.oom_control'), 'oom_kill')) ?? 0;
    },
    stats: (path) => readStatsV1(mounts, path),
    async removeGroup(path) {
      await Promise.all(all.map((mountPoint) => removeTree(join(mountPoint, path))));
    },
    async childGroups(path) {
      const names = await Promise.all(all.map((mountPoint) => childDirectories(join(mountPoint, path))));
      return [...new Set(names.flat())];
    },
  };
}

function required(mounts: ReadonlyMap<string, string>, controller: string): string {
  const mountPoint = mounts.get(controller);
  if (mountPoint === undefined)
    throw new Error(
      `The cgroup controller "${controller}" is not mounted on this machine. Mount it below /sys/fs/cgroup; ` +
        "it may have to be enabled on the kernel's command line.",
    );
  return mountPoint;
}

async function limitCpu(group: string, { cpuUnits, cpuShares }: GroupLimits): Promise<void> {
  await makeGroup(group);
  await setControl(group, 'cpu.shares', cpuShares);
  if (cpuUnits === undefined) return;
  await setControl(group, 'cpu.cfs_period_us', cpuPeriodMicros);
  await setControl(group, 'cpu.cfs_quota_us', cpuQuotaMicros(cpuUnits));
}

async function limitMemory(group: string, { memoryMib }: GroupLimits, swapLimits: boolean): Promise<void> {
  await makeGroup(group);
  if (memoryMib === undefined) return;
  // In this order: memory and swap together can never be less than memory alone.
  await setControl(group, 'memory.limit_in_bytes', memoryMib * mib);
  if (swapLimits) await setControl(group, 'memory.memsw.limit_in_bytes', memoryMib * mib);
}

async function limitPids(group: string, { pids }: GroupLimits): Promise<void> {
  await makeGroup(group);
  await setControl(group, 'pids.max', pids);
}
