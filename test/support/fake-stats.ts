/** What a container of the fake host has used: a tenth of one processor since it was started, and amounts that can be told apart. */
import type { ContainerStats } from '../../core/model/container-stats.ts';

const mib = 1024 * 1024;

export function fakeStats(now: number, startedAt: number, limitMib: number | undefined): ContainerStats {
  const aliveNanos = (now - startedAt) * 1_000_000;
  return {
    at: now,
    cpu: {
      usageNanos: aliveNanos / 10,
      userNanos: aliveNanos / 20,
      systemNanos: aliveNanos / 20,
      periods: 0,
      throttledPeriods: 0,
      throttledNanos: 0,
      onlineCpus: 2,
      machineNanos: aliveNanos * 2,
    },
    memory: {
      usageBytes: 8 * mib,
      workingSetBytes: 6 * mib,
      anonBytes: 4 * mib,
      fileBytes: 3 * mib,
      oomKills: 0,
      ...(limitMib === undefined ? {} : { limitBytes: limitMib * mib }),
    },
    pids: { current: 1, limit: 4096 },
    blockIo: { readBytes: 4096, readOperations: 1, writtenBytes: 8192, writeOperations: 2 },
  };
}
