/** What a run of the cost bench says, as the text that stands in bench/README.md. Pure. */
import type { Counts, FunctionName } from './counts.ts';
import { targets } from './gates.ts';
import {
  auditCost,
  billedMs,
  eventsCost,
  fleetCost,
  type MemoryMib,
  metricsCost,
  type Priced,
  priced,
  prices,
  tracingCost,
} from './prices.ts';

export interface CostResult {
  readonly command: string;
  readonly date: string;
  readonly machine: string;
  readonly memoryMib: MemoryMib;
  /** By what is in the heading of its column. */
  readonly lives: readonly (readonly [name: string, counts: Counts])[];
  readonly idleHosts: number;
  /** Of a month. */
  readonly idle: Counts;
  /** Of what the template makes. */
  readonly alarms: number;
  readonly dashboards: number;
  readonly keys: number;
}

const million = 1_000_000;
const row = (...cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string[] => [
  row(...head),
  row(...head.map(() => '---')),
  ...rows.map((cells) => row(...cells)),
];
const number = (value: number): string => value.toLocaleString('en', { maximumFractionDigits: value < 1000 ? 2 : 0 });
const usd = (value: number, digits = 2): string => value.toFixed(digits);

export function reportText(result: CostResult): string {
  const { command, date, machine, memoryMib, lives, idle, idleHosts } = result;
  const names = lives.map(([name]) => name);
  const millions = lives.map(([, counts]) => times(priced(counts, memoryMib), million));
  return [
    `\`${command}\`, ${date}. ${machine}.`,
    '',
    'One life of a task:',
    '',
    ...table(
      ['', ...names],
      countRows.map(([what, of]) => [what, ...lives.map(([, counts]) => number(of(counts)))]),
    ),
    '',
    `USD per million of them (to reach: ${targets.millionTasks}):`,
    '',
    ...table(
      ['', ...names],
      priceRows.map(([what, of]) => [what, ...millions.map((prices_) => usd(of(prices_)))]),
    ),
    '',
    ...ownLines('a million tasks', lives[0]?.[1], memoryMib),
    '',
    `A month of ${idleHosts} idle hosts (to reach: ${usd(targets.idleMonth)} USD):`,
    '',
    ...table(
      ['', 'count'],
      [...countRows, ...idleRows].map(([what, of]) => [what, number(of(idle))]),
    ),
    '',
    ...table(
      ['USD', ''],
      priceRows.map(([what, of]) => [what, usd(of(priced(idle, memoryMib)), 3)]),
    ),
    '',
    ...monthlyLines(result),
    '',
    `Billed milliseconds by the model: ${modelText(memoryMib)}.`,
  ].join('\n');
}

type Row<T> = readonly [what: string, of: (one: T) => number];

const countRows: readonly Row<Counts>[] = [
  ['write units', ({ writeUnits }) => writeUnits],
  ['read units', ({ readUnits }) => readUnits],
  ['HTTP requests', ({ httpRequests }) => httpRequests],
  ['WebSocket messages', ({ webSocketMessages }) => webSocketMessages],
  ['invocations of `api`', ({ invocations }) => invocations.api],
  ['invocations of `hosts`', ({ invocations }) => invocations.hosts],
  ['invocations of `wake`', ({ invocations }) => invocations.wake],
  ['invocations of `sweep`', ({ invocations }) => invocations.sweep],
  ['invocations of `fleet`', ({ invocations }) => invocations.fleet],
  ['bytes of access log', ({ accessLogBytes }) => accessLogBytes],
  ["bytes of functions' logs", ({ functionLogBytes }) => functionLogBytes],
];

const idleRows: readonly Row<Counts>[] = [['connection minutes', ({ connectionMinutes }) => connectionMinutes]];

const priceRows: readonly Row<Priced>[] = [
  ['DynamoDB writes', ({ writes }) => writes],
  ['DynamoDB reads', ({ reads }) => reads],
  ['gateway', ({ gateway }) => gateway],
  ['Lambda', ({ functions }) => functions],
  ['logs', ({ logs }) => logs],
  ['**together**', ({ total }) => total],
];

function times(one: Priced, factor: number): Priced {
  const { writes, reads, gateway, functions, logs, total } = one;
  return {
    writes: writes * factor,
    reads: reads * factor,
    gateway: gateway * factor,
    functions: functions * factor,
    logs: logs * factor,
    total: total * factor,
  };
}

function ownLines(of: string, counts: Counts | undefined, memoryMib: MemoryMib): string[] {
  if (counts === undefined) return [];
  return [
    `Each with a switch, for ${of}: events ${usd(eventsCost(counts, memoryMib) * million)} USD (${number(counts.events)} each), ` +
      `audit log ${usd(auditCost * million)} USD for each call that changes something, ` +
      `metrics ${usd(metricsCost(counts) * million)} USD of log, tracing ${usd(tracingCost(counts) * million)} USD if every request is traced.`,
  ];
}

function monthlyLines({ alarms, dashboards, keys, idle, memoryMib }: CostResult): string[] {
  return [
    `Beside that, a month: the schedules ${usd(idle.scheduled * prices.scheduled, 3)} USD (within their lasting free tier); ` +
      'and each with a switch: ' +
      `the function that buys hosts ${usd(fleetCost(idle, memoryMib), 3)}, ` +
      `${alarms} alarms ${usd(alarms * prices.alarmMonth)}, ${dashboards} dashboard ${usd(dashboards * prices.dashboardMonth)}, ` +
      `${keys} key ${usd(keys * prices.keyMonth)}, each of the control plane's own metrics ${usd(prices.metricMonth)} USD.`,
  ];
}

const modelText = (memoryMib: MemoryMib): string =>
  (Object.keys(billedMs) as FunctionName[])
    .map((name) => `\`${name}\` ${billedMs[name]} (${memoryMib[name]} MiB)`)
    .join(', ');
