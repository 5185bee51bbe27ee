/** A clock that stands still until a test lets time pass, so that what comes after minutes costs nothing and is exact. */
import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../../agent/clock.ts';

interface Sleeper {
  readonly at: number;
  wake(): void;
}

export class ManualClock implements Clock {
  #now = Date.now();
  readonly #sleepers = new Set<Sleeper>();

  now(): number {
    return this.#now;
  }

  async sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const sleeper = { at: this.#now + milliseconds, wake: resolve };
    const onAbort = () => resolve();
    this.#sleepers.add(sleeper);
    signal?.addEventListener('abort', onAbort, { once: true });
    await promise;
    signal?.removeEventListener('abort', onAbort);
    this.#sleepers.delete(sleeper);
  }

  /** How long until the next sleeper wakes. */
  get nextMs(): number {
    return Math.min(...[...this.#sleepers].map(({ at }) => at)) - this.#now;
  }

  /** Resolves once somebody sleeps who will wake after exactly that long. */
  async untilSleeping(milliseconds: number): Promise<void> {
    while (![...this.#sleepers].some(({ at }) => at - this.#now === milliseconds)) await turn();
  }

  /** Lets time pass; who sleeps wakes in order, and has gone on for a moment before the next one wakes. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    await turn();
    for (;;) {
      const next = [...this.#sleepers].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#now = Math.max(this.#now, next.at);
      this.#sleepers.delete(next);
      next.wake();
      await turn();
    }
    this.#now = end;
  }
}
