/**
 * Control groups version 2: one tree. A controller works in a group only when the group above hands it down, and a group that
 * hands controllers down may hold no processes itself: the host's and the task's groups never do.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cpuPeriodMicros, cpuQuotaMicros, maxCpuShares, mib, minCpuShares } from '../oci/resources.ts';
import type { Cgroups, GroupLimits } from './cgroups.ts';
import { childDirectories, makeGroup, readCounter, removeTree, setControl } from './tree.ts';
import { readStatsV2 } from './v2-stats.ts';

const controllers = ['cpu', 'memory', 'pids'];

/** @param root where the tree is mounted */
export function cgroupsV2(root: string): Cgroups {
  return {
    version: 2,
    // A group's own swap limit exists wherever swap is accounted; runc copes where it does not.
    swapLimits: true,
    async createGroup(path, limits) {
      await handDown(root);
      let group = root;
      for (const name of path.split('/').filter((part) => part !== '')) {
        group = join(group, name);
        await makeGroup(group);
        await handDown(group);
      }
      await limit(group, limits);
    },
    async oomKills(path) {
      const group = join(root, path);
      // The local file counts this group alone; kernels before 5.2 have only the one that counts all below.
      const local = await readCounter(join(group, 'memory.events.local'), 'oom_kill');
      return local ?? (await readCounter(join(group, 'memory.events'), 'oom_kill')) ?? 0;
    },
    stats: (path) => readStatsV2(root, path),
    removeGroup: (path) => removeTree(join(root, path)),
    childGroups: (path) => childDirectories(join(root, path)),
  };
}

/** Makes the controllers work in the groups below this one. */
async function handDown(group: string): Promise<void> {
  const available = (await readFile(join(group, 'cgroup.controllers'), 'utf8')).trim().split(' ');
  const missing = controllers.filter((name) => !available.includes(name));
  if (missing.length > 0)
    throw new Error(
      `The cgroup controllers ${missing.join(', ')} are not available in ${group}. Whoever manages the groups above must hand them down.`,
    );
  const enabled = (await readFile(join(group, 'cgroup.subtree_control'), 'utf8')).trim().split(' ');
  const wanted = controllers.filter((name) => !enabled.includes(name));
  if (wanted.length > 0) await setControl(group, 'cgroup.subtree_control', wanted.map((name) => `+${name}`).join(' '));
}

async function limit(group: string, { cpuUnits, cpuShares, memoryMib, pids }: GroupLimits): Promise<void> {
  await setControl(group, 'cpu.weight', cpuWeight(cpuShares));
  if (cpuUnits !== undefined) await setControl(group, 'cpu.max', `${cpuQuotaMicros(cpuUnits)} ${cpuPeriodMicros}`);
  if (memoryMib !== undefined) {
    await setControl(group, 'memory.max', memoryMib * mib);
    if (existsSync(join(group, 'memory.swap.max'))) await setControl(group, 'memory.swap.max', 0);
  }
  await setControl(group, 'pids.max', pids);
}

/** Shares of 2 to 262144 as a weight of 1 to 10000, as runc converts a container's. */
export const cpuWeight = (shares: number): number =>
  1 + Math.floor(((shares - minCpuShares) * 9999) / (maxCpuShares - minCpuShares));
