/** Docker's stats JSON, in which ECS tells what a container uses, of two readings. Pure. */
import { compact } from '../../core/compact.ts';
import type { ContainerStats } from '../../core/model/container-stats.ts';

export interface StatsOf {
  readonly id: string;
  readonly name: string;
  readonly stats: ContainerStats;
  /** The reading before, where there was one. */
  readonly before: ContainerStats | undefined;
  /** Docker's word for "no limit" is all memory of the machine. */
  readonly machineMemoryBytes: number;
}

/** Go's zero of a time, as Docker writes the time of a reading that was not made. */
const neverRead = '0001-01-01T00:00:00Z';

export function statsDocument({ id, name, stats, before, machineMemoryBytes }: StatsOf) {
  return compact({
    read: new Date(stats.at).toISOString(),
    preread: before === undefined ? neverRead : new Date(before.at).toISOString(),
    pids_stats: compact({ current: stats.pids.current, limit: stats.pids.limit }),
    blkio_stats: blkioDocument(stats.blockIo),
    num_procs: 0,
    storage_stats: {},
    cpu_stats: cpuDocument(stats),
    precpu_stats: before === undefined ? emptyCpu : cpuDocument(before),
    memory_stats: memoryDocument(stats.memory, machineMemoryBytes),
    name: `/${name}`,
    id,
    networks: networksDocument(stats.network),
    network_rate_stats: ratesOf(stats, before),
  });
}

const emptyCpu = {
  cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
  throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
};

const cpuDocument = ({ cpu }: ContainerStats) => ({
  cpu_usage: {
    total_usage: cpu.usageNanos,
    usage_in_kernelmode: cpu.systemNanos,
    usage_in_usermode: cpu.userNanos,
  },
  system_cpu_usage: cpu.machineNanos,
  online_cpus: cpu.onlineCpus,
  throttling_data: {
    periods: cpu.periods,
    throttled_periods: cpu.throttledPeriods,
    throttled_time: cpu.throttledNanos,
  },
});

/** The kernel's names under version 2, and those of version 1 by which older clients subtract the cache. */
function memoryDocument(memory: ContainerStats['memory'], machineMemoryBytes: number) {
  const inactiveFile = Math.max(0, memory.usageBytes - memory.workingSetBytes);
  return compact({
    usage: memory.usageBytes,
    max_usage: memory.peakBytes,
    stats: {
      anon: memory.anonBytes,
      file: memory.fileBytes,
      inactive_file: inactiveFile,
      rss: memory.anonBytes,
      cache: memory.fileBytes,
      total_inactive_file: inactiveFile,
    },
    limit: memory.limitBytes ?? machineMemoryBytes,
  });
}

function blkioDocument(blockIo: ContainerStats['blockIo']) {
  const entry = (op: string, value: number) => ({ major: 0, minor: 0, op, value });
  return {
    io_service_bytes_recursive:
      blockIo === undefined ? null : [entry('Read', blockIo.readBytes), entry('Write', blockIo.writtenBytes)],
    io_serviced_recursive:
      blockIo === undefined ? null : [entry('Read', blockIo.readOperations), entry('Write', blockIo.writeOperations)],
    io_queue_recursive: null,
    io_service_time_recursive: null,
    io_wait_time_recursive: null,
    io_merged_recursive: null,
    io_time_recursive: null,
    sectors_recursive: null,
  };
}

function networksDocument(network: ContainerStats['network']) {
  if (network === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(network).map(([name, counters]) => [
      name,
      {
        rx_bytes: counters.rxBytes,
        rx_packets: counters.rxPackets,
        rx_errors: counters.rxErrors,
        rx_dropped: counters.rxDropped,
        tx_bytes: counters.txBytes,
        tx_packets: counters.txPackets,
        tx_errors: counters.txErrors,
        tx_dropped: counters.txDropped,
      },
    ]),
  );
}

function ratesOf({ at, network }: ContainerStats, before: ContainerStats | undefined) {
  if (network === undefined || before?.network === undefined || at <= before.at) return undefined;
  const seconds = (at - before.at) / 1000;
  const total = (of: ContainerStats['network'], counter: 'rxBytes' | 'txBytes') =>
    Object.values(of ?? {}).reduce((sum, counters) => sum + counters[counter], 0);
  const rate = (counter: 'rxBytes' | 'txBytes') =>
    Math.max(0, (total(network, counter) - total(before.network, counter)) / seconds);
  return { rx_bytes_per_sec: rate('rxBytes'), tx_bytes_per_sec: rate('txBytes') };
}
