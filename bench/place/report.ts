/** The figures of the bench as text, and what is to be reached. */
import { seededRandom } from '../../core/random.ts';
import { percentile, type Ratio, ratioOfMedians } from '../statistics.ts';
import type { Taken } from './dynamodb.ts';
import { batch } from './load.ts';
import { callers, describedTasks, type PlaceResult, type Size, sizes } from './measure.ts';

/** On SQLite: tasks a second, how much dearer a task may be in the largest cluster than in the smallest, milliseconds. */
const targets = { tasksPerSecond: 2000, largestToSmallest: 1.25, describeP99Ms: 10 } as const;

export interface PlaceReport {
  readonly command: string;
  readonly date: string;
  readonly machine: string;
  readonly loadBefore: number;
  readonly measured: PlaceResult;
  readonly dynamoDb: ReadonlyMap<number, Taken>;
}

export function reportText({ command, date, machine, loadBefore, measured, dynamoDb }: PlaceReport): string {
  const { rates, described } = measured;
  const rateOf = (size: Size): number[] => rates.bySize.get(size) ?? [];
  const [smallest, , largest] = sizes;
  const rows = [
    ...sizes.map((size) => rateRow(`${hosts(size)}, over HTTP`, rateOf(size))),
    rateRow('the bare store', rates.bareStore),
  ];
  return [
    `\`${command}\`, ${date}. ${machine}. Load before: ${loadBefore.toFixed(2)}.`,
    '',
    `| tasks a second, ${callers} callers, ${batch} tasks a call | median | slowest round | fastest round |`,
    '|---|---|---|---|',
    ...rows,
    '',
    // Cost is the inverse of a rate.
    `A task with ${hosts(largest)} takes ${ratioText(ratio(rateOf(smallest), rateOf(largest)))} as long as with ${hosts(smallest)}, and`,
    `one over HTTP with ${hosts(smallest)} ${ratioText(ratio(rates.bareStore, rateOf(smallest)))} as long as its commit alone.`,
    '',
    `| DescribeTasks of ${describedTasks} tasks, while so many callers place | tasks a second placed meanwhile | p50 | p99 |`,
    '|---|---|---|---|',
    ...[...described].map(([placing, { took, placed }]) =>
      row(String(placing), placed.toFixed(0), ms(percentile(took, 0.5)), ms(percentile(took, 0.99))),
    ),
    '',
    `| DynamoDB, a call of ${batch} tasks at most | requests | write units | read units |`,
    '|---|---|---|---|',
    ...[...dynamoDb].map(([size, { requests, writeUnits, readUnits }]) =>
      row(hosts(size), String(requests), String(writeUnits), String(readUnits)),
    ),
  ].join('\n');
}

/** What of the measured is worse than it is to be, as sentences. */
export function missed({ rates, described }: PlaceResult): string[] {
  const rateOf = (size: Size): number => percentile(rates.bySize.get(size) ?? [], 0.5);
  const [smallest, , largest] = sizes;
  const dearer = rateOf(smallest) / rateOf(largest);
  const slowest = percentile(described.get(1)?.took ?? [], 0.99);
  return [
    ...sizes
      .filter((size) => rateOf(size) < targets.tasksPerSecond)
      .map((size) => `${hosts(size)}: ${rateOf(size).toFixed(0)} tasks a second, at least ${targets.tasksPerSecond}`),
    ...(dearer > targets.largestToSmallest
      ? [`a task with ${hosts(largest)}: ${dearer.toFixed(2)} times, at most ${targets.largestToSmallest}`]
      : []),
    ...(slowest > targets.describeP99Ms
      ? [`DescribeTasks p99 ${ms(slowest)}, at most ${targets.describeP99Ms} ms`]
      : []),
  ];
}

const row = (...cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const hosts = (count: number): string => `${count.toLocaleString('en')} hosts`;
const ms = (value: number): string => `${value.toFixed(1)} ms`;

const rateRow = (name: string, rates: readonly number[]): string =>
  row(name, ...[percentile(rates, 0.5), Math.min(...rates), Math.max(...rates)].map((rate) => rate.toFixed(0)));

const ratio = (dividends: readonly number[], divisors: readonly number[]): Ratio =>
  ratioOfMedians(dividends, divisors, seededRandom(1));

const ratioText = ({ ratio, low, high }: Ratio): string =>
  `${ratio.toFixed(2)} (95 % interval ${low.toFixed(2)}-${high.toFixed(2)}) times`;
