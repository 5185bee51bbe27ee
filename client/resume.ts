/**
 * Streams that outlive their connections: one that breaks, as when the control plane is started again, is taken up anew. Knows nothing
 * of what the streams carry.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { errorTraits, GantryError } from '../core/errors.ts';

const retryMs = 1000;
/** After this long without an answer it is said that there is none. */
const patienceMs = 30_000;

export interface ResumeOptions {
  readonly signal: AbortSignal;
  /** Whether a stream that ended in good order has said everything. */
  readonly isWhole: () => boolean;
  /** Whether one that broke can be gone on with (default: yes). */
  readonly mayResume?: () => boolean;
  /** Told once for each time that it breaks. */
  readonly onBreak?: (error: unknown) => void;
}

/** What the streams that `open` makes carry, one after the other. Throws what cannot be mended, and when the signal fires. */
export async function* resumed<T>(open: () => AsyncGenerator<T>, options: ResumeOptions): AsyncGenerator<T> {
  const { signal, isWhole, mayResume = () => true, onBreak } = options;
  let heardAt = performance.now();
  let broken = false;
  for (;;) {
    try {
      for await (const item of open()) {
        heardAt = performance.now();
        broken = false;
        yield item;
      }
      if (isWhole()) return;
    } catch (error) {
      if (signal.aborted || !mayResume() || !isPassing(error) || performance.now() - heardAt > patienceMs) throw error;
      if (!broken) onBreak?.(error);
      broken = true;
    }
    await delay(retryMs, undefined, { signal });
  }
}

/** A GantryError says itself whether trying again helps; anything else is a connection that broke. */
const isPassing = (error: unknown): boolean => !(error instanceof GantryError) || errorTraits[error.code].retryable;
