/** The few statistics that the benches report. Pure. */
import type { Random } from '../core/random.ts';

/** The smallest value that at least this share of all values does not exceed (nearest rank). Throws on no values. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (value === undefined) throw new Error('There are no values.');
  return value;
}

export interface Ratio {
  readonly ratio: number;
  /** 95 of 100 repetitions of the run would lie between these, as far as its rounds are like each other. */
  readonly low: number;
  readonly high: number;
}

const resamples = 2000;

/**
 * The ratio of two medians with its interval, by resampling rounds (bootstrap): the two values of a round are drawn together, so that
 * what slows a round down slows both.
 */
export function ratioOfMedians(dividends: readonly number[], divisors: readonly number[], random: Random): Ratio {
  const median = (values: readonly number[]): number => percentile(values, 0.5);
  const drawn = Array.from({ length: resamples }, () => {
    const rounds = dividends.map(() => Math.floor(random() * dividends.length));
    return median(pick(dividends, rounds)) / median(pick(divisors, rounds));
  });
  return {
    ratio: median(dividends) / median(divisors),
    low: percentile(drawn, 0.025),
    high: percentile(drawn, 0.975),
  };
}

const pick = (values: readonly number[], indexes: readonly number[]): number[] =>
  indexes.flatMap((index) => values[index] ?? []);
