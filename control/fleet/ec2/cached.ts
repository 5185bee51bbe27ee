/** A value that somebody else has and that changes slowly: read anew once it is old, and used for longer where that fails. */
import type { Log } from '../../deps.ts';

export interface CachedOptions<T> {
  /** As in "the prices of EC2 could not be read". */
  readonly what: string;
  readonly read: () => Promise<T>;
  readonly freshMs: number;
  readonly now: () => number;
  readonly log?: Pick<Log, 'warn'> | undefined;
}

/** Whoever asks while it is read waits for the same reading. Rejects only where nothing was ever read. */
export function cached<T>({ what, read, freshMs, now, log }: CachedOptions<T>): () => Promise<T> {
  let known: { readonly value: T; readonly readAt: number } | undefined;
  let reading: Promise<T> | undefined;
  const readAnew = async (): Promise<T> => {
    const readAt = now();
    try {
      const value = await read();
      known = { value, readAt };
      return value;
    } catch (error) {
      if (known === undefined)
        throw new Error(`It is not known what EC2 offers: ${what} could not be read.`, { cause: error });
      log?.warn({ err: error, readAt: known.readAt }, `${what} could not be read again; what was read before is used`);
      return known.value;
    } finally {
      reading = undefined;
    }
  };
  return () => {
    if (known !== undefined && now() - known.readAt < freshMs) return Promise.resolve(known.value);
    reading ??= readAnew();
    return reading;
  };
}
