/**
 * Token buckets by key: how often something may be done in the long run, and how often at once. Pure but for what it remembers: the time
 * is handed in, and a bucket that was untouched for longest is forgotten where there are too many, which only ever favours its owner.
 */

export interface Rate {
  /** How many tokens come back a second. */
  readonly perSecond: number;
  /** How many a bucket holds. */
  readonly burst: number;
}

export interface TokenBuckets {
  /** Takes a token; false where there is none. `now` in milliseconds. */
  take(key: string, now: number): boolean;
  /** Whether `take` would find none. */
  isEmpty(key: string, now: number): boolean;
}

interface Bucket {
  readonly tokens: number;
  readonly at: number;
}

/** Buckets in memory, at some hundred bytes each. */
const mostBuckets = 10_000;

export function createTokenBuckets({ perSecond, burst }: Rate, most: number = mostBuckets): TokenBuckets {
  /** Those that were touched last are at the end. */
  const buckets = new Map<string, Bucket>();

  function tokensOf(key: string, now: number): number {
    const bucket = buckets.get(key);
    if (bucket === undefined) return burst;
    // A clock that was set back gives nothing and takes nothing.
    const elapsedMs = Math.max(0, now - bucket.at);
    return Math.min(burst, bucket.tokens + (elapsedMs * perSecond) / 1000);
  }

  return {
    take(key, now) {
      const tokens = tokensOf(key, now);
      const isThere = tokens >= 1;
      buckets.delete(key);
      buckets.set(key, { tokens: isThere ? tokens - 1 : tokens, at: now });
      const longestUntouched = buckets.keys().next().value;
      if (buckets.size > most && longestUntouched !== undefined) buckets.delete(longestUntouched);
      return isThere;
    },
    isEmpty: (key, now) => tokensOf(key, now) < 1,
  };
}
