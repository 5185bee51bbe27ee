/** Trying again, a stated number of times, with full jitter. Knows nothing of what is tried. */

export interface Backoff {
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** Eight attempts wait 1.3 s on average and 2.6 s at most: longer than a partition needs to split or a node to be replaced. */
export const maxAttempts = 8;
const delays = { firstMs: 25, longestMs: 1_000 };

/** Waits before attempt number `attempt` (1 is the first repetition). */
export function waitBefore(attempt: number, { random, sleep }: Backoff): Promise<void> {
  return sleep(random() * Math.min(delays.longestMs, delays.firstMs * 2 ** (attempt - 1)));
}

/** Repeats what fails with an error that is worth it; throws the last one. */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  isWorthIt: (error: unknown) => boolean,
  backoff: Backoff,
): Promise<T> {
  for (let made = 1; ; made += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (made === maxAttempts || !isWorthIt(error)) throw error;
    }
    await waitBefore(made, backoff);
  }
}
