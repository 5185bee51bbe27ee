/** `gantry top`: one snapshot as lines, as many and as wide as there is room for. */
import { formatBytes, formatCpu, formatMib, formatTime, plural } from '../../core/text.ts';
import { alignColumns, type Output } from '../output.ts';
import { perHour } from '../render/money.ts';
import { progressBar } from '../render/progress.ts';
import { revisionOf, shortId } from '../render/task.ts';
import { oneLine } from '../render/text.ts';
import { fitted, type Section } from './fit.ts';
import type { Amount, HostLoad, Snapshot } from './snapshot.ts';
import type { Rates, Use } from './use.ts';

/** Where there is no end of a terminal to say how many are too many. */
const lastShown = 10;

export interface Room {
  /** Of a terminal; without it everything is shown, and no bars. */
  readonly columns: number;
  readonly rows: number;
}

/** `note` stands beside the time: what went wrong since. */
export function pageOf(snapshot: Snapshot, out: Output, room?: Room, note = ''): string[] {
  const head = [
    `${out.paint('bold', snapshot.cluster)}  ${formatTime(snapshot.at.getTime())}${note === '' ? '' : `  ${out.paint('red', note)}`}`,
    countsOf(snapshot, out),
    ...alignColumns([
      ['CPU', usageOf(snapshot.cpuUnits, formatCpu, room)],
      ['memory', usageOf(snapshot.memoryMib, formatMib, room)],
    ]),
  ];
  const sections = sectionsOf(snapshot, out, room);
  if (room === undefined) return [...head, ...fitted(sections, Infinity)];
  return [...head, ...fitted(sections, room.rows - head.length)].slice(0, room.rows);
}

function countsOf({ hosts, tasks, onOrder, hourlyUsd }: Snapshot, out: Output): string {
  const away = hosts.filter(({ connected }) => !connected).length;
  const draining = hosts.filter(({ status }) => status === 'DRAINING').length;
  const odd = [...(draining === 0 ? [] : [`${draining} draining`]), ...(away === 0 ? [] : [`${away} not connected`])];
  const ordered = onOrder.reduce((sum, order) => sum + order.hosts, 0);
  const waiting = tasks.waiting === 0 ? '' : out.paint('yellow', ` (${tasks.waiting} waiting for a host)`);
  return [
    `${plural(hosts.length, 'host')}${odd.length === 0 ? '' : out.paint('yellow', ` (${odd.join(', ')})`)}`,
    `${out.paint('green', `${tasks.running} RUNNING`)}, ${tasks.pending} PENDING${waiting}`,
    ...(ordered === 0 ? [] : [`${plural(ordered, 'host')} on order`]),
    ...(hourlyUsd === 0 ? [] : [perHour(hourlyUsd)]),
  ].join('; ');
}

function usageOf(amount: Amount, format: (amount: number) => string, room: Room | undefined): string {
  const bar = room === undefined ? '' : `${progressBar(amount.used, amount.total, barWidth(room))}  `;
  return `${bar}${format(amount.used)} of ${format(amount.total)} used, ${format(amount.total - amount.used)} free`;
}

/** What a row of a host leaves of a narrow terminal, for each of two bars. */
const barWidth = ({ columns }: Room): number => Math.max(4, Math.min(24, Math.floor((columns - 60) / 2)));

