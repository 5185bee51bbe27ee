/** Asks again while the control plane is away, as clients do: it is for a moment whenever it was killed. */
import { setTimeout as delay } from 'node:timers/promises';
import { errorTraits, GantryError } from '../../core/errors.ts';

export async function untilAnswered<T>(call: () => Promise<T>): Promise<T> {
  while (true) {
    try {
      return await call();
    } catch (error) {
      // A connection that breaks in the middle of an answer is a TypeError of fetch.
      const away = error instanceof GantryError ? errorTraits[error.code].retryable : error instanceof TypeError;
      if (!away) throw error;
      await delay(100);
    }
  }
}
