/** `gantry show`: everything about one task, with what to do next at the end. */
import type { ContainerView, TaskView } from '../../core/api/shapes.ts';
import type { LogLine } from '../../core/model/task.ts';
import { formatCpu, formatDuration, formatMib } from '../../core/text.ts';
import { alignColumns, type Output } from '../output.ts';
import { adviceFor, nextCommands } from './advice.ts';
import { storyRows } from './story.ts';
import { addressesOf, clusterOf, headlineOf, paintedStatus, revisionOf, taskIdOf } from './task.ts';
import { oneLine } from './text.ts';
import { formatMoment } from './time.ts';

export function printTaskPage(task: TaskView, lastLines: readonly LogLine[], out: Output, now: number): void {
  out.line(`${out.paint('bold', revisionOf(task))}  ${paintedStatus(task, out)}  ${taskIdOf(task)}`);
  out.line(`It ${headlineOf(task)}.`);
  for (const advice of adviceFor(task)) out.line(advice);
  out.line();
  printRows(factsOf(task, out, now), out);
  section('Story', out);
  printRows(storyRows(task, out), out);
  section('Containers', out);
  printRows([['NAME', 'IMAGE', 'STATUS', 'EXIT', 'LIMITS', 'PORTS'], ...task.containers.map(containerRow(task))], out);
  printReasons(task.containers, out);
  if (lastLines.length > 0) {
    section('Last log lines', out);
    const several = task.containers.length > 1;
    for (const line of lastLines) out.line(`  ${several ? `${line.container} | ` : ''}${oneLine(line.text)}`);
  }
  section('Next', out);
  printRows(nextCommands(task), out);
}

function section(title: string, out: Output): void {
  out.line();
  out.line(out.paint('bold', title));
}

function printRows(rows: readonly (readonly string[])[], out: Output): void {
  for (const line of alignColumns(rows)) out.line(`  ${line}`);
}

function factsOf(task: TaskView, out: Output, now: number): string[][] {
  const { hostName, hostAddress, startedBy, connectivity, cpu, memory, cpuLimit, timeoutSeconds } = task;
  const host =
    hostName === undefined
      ? task.lastStatus === 'STOPPED'
        ? 'none'
        : 'none yet'
      : `${hostName} (${hostAddress ?? 'address unknown'})`;
  return [
    ['cluster', clusterOf(task)],
    ['host', connectivity === 'DISCONNECTED' ? `${host}, not connected` : host],
    ['reserved', `${formatCpu(Number(cpu))}, ${formatMib(Number(memory))}`],
    ...(cpuLimit === undefined ? [] : [['CPU limit', formatCpu(Number(cpuLimit))]]),
    ...(timeoutSeconds === undefined ? [] : [['may run for', formatDuration(timeoutSeconds * 1000)]]),
    ['group', task.group],
    ...(startedBy === undefined ? [] : [['started by', oneLine(startedBy)]]),
    ['created', formatMoment(task.createdAt, { terminal: out.terminal, now })],
  ];
}

const containerRow =
  (task: TaskView) =>
  (container: ContainerView): string[] => [
    container.essential ? container.name : `${container.name} (not essential)`,
    container.image,
    container.lastStatus,
    container.exitCode === undefined ? '-' : String(container.exitCode),
    limitsOf(container),
    addressesOf(task, [container]).join(' ') || '-',
  ];

function limitsOf({ cpu, memory, memoryReservation }: ContainerView): string {
  const limits = [
    ...(cpu === '0' ? [] : [`${cpu} CPU units`]),
    ...(memory === undefined ? [] : [formatMib(Number(memory))]),
    ...(memoryReservation === undefined ? [] : [`${formatMib(Number(memoryReservation))} soft`]),
  ];
  return limits.join(', ') || '-';
}

function printReasons(containers: readonly ContainerView[], out: Output): void {
  for (const { name, reason } of containers)
    if (reason !== undefined) out.line(`  ${out.paint('red', `${name}: ${oneLine(reason)}`)}`);
}