function sectionsOf(snapshot: Snapshot, out: Output, room: Room | undefined): Section[] {
  const width = room?.columns;
  const [heading = '', ...hosts] = alignColumns(
    [
      ['HOST', 'STATUS', 'CPU', 'MEMORY', 'RUNNING', 'PENDING'],
      ...inOrder(snapshot.hosts).map((host) => hostRow(host, out, room)),
    ],
    width,
  );
  const uses = usesOf(snapshot, out, width);
  // Where there is nothing but what cannot be said, it comes behind what can.
  const isUsed = snapshot.use.containers.length > 0;
  return [
    { title: out.paint('bold', 'Hosts'), heading: `  ${heading}`, lines: hosts.map(indented) },
    ...(isUsed ? [uses] : []),
    section(
      'Waiting',
      snapshot.waiting.map(({ tasks, why }) => [plural(tasks, 'task'), oneLine(why)]),
      out,
      width,
    ),
    section(
      'On order',
      snapshot.onOrder.map(({ capacityProvider, hosts: count, state, why, failure }) => [
        capacityProvider,
        `${count} ${state === 'OPEN' ? 'asked for' : 'booting'}`,
        failure === undefined ? why : `${failure}; ${why}`,
      ]),
      out,
      width,
    ),
    ...(isUsed ? [] : [uses]),
    section('Lately', snapshot.events.slice(0, room === undefined ? lastShown : undefined).map(eventRow), out, width),
  ];
}

function usesOf({ use }: Snapshot, out: Output, width: number | undefined): Section {
  const [heading = '', ...lines] = alignColumns(
    [
      ['TASK', 'CONTAINER', 'DEFINITION', 'HOST', 'CPU', 'MEMORY', 'NET IN/OUT', 'DISK IN/OUT', 'PIDS'],
      ...use.containers.map(useRow),
    ],
    width === undefined ? undefined : width - 2,
  );
  const unknown = use.silent.map(({ why, hosts }) => `${plural(hosts.length, 'host')}: ${oneLine(why)}`);
  const title = out.paint('bold', 'In use');
  if (use.containers.length === 0) return { title, lines: unknown.map(indented) };
  return { title, heading: `  ${heading}`, lines: [...lines, ...unknown].map(indented) };
}

function useRow(use: Use): string[] {
  const { container, host, cpuPercent, memoryBytes, memoryLimitBytes, network, blockIo, pids } = use;
  const limit = memoryLimitBytes === undefined ? '' : ` of ${formatBytes(memoryLimitBytes)}`;
  return [
    shortId(use),
    container ?? '(all)',
    revisionOf(use),
    host,
    cpuPercent === undefined ? '-' : `${cpuPercent.toFixed(1)} %`,
    `${formatBytes(memoryBytes)}${limit}`,
    ratesText(network),
    ratesText(blockIo),
    String(pids),
  ];
}

const ratesText = (rates: Rates | undefined): string =>
  rates === undefined ? '-' : `${formatBytes(Math.round(rates.in))} / ${formatBytes(Math.round(rates.out))} a second`;

function section(
  title: string,
  rows: readonly (readonly string[])[],
  out: Output,
  columns: number | undefined,
): Section {
  const lines = alignColumns(rows, columns === undefined ? undefined : columns - 2);
  return { title: out.paint('bold', title), lines: lines.map(indented) };
}

const indented = (line: string): string => `  ${line}`;

/** What needs a look first, then by name: a row that jumps about cannot be read. */
const inOrder = (hosts: readonly HostLoad[]): HostLoad[] =>
  hosts.toSorted((a, b) => Number(isWell(a)) - Number(isWell(b)));

const isWell = ({ connected, status }: HostLoad): boolean => connected && status === 'ACTIVE';

function hostRow(host: HostLoad, out: Output, room: Room | undefined): string[] {
  const { name, status, connected, cpuUnits, memoryMib, running, pending } = host;
  const shown = connected ? status : `${status}, not connected`;
  return [
    name,
    out.paint(connected ? (status === 'ACTIVE' ? 'green' : 'yellow') : 'red', shown),
    shareOf(cpuUnits, formatCpu, room),
    shareOf(memoryMib, formatMib, room),
    String(running),
    String(pending),
  ];
}

/** Where there are no bars, the amounts. */
const shareOf = (amount: Amount, format: (amount: number) => string, room: Room | undefined): string =>
  room === undefined
    ? `${format(amount.used)} of ${format(amount.total)}`
    : progressBar(amount.used, amount.total, barWidth(room));

const eventRow = ({ time, kind, headline }: Snapshot['events'][number]): string[] => [
  formatTime(time.getTime()).slice(11, 19),
  kind,
  oneLine(headline),
];
