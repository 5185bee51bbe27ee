import { describe, expect, it } from 'vitest';
import { percentile, ratioOfMedians } from '../../bench/statistics.ts';
import { seededRandom } from '../../core/random.ts';

describe('percentile', () => {
  it.each([
    [0.5, 3],
    [0.99, 5],
    [0.2, 1],
    [0.21, 2],
    [0, 1],
  ])('at %d of 1 to 5, in any order, is %d', (share, expected) => {
    expect(percentile([4, 1, 5, 2, 3], share)).toBe(expected);
  });

  it('sorts as numbers, not as text', () => {
    expect(percentile([9, 10, 100], 0.99)).toBe(100);
  });

  it('has no answer for no values', () => {
    expect(() => percentile([], 0.5)).toThrow('no values');
  });
});

describe('ratioOfMedians', () => {
  it('draws the two values of a round together', () => {
    // Rounds differ tenfold, but in each round the one is twice the other: resampling cannot change that.
    const divisors = [1, 2, 3, 5, 10];
    const dividends = divisors.map((value) => 2 * value);
    expect(ratioOfMedians(dividends, divisors, seededRandom(1))).toEqual({ ratio: 2, low: 2, high: 2 });
  });

  it('has a wider interval for noisier rounds', () => {
    const random = seededRandom(7);
    const rounds = Array.from({ length: 40 }, () => random() - 0.5);
    const width = (noise: number): number => {
      const dividends = rounds.map((value) => 100 * (1 + noise * value));
      const { low, high, ratio } = ratioOfMedians(
        dividends,
        rounds.toReversed().map((value) => 50 * (1 + noise * value)),
        random,
      );
      expect(low).toBeLessThanOrEqual(ratio);
      expect(high).toBeGreaterThanOrEqual(ratio);
      return high - low;
    };
    expect(width(0.5)).toBeGreaterThan(3 * width(0.05));
  });
});
