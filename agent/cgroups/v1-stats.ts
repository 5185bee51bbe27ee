/** What a group has used, by the files of version 1 (Documentation/admin-guide/cgroup-v1). */
import { compact } from '../../core/compact.ts';
import type { GroupStats } from './cgroups.ts';
import { countersOf, leastLimit, readStat } from './stat-files.ts';

/** cpuacct.stat counts in ticks of user space (USER_HZ), which are a hundredth of a second on every Linux of ours. */
const nanosPerTick = 10_000_000;
/** A limit that the kernel shows where none was set: the most pages that it can count. */
const unlimitedBytes = 2 ** 63 - 4096;

/** Undefined where the file's controller is not mounted, or the group is gone. */
type Read = (controller: string, file: string) => string | undefined;

/** @param mounts the mount point of each controller @returns undefined when the group is gone */
export function readStatsV1(mounts: ReadonlyMap<string, string>, path: string): GroupStats | undefined {
  const read: Read = (controller, file) => {
    const mountPoint = mounts.get(controller);
    return mountPoint === undefined ? undefined : readStat(mountPoint, path, file);
  };
  const cpu = cpuOf(read);
  const memory = memoryOf(read);
  const pids = read('pids', 'pids.current');
  if (cpu === undefined || memory === undefined || pids === undefined) return undefined;
  const limit = leastLimit(mounts.get('pids') ?? '', path, 'pids.max');
  return {
    cpu,
    memory,
    pids: compact({ current: Number(pids), limit }),
    ...compact({ blockIo: blockIoOf(mounts.get('blkio'), path) }),
  };
}

function cpuOf(read: Read): GroupStats['cpu'] | undefined {
  const usage = read('cpuacct', 'cpuacct.usage');
  const times = read('cpuacct', 'cpuacct.stat');
  const scheduled = read('cpu', 'cpu.stat');
  if (usage === undefined || times === undefined || scheduled === undefined) return undefined;
  const ticks = countersOf(times);
  const counters = countersOf(scheduled);
  return {
    usageNanos: Number(usage),
    userNanos: ticks('user') * nanosPerTick,
    systemNanos: ticks('system') * nanosPerTick,
    periods: counters('nr_periods'),
    throttledPeriods: counters('nr_throttled'),
    throttledNanos: counters('throttled_time'),
  };
}

function memoryOf(read: Read): GroupStats['memory'] | undefined {
  const usage = read('memory', 'memory.usage_in_bytes');
  const stat = read('memory', 'memory.stat');
  if (usage === undefined || stat === undefined) return undefined;
  const usageBytes = Number(usage);
  const bytes = countersOf(stat);
  const peak = read('memory', 'memory.max_usage_in_bytes');
  const limitBytes = bytes('hierarchical_memory_limit');
  return {
    usageBytes,
    ...compact({
      peakBytes: peak === undefined ? undefined : Number(peak),
      limitBytes: limitBytes >= unlimitedBytes ? undefined : limitBytes,
    }),
    workingSetBytes: Math.max(0, usageBytes - bytes('total_inactive_file')),
    anonBytes: bytes('total_rss'),
    fileBytes: bytes('total_cache'),
    oomKills: countersOf(read('memory', 'memory.oom_control') ?? '')('oom_kill'),
  };
}

/**
 * By the I/O scheduler bfq where a device uses it, else by the layer that throttles, which newer kernels let count only where something is
 * throttled: a kernel that has counted nothing on the whole machine does not count.
 */
function blockIoOf(mountPoint: string | undefined, path: string): GroupStats['blockIo'] {
  if (mountPoint === undefined) return undefined;
  for (const layer of ['bfq', 'throttle']) {
    const read = (group: string, what: string) => sums(readStat(mountPoint, group, `blkio.${layer}.${what}_recursive`));
    const bytes = read(path, 'io_service_bytes');
    const operations = read(path, 'io_serviced');
    if (bytes === undefined || operations === undefined || read('/', 'io_serviced')?.hasDevices !== true) continue;
    return {
      readBytes: bytes.read,
      readOperations: operations.read,
      writtenBytes: bytes.write,
      writeOperations: operations.write,
    };
  }
  return undefined;
}

/** Over the devices, from lines of `8:0 Read 4096`. */
function sums(text: string | undefined): { read: number; write: number; hasDevices: boolean } | undefined {
  if (text === undefined) return undefined;
  const sum = { read: 0, write: 0, hasDevices: false };
  for (const [, kind, value] of text.matchAll(/^\d+:\d+ (\w+) (\d+)$/gm)) {
    sum.hasDevices = true;
    if (kind === 'Read') sum.read += Number(value);
    else if (kind === 'Write') sum.write += Number(value);
  }
  return sum;
}
