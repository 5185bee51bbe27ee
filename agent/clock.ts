/** Time as the agent's loops see it: given to them, so that a test can hold it still. */

export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Resolves after that long, or at once when the signal fires; it never rejects. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep(milliseconds, signal) {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (signal?.aborted === true) resolve();
    else {
      // Not the promised timer of Node: it rejects when it is woken, and every step of a task wakes one.
      const end = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, milliseconds);
      signal?.addEventListener('abort', end);
    }
    return promise;
  },
};
