/**
 * Optimistic commits: try, and where somebody else was quicker look again, a stated number of times with jitter between. Being
 * overtaken is a normal result, not a fault.
 */
import { GantryError } from '../core/errors.ts';
import type { ControlDeps } from './deps.ts';

interface Attempts {
  readonly most: number;
  /** What is being changed, for the message when all tries were in vain. */
  readonly what: string;
  /** The longest pause between two tries; the first is a quarter of it at most. */
  readonly longestPauseMs?: number;
}

/** Calls `once` until it answers something other than undefined ("overtaken"). Throws ThrottlingException, which clients retry. */
export async function attempt<T>(
  deps: Pick<ControlDeps, 'random' | 'sleep'>,
  { most, what, longestPauseMs = 100 }: Attempts,
  once: (tries: number) => Promise<T | undefined>,
): Promise<T> {
  for (let tries = 0; tries < most; tries += 1) {
    if (tries > 0) await deps.sleep(deps.random() * Math.min(longestPauseMs, (longestPauseMs / 4) * tries));
    const result = await once(tries);
    if (result !== undefined) return result;
  }
  throw new GantryError('ThrottlingException', `Too many changes of ${what} at once.`, { hint: 'Try again.' });
}
