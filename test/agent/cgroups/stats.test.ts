/** What a group has used, from the files of both versions as kernels write them: the same numbers with the same meaning. */
import { mkdirSync, mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cgroupsV1 } from '../../../agent/cgroups/v1.ts';
import { cgroupsV2 } from '../../../agent/cgroups/v2.ts';

const group = '/gantry/host-1/task/main';
const unlimited = '9223372036854771712';

/** A directory that stands for the kernel's, with these files; `/` at an end of a path stands for the group. */
function tree(files: Readonly<Record<string, string>>) {
  const root = mkdtempDisposableSync(join(tmpdir(), 'gantry-cgroup-stats-'));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root.path, dirname(path)), { recursive: true });
    writeFileSync(join(root.path, path), content);
  }
  return root;
}

const v1Files = {
  [`cpuacct${group}/cpuacct.usage`]: '5000000000\n',
  [`cpuacct${group}/cpuacct.stat`]: 'user 300\nsystem 200\n',
  [`cpu${group}/cpu.stat`]: 'nr_periods 50\nnr_throttled 20\nthrottled_time 1500000000\n',
  [`memory${group}/memory.usage_in_bytes`]: '104857600\n',
  [`memory${group}/memory.max_usage_in_bytes`]: '125829120\n',
  [`memory${group}/memory.stat`]:
    'cache 1\nrss 1\ninactive_file 1\nhierarchical_memory_limit 134217728\ntotal_cache 41943040\ntotal_rss 62914560\ntotal_inactive_file 20971520\n',
  [`memory${group}/memory.oom_control`]: 'oom_kill_disable 0\nunder_oom 0\noom_kill 3\n',
  [`pids${group}/pids.current`]: '7\n',
  [`pids${group}/pids.max`]: 'max\n',
  'pids/gantry/host-1/task/pids.max': '4096\n',
  'blkio/blkio.throttle.io_serviced_recursive': '8:0 Read 9\n8:0 Write 9\nTotal 18\n',
  [`blkio${group}/blkio.throttle.io_service_bytes_recursive`]:
    '8:0 Read 4096\n8:0 Write 8192\n8:0 Sync 0\n8:0 Total 12288\n8:16 Read 1024\n8:16 Write 0\nTotal 13312\n',
  [`blkio${group}/blkio.throttle.io_serviced_recursive`]:
    '8:0 Read 1\n8:0 Write 2\n8:16 Read 1\n8:16 Write 0\nTotal 4\n',
};

const v2Files = {
  [`${group}/cpu.stat`]:
    'usage_usec 5000000\nuser_usec 3000000\nsystem_usec 2000000\nnr_periods 50\nnr_throttled 20\nthrottled_usec 1500000\n',
  [`${group}/memory.current`]: '104857600\n',
  [`${group}/memory.peak`]: '125829120\n',
  [`${group}/memory.max`]: 'max\n',
  '/gantry/host-1/task/memory.max': '134217728\n',
  [`${group}/memory.stat`]: 'anon 62914560\nfile 41943040\ninactive_file 20971520\n',
  [`${group}/memory.events.local`]: 'oom 4\noom_kill 3\n',
  [`${group}/pids.current`]: '7\n',
  [`${group}/pids.max`]: 'max\n',
  '/gantry/host-1/task/pids.max': '4096\n',
  [`${group}/io.stat`]:
    '8:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n8:16 rbytes=1024 wbytes=0 rios=1 wios=0 dbytes=0 dios=0\n',
};

const expected = {
  cpu: {
    usageNanos: 5e9,
    userNanos: 3e9,
    systemNanos: 2e9,
    periods: 50,
    throttledPeriods: 20,
    throttledNanos: 1.5e9,
  },
  memory: {
    usageBytes: 104_857_600,
    peakBytes: 125_829_120,
    limitBytes: 134_217_728,
    workingSetBytes: 83_886_080,
    anonBytes: 62_914_560,
    fileBytes: 41_943_040,
    oomKills: 3,
  },
  pids: { current: 7, limit: 4096 },
  blockIo: { readBytes: 5120, readOperations: 2, writtenBytes: 8192, writeOperations: 2 },
};

function v1(files: Readonly<Record<string, string>>) {
  const root = tree(files);
  const names = ['cpu', 'cpuacct', 'memory', 'pids', 'blkio'];
  const mounts = new Map(names.map((name) => [name, join(root.path, name)]));
  return { cgroups: cgroupsV1(mounts, [...mounts.values()]), [Symbol.dispose]: () => root.remove() };
}

describe('what a group has used', () => {
  it('reads alike from version 1 and version 2', () => {
    using first = v1(v1Files);
    using second = tree(v2Files);
    expect(first.cgroups.stats(group)).toEqual(expected);
    expect(cgroupsV2(second.path).stats(group)).toEqual(expected);
  });

  it('is undefined of a group that is gone', () => {
    using first = v1(v1Files);
    using second = tree(v2Files);
    expect(first.cgroups.stats('/gantry/host-1/task/gone')).toBeUndefined();
    expect(cgroupsV2(second.path).stats('/gantry/host-1/task/gone')).toBeUndefined();
  });

  it('has no limit where none is set, and no block I/O where the kernel counts none', () => {
    const nothing = { 'blkio/blkio.throttle.io_serviced_recursive': 'Total 0\n' };
    const stat = { [`memory${group}/memory.stat`]: `hierarchical_memory_limit ${unlimited}\ntotal_rss 1\n` };
    using first = v1({ ...v1Files, ...nothing, ...stat });
    const read = first.cgroups.stats(group);
    expect(read?.memory).not.toHaveProperty('limitBytes');
    expect(read).not.toHaveProperty('blockIo');
    const { [`${group}/io.stat`]: _io, [`${group}/memory.peak`]: _peak, ...older } = v2Files;
    using second = tree({
      ...older,
      '/gantry/host-1/task/memory.max': 'max\n',
      '/gantry/host-1/task/pids.max': 'max\n',
    });
    const unlimitedGroup = cgroupsV2(second.path).stats(group);
    expect(unlimitedGroup?.memory).not.toHaveProperty('limitBytes');
    expect(unlimitedGroup?.memory).not.toHaveProperty('peakBytes');
    expect(unlimitedGroup?.pids).toEqual({ current: 7 });
    expect(unlimitedGroup).not.toHaveProperty('blockIo');
  });
});
