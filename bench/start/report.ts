/** What a run of the start bench says: as data, and as the text that stands in bench/README.md. Pure. */
import type { Random } from '../../core/random.ts';
import { percentile, type Ratio, ratioOfMedians } from '../statistics.ts';
import type { Contender } from './contender.ts';
import type { Sample, Samples } from './rounds.ts';

interface Percentiles {
  readonly p50: number;
  readonly p99: number;
}

export interface ContenderResult {
  readonly name: string;
  readonly means: string;
  readonly process: Percentiles;
  readonly running: Percentiles;
  readonly accepted?: Percentiles;
}

/** Gantry against another, at the median. */
export interface Comparison {
  readonly with: string;
  readonly process: Ratio;
  readonly running: Ratio;
}

export interface Report {
  readonly command: string;
  readonly date: string;
  readonly machine: string;
  /** Of one minute, before the bench began; none of it was the bench's. */
  readonly loadBefore: number;
  readonly rounds: number;
  readonly contenders: readonly ContenderResult[];
  readonly comparisons: readonly Comparison[];
}

type Facts = Pick<Report, 'command' | 'date' | 'machine' | 'loadBefore' | 'rounds'>;

export function makeReport(facts: Facts, samples: Samples, random: Random): Report {
  const [first, ...others] = samples;
  if (first === undefined) throw new Error('Nothing was measured.');
  return {
    ...facts,
    contenders: [...samples].map(([contender, measured]) => resultOf(contender, measured)),
    comparisons: others.map(([{ name }, measured]) => {
      const ratio = (of: 'process' | 'running') => ratioOfMedians(column(first[1], of), column(measured, of), random);
      return { with: name, process: ratio('process'), running: ratio('running') };
    }),
  };
}

function resultOf({ name, means }: Contender, samples: readonly Sample[]): ContenderResult {
  const accepted = samples.flatMap((sample) => sample.accepted ?? []);
  return {
    name,
    means,
    process: percentiles(column(samples, 'process')),
    running: percentiles(column(samples, 'running')),
    ...(accepted.length > 0 && { accepted: percentiles(accepted) }),
  };
}

const column = (samples: readonly Sample[], of: 'process' | 'running'): number[] => samples.map((sample) => sample[of]);

const percentiles = (values: readonly number[]): Percentiles => ({
  p50: percentile(values, 0.5),
  p99: percentile(values, 0.99),
});

/** Markdown that is also readable in a terminal. */
export function reportText({ command, date, machine, loadBefore, rounds, contenders, comparisons }: Report): string {
  return [
    `\`${command}\`, ${date}, ${rounds} rounds. ${machine}. Load before: ${loadBefore.toFixed(2)}.`,
    '',
    '| ms | process p50 | p99 | running p50 | p99 |',
    '|---|---|---|---|---|',
    ...contenders.map(({ name, process, running }) =>
      row(name, ms(process.p50), ms(process.p99), ms(running.p50), ms(running.p99)),
    ),
    '',
    '| median of gantry : median of | process (95 % interval) | running (95 % interval) |',
    '|---|---|---|',
    ...comparisons.map(({ with: other, process, running }) => row(other, ratioText(process), ratioText(running))),
    '',
    ...contenders.map(({ name, means }) => `* **${name}**: ${means}.`),
    ...contenders.flatMap(({ name, accepted }) =>
      accepted === undefined
        ? []
        : [`\nThe request to ${name} was answered after p50 ${ms(accepted.p50)} ms, p99 ${ms(accepted.p99)} ms.`],
    ),
  ].join('\n');
}

const row = (...cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const ms = (value: number): string => value.toFixed(1);
const ratioText = ({ ratio, low, high }: Ratio): string => `${ratio.toFixed(2)} (${low.toFixed(2)}-${high.toFixed(2)})`;
