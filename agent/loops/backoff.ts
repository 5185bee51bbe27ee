/** How long to wait before trying again: grows by doubling to a limit, with jitter so that many hosts do not come back at once. */

/** Uniform in [0, 1). */
export type Random = () => number;

export interface BackoffLimits {
  readonly firstMs: number;
  readonly longestMs: number;
}

/** Milliseconds before try number `failures + 1`: between half of the doubled delay and the whole of it. */
export function backoffMs(failures: number, { firstMs, longestMs }: BackoffLimits, random: Random): number {
  const whole = Math.min(longestMs, firstMs * 2 ** Math.min(failures, 30));
  return whole / 2 + (random() * whole) / 2;
}
