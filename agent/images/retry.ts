/** When to try again what a registry did not do at once. */
import { systemClock } from '../clock.ts';
import { type BackoffLimits, backoffMs } from '../loops/backoff.ts';
import { RuntimeFailure } from '../runtime.ts';

export interface RetryPolicy extends BackoffLimits {
  /** How often in a row something may fail without having come any further. */
  readonly failuresInRow: number;
}

export const defaultRetryPolicy: RetryPolicy = { failuresInRow: 3, firstMs: 500, longestMs: 5000 };

/** Waits after that many failures in a row. Returns early when the signal fires. */
export function pauseAfter(failuresInRow: number, policy: RetryPolicy, signal: AbortSignal): Promise<void> {
  return systemClock.sleep(backoffMs(failuresInRow - 1, policy, Math.random), signal);
}

/** Runs the operation again while it fails with a retryable RuntimeFailure. */
export async function retrying<T>(policy: RetryPolicy, signal: AbortSignal, operation: () => Promise<T>): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await operation();
    } catch (error) {
      const isRetryable = error instanceof RuntimeFailure && error.retryable;
      if (signal.aborted || !isRetryable || failures >= policy.failuresInRow) throw error;
      await pauseAfter(failures, policy, signal);
    }
  }
}
