/** What a group has used, by the files of version 2 (Documentation/admin-guide/cgroup-v2.rst). */
import { compact } from '../../core/compact.ts';
import type { GroupStats } from './cgroups.ts';
import { countersOf, leastLimit, readStat } from './stat-files.ts';

const nanosPerMicro = 1000;

/** @param root where the tree is mounted @returns undefined when the group is gone */
export function readStatsV2(root: string, path: string): GroupStats | undefined {
  const cpu = readStat(root, path, 'cpu.stat');
  const memory = memoryOf(root, path);
  const pids = readStat(root, path, 'pids.current');
  if (cpu === undefined || memory === undefined || pids === undefined) return undefined;
  const counters = countersOf(cpu);
  return {
    cpu: {
      usageNanos: counters('usage_usec') * nanosPerMicro,
      userNanos: counters('user_usec') * nanosPerMicro,
      systemNanos: counters('system_usec') * nanosPerMicro,
      periods: counters('nr_periods'),
      throttledPeriods: counters('nr_throttled'),
      throttledNanos: counters('throttled_usec') * nanosPerMicro,
    },
    memory,
    pids: compact({ current: Number(pids), limit: leastLimit(root, path, 'pids.max') }),
    ...compact({ blockIo: blockIoOf(readStat(root, path, 'io.stat')) }),
  };
}

function memoryOf(root: string, path: string): GroupStats['memory'] | undefined {
  const current = readStat(root, path, 'memory.current');
  const stat = readStat(root, path, 'memory.stat');
  if (current === undefined || stat === undefined) return undefined;
  const usageBytes = Number(current);
  const bytes = countersOf(stat);
  const peak = readStat(root, path, 'memory.peak');
  const events = readStat(root, path, 'memory.events.local') ?? readStat(root, path, 'memory.events') ?? '';
  return {
    usageBytes,
    ...compact({
      peakBytes: peak === undefined ? undefined : Number(peak),
      limitBytes: leastLimit(root, path, 'memory.max'),
    }),
    workingSetBytes: Math.max(0, usageBytes - bytes('inactive_file')),
    anonBytes: bytes('anon'),
    fileBytes: bytes('file'),
    oomKills: countersOf(events)('oom_kill'),
  };
}

/** The sum over devices, from lines of `8:0 rbytes=4096 wbytes=0 rios=1 wios=0 …`. */
function blockIoOf(text: string | undefined): GroupStats['blockIo'] {
  if (text === undefined) return undefined;
  const sum = { rbytes: 0, rios: 0, wbytes: 0, wios: 0 };
  for (const [, name = '', value] of text.matchAll(/ (\w+)=(\d+)/g)) {
    if (name === 'rbytes' || name === 'rios' || name === 'wbytes' || name === 'wios') sum[name] += Number(value);
  }
  return {
    readBytes: sum.rbytes,
    readOperations: sum.rios,
    writtenBytes: sum.wbytes,
    writeOperations: sum.wios,
  };
}
