/** Lets one operation a key run at once; the others wait for their turn, or until their signal fires. */
import { createLimiter, type Limiter } from '../loops/limiter.ts';

export class KeyedLock {
  readonly #limiters = new Map<string, { readonly limiter: Limiter; users: number }>();

  isHeld(key: string): boolean {
    return this.#limiters.has(key);
  }

  /** Runs the operation alone for its key. Where the signal fires before its turn, it is not run and the signal's reason is thrown. */
  async run<T>(key: string, signal: AbortSignal, operation: () => Promise<T>): Promise<T> {
    const entry = this.#limiters.get(key) ?? { limiter: createLimiter(1), users: 0 };
    this.#limiters.set(key, entry);
    entry.users += 1;
    try {
      const result = await entry.limiter.run(0, signal, async () => ({ value: await operation() }));
      if (result === undefined) throw signal.reason;
      return result.value;
    } finally {
      entry.users -= 1;
      if (entry.users === 0) this.#limiters.delete(key);
    }
  }
}
