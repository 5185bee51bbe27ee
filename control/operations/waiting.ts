/** Long polls: a read that is repeated whenever the feed says so, until it shows what is waited for or the time is over. */
import { GantryError } from '../../core/errors.ts';
import type { ControlDeps } from '../deps.ts';
import { untilEnding } from '../ending.ts';

/** The longest that a gateway lets a request wait. */
const longestWaitSeconds = 25;

/** How long to wait; the longest where nothing is said. Throws InvalidParameterException where the wish is longer. */
export function waitSeconds(wish: number = longestWaitSeconds): number {
  if (wish <= longestWaitSeconds) return wish;
  throw new GantryError('InvalidParameterException', `timeout may be at most ${longestWaitSeconds} seconds.`, {
    field: 'timeout',
    hint: 'Ask again to go on waiting.',
  });
}

interface Wait<T> {
  /** Of the feed. */
  readonly topic: string;
  readonly seconds: number;
  readonly isReached: (seen: T) => boolean;
}

/** What was read last: what is waited for, or how things are once the time is over or the process is about to end. */
export async function readUntil<T>(
  deps: Pick<ControlDeps, 'feed' | 'sleep' | 'ending'>,
  { topic, seconds, isReached }: Wait<T>,
  read: () => Promise<T>,
): Promise<T> {
  const { feed, sleep } = deps;
  let changed = Promise.withResolvers<'changed'>();
  // Subscribed before the first read, so that no change falls between the two.
  using _ = feed.subscribe(topic, (progress) => {
    if (progress === undefined) changed.resolve('changed');
  });
  const over = new AbortController();
  const timeout = sleep(seconds * 1000, untilEnding(over.signal, deps)).then(() => 'timeout' as const);
  try {
    for (;;) {
      const seen = await read();
      if (isReached(seen)) return seen;
      if ((await Promise.race([changed.promise, timeout])) === 'timeout') return await read();
      changed = Promise.withResolvers<'changed'>();
    }
  } finally {
    over.abort(); // No timer outlives its wait.
  }
}
