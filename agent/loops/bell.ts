/**
 * "Look again", without data: rings while a loop is busy become one more round. What makes a loop run at its own pace, with nobody
 * acting directly on an event.
 */
import type { Clock } from '../clock.ts';

export interface Bell {
  ring(): void;
  /** Resolves once it has rung since the last call resolved, or when the signal fires. One waiter at a time. */
  rung(signal: AbortSignal): Promise<void>;
}

export function createBell(): Bell {
  let isRinging = false;
  let wake: (() => void) | undefined;
  return {
    ring() {
      isRinging = true;
      wake?.();
    },
    async rung(signal) {
      if (!isRinging && !signal.aborted) {
        const { promise, resolve } = Promise.withResolvers<void>();
        const onAbort = () => resolve();
        wake = onAbort;
        signal.addEventListener('abort', onAbort);
        await promise;
        signal.removeEventListener('abort', onAbort);
        wake = undefined;
      }
      isRinging = false;
    },
  };
}

/** Rings the bell after that long, unless disposed before. */
export function ringAfter(bell: Bell, milliseconds: number, clock: Clock): Disposable {
  const cancel = new AbortController();
  void clock.sleep(milliseconds, cancel.signal).then(() => {
    if (!cancel.signal.aborted) bell.ring();
  });
  return { [Symbol.dispose]: () => cancel.abort() };
}
