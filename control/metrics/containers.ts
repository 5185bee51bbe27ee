/**
 * What hosts say of their containers, as Prometheus reads it (text format 0.0.4): each series by a table, from which docs/metrics.md has
 * its names. Apart from the control plane's own metrics, because they are as many as there are containers. Pure.
 */
import type { ContainerStats, InterfaceStats } from '../../core/model/container-stats.ts';
import type { ContainerOfHost } from '../hosts/stats-of-host.ts';

export interface HostAnswer {
  readonly cluster: string;
  readonly host: string;
  /** Absent where it did not answer. */
  readonly containers?: readonly ContainerOfHost[] | undefined;
}

interface Series {
  readonly kind: 'counter' | 'gauge';
  /** A sentence without its full stop. */
  readonly help: string;
}

interface ContainerSeries extends Series {
  /** undefined where the kernel does not say, or there is no limit. */
  readonly value: (stats: ContainerStats) => number | undefined;
}

const seconds = (nanos: number): number => nanos / 1e9;
const counter = (help: string, value: ContainerSeries['value']): ContainerSeries => ({ kind: 'counter', help, value });
const gauge = (help: string, value: ContainerSeries['value']): ContainerSeries => ({ kind: 'gauge', help, value });

/** Labels: `cluster`, `host`, `family`, `revision`, `task`, `container`. */
export const containerSeries: Readonly<Record<string, ContainerSeries>> = {
  cpu_usage_seconds_total: counter('Processor time', ({ cpu }) => seconds(cpu.usageNanos)),
  cpu_user_seconds_total: counter('Of it, in user space', ({ cpu }) => seconds(cpu.userNanos)),
  cpu_system_seconds_total: counter('Of it, in the kernel', ({ cpu }) => seconds(cpu.systemNanos)),
  cpu_periods_total: counter('Periods of its quota in which it wanted to run', ({ cpu }) => cpu.periods),
  cpu_throttled_periods_total: counter(
    'Of them, those in which it used up its quota',
    ({ cpu }) => cpu.throttledPeriods,
  ),
  cpu_throttled_seconds_total: counter('For how long it was kept from running so', ({ cpu }) =>
    seconds(cpu.throttledNanos),
  ),
  memory_usage_bytes: gauge(
    'Memory that it holds, files in the page cache included',
    ({ memory }) => memory.usageBytes,
  ),
  memory_working_set_bytes: gauge(
    'The same without files that can be dropped at once',
    ({ memory }) => memory.workingSetBytes,
  ),
  memory_anon_bytes: gauge('Of it, what belongs to no file', ({ memory }) => memory.anonBytes),
  memory_file_bytes: gauge('Of it, page cache, tmpfs and shared memory', ({ memory }) => memory.fileBytes),
  memory_limit_bytes: gauge(
    "The least of its own limit and its task's; absent where there is none",
    ({ memory }) => memory.limitBytes,
  ),
  oom_kills_total: counter('Processes of it that the kernel ended for want of memory', ({ memory }) => memory.oomKills),
  pids: gauge('Processes and threads', ({ pids }) => pids.current),
  pids_limit: gauge('How many it may have', ({ pids }) => pids.limit),
  block_read_bytes_total: counter('Read from block devices', ({ blockIo }) => blockIo?.readBytes),
  block_reads_total: counter('How often', ({ blockIo }) => blockIo?.readOperations),
  block_written_bytes_total: counter('Written to block devices', ({ blockIo }) => blockIo?.writtenBytes),
  block_writes_total: counter('How often', ({ blockIo }) => blockIo?.writeOperations),
};

/** With the label `interface` besides; only of containers with a network of their own (network mode bridge). */
export const interfaceSeries: Readonly<Record<string, Series & { readonly member: keyof InterfaceStats }>> = {
  network_receive_bytes_total: { kind: 'counter', help: 'Received', member: 'rxBytes' },
  network_receive_packets_total: { kind: 'counter', help: 'Packets received', member: 'rxPackets' },
  network_receive_errors_total: { kind: 'counter', help: 'Packets that could not be received', member: 'rxErrors' },
  network_receive_dropped_total: { kind: 'counter', help: 'Packets dropped instead of received', member: 'rxDropped' },
  network_transmit_bytes_total: { kind: 'counter', help: 'Sent', member: 'txBytes' },
  network_transmit_packets_total: { kind: 'counter', help: 'Packets sent', member: 'txPackets' },
  network_transmit_errors_total: { kind: 'counter', help: 'Packets that could not be sent', member: 'txErrors' },
  network_transmit_dropped_total: { kind: 'counter', help: 'Packets dropped instead of sent', member: 'txDropped' },
};

export const containersContentType = 'text/plain; version=0.0.4; charset=utf-8';
export const containerPrefix = 'gantry_container_';
/** Labels: `cluster`, `host`. */
export const hostAnswered: Series & { readonly name: string } = {
  name: 'gantry_host_stats_answered',
  kind: 'gauge',
  help: '1 where the host said what its containers use, 0 where it was asked and did not answer',
};

export function containersPage(hosts: readonly HostAnswer[]): string {
  const found = hosts.flatMap(({ cluster, host, containers = [] }) =>
    containers.map(({ task, container, stats }) => ({
      labels: labelsOf({
        cluster,
        host,
        family: task.family,
        revision: String(task.revision),
        task: task.taskId,
        container,
      }),
      stats,
    })),
  );
  const lines = [...headOf(hostAnswered.name, hostAnswered)];
  for (const { cluster, host, containers } of hosts)
    lines.push(`${hostAnswered.name}{${labelsOf({ cluster, host })}} ${containers === undefined ? 0 : 1}`);
  for (const [name, series] of Object.entries(containerSeries)) {
    lines.push(...headOf(containerPrefix + name, series));
    for (const { labels, stats } of found) {
      const value = series.value(stats);
      if (value !== undefined) lines.push(`${containerPrefix}${name}{${labels}} ${value}`);
    }
  }
  for (const [name, series] of Object.entries(interfaceSeries)) {
    lines.push(...headOf(containerPrefix + name, series));
    for (const { labels, stats } of found)
      for (const [device, counters] of Object.entries(stats.network ?? {}))
        lines.push(
          `${containerPrefix}${name}{${labels},${labelsOf({ interface: device })}} ${counters[series.member]}`,
        );
  }
  return `${lines.join('\n')}\n`;
}

const headOf = (name: string, { kind, help }: Series): string[] => [
  `# HELP ${name} ${help}.`,
  `# TYPE ${name} ${kind}`,
];

const labelsOf = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(
      ([name, value]) => `${name}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`,
    )
    .join(',');
