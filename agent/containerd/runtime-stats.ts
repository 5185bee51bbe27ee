/**
 * What a running container has used: its control group's accounts, and the counters of its network namespace, which any of its processes
 * shows under /proc without a process of ours having to enter it. Reads only when asked, and keeps nothing.
 */
import { readFileSync } from 'node:fs';
import type { ContainerStats, InterfaceStats } from '../../core/model/container-stats.ts';
import type { Cgroups } from '../cgroups/cgroups.ts';
import { readStat } from '../cgroups/stat-files.ts';
import type { Clock } from '../clock.ts';
import type { TaskNetworks } from '../network/task-network.ts';
import type { NamespacedContainerd } from './client.ts';
import type { RuntimeFiles } from './runtime-files.ts';
import { containerCgroup } from './runtime-naming.ts';
import { runningPid } from './runtime-processes.ts';

/** /proc/stat counts in ticks of user space (USER_HZ), which are a hundredth of a second on every Linux of ours. */
const nanosPerTick = 10_000_000;

export interface StatsSources {
  readonly containerd: NamespacedContainerd;
  readonly files: Pick<RuntimeFiles, 'runtimeId'>;
  readonly cgroups: Cgroups;
  readonly networks: Pick<TaskNetworks, 'placeOf'>;
  readonly cgroupParent: string;
  readonly clock: Clock;
}

export class StatsReader {
  readonly #sources: StatsSources;

  constructor(sources: StatsSources) {
    this.#sources = sources;
  }

  async of(taskId: string, containerName: string): Promise<ContainerStats | undefined> {
    const { containerd, files, cgroups, networks, cgroupParent, clock } = this.#sources;
    const runtimeId = await files.runtimeId(taskId, containerName);
    if (runtimeId === undefined) return undefined;
    const pid = await runningPid(containerd, runtimeId);
    if (pid === undefined) return undefined;
    const group = cgroups.stats(containerCgroup(cgroupParent, taskId, runtimeId));
    if (group === undefined) return undefined; // It has ended since.
    const hasNetwork = networks.placeOf(taskId, containerName) !== undefined;
    const interfaces = hasNetwork ? readStat('/proc', String(pid), 'net/dev') : undefined;
    return {
      at: clock.now(),
      ...group,
      cpu: { ...group.cpu, ...machineCpu() },
      ...(interfaces === undefined ? {} : { network: interfacesOf(interfaces) }),
    };
  }
}

function machineCpu(): Pick<ContainerStats['cpu'], 'onlineCpus' | 'machineNanos'> {
  const text = readFileSync('/proc/stat', 'utf8');
  // User, nice, system, idle, iowait, irq, softirq, steal; what follows is contained in the first two.
  const ticks = text.slice(0, text.indexOf('\n')).trim().split(/ +/).slice(1, 9).map(Number);
  return {
    onlineCpus: text.match(/^cpu\d+ /gm)?.length ?? 1,
    machineNanos: ticks.reduce((sum, each) => sum + each, 0) * nanosPerTick,
  };
}

/** Lines of `eth0: bytes packets errs drop fifo frame compressed multicast`, and the same of what is sent. */
function interfacesOf(text: string): Record<string, InterfaceStats> {
  const found: Record<string, InterfaceStats> = {};
  for (const [, name = '', columns = ''] of text.matchAll(/^ *(\S+): *(.+)$/gm)) {
    if (name === 'lo') continue;
    const [rxBytes = 0, rxPackets = 0, rxErrors = 0, rxDropped = 0, , , , , ...sent] = columns.split(/ +/).map(Number);
    const [txBytes = 0, txPackets = 0, txErrors = 0, txDropped = 0] = sent;
    found[name] = { rxBytes, rxPackets, rxErrors, rxDropped, txBytes, txPackets, txErrors, txDropped };
  }
  return found;
}
