/**
 * One download for one image however many tasks wait for it. A pull ends when its last waiter has gone. Decides nothing about what is
 * pulled, and remembers nothing once a pull has ended.
 */
import type { PulledImage, PullProgress, Runtime } from '../runtime.ts';

export interface Pulls {
  /** Rejects with the runtime's failure, or with the signal's reason as soon as it fires. */
  pull(reference: string, onProgress: (progress: PullProgress) => void, signal: AbortSignal): Promise<PulledImage>;
}

interface SharedPull {
  readonly image: Promise<PulledImage>;
  readonly cancel: AbortController;
  readonly listeners: Set<(progress: PullProgress) => void>;
}

export function createPulls(runtime: Pick<Runtime, 'pullImage'>): Pulls {
  const running = new Map<string, SharedPull>();

  const begin = (reference: string): SharedPull => {
    const listeners = new Set<(progress: PullProgress) => void>();
    const cancel = new AbortController();
    const tellAll = (progress: PullProgress) => {
      for (const listener of listeners) listener(progress);
    };
    const shared = { image: runtime.pullImage(reference, tellAll, cancel.signal), cancel, listeners };
    running.set(reference, shared);
    const end = () => {
      if (running.get(reference) === shared) running.delete(reference);
    };
    shared.image.then(end, end);
    return shared;
  };

  return {
    async pull(reference, onProgress, signal) {
      signal.throwIfAborted();
      const shared = running.get(reference) ?? begin(reference);
      const listener = (progress: PullProgress) => onProgress(progress); // Each waiter its own, even with the same function.
      shared.listeners.add(listener);
      const left = Promise.withResolvers<never>();
      const onAbort = () => left.reject(signal.reason);
      signal.addEventListener('abort', onAbort);
      try {
        return await Promise.race([shared.image, left.promise]);
      } finally {
        signal.removeEventListener('abort', onAbort);
        shared.listeners.delete(listener);
        if (shared.listeners.size === 0) {
          running.delete(reference); // A pull that is being cancelled takes no new waiters.
          shared.cancel.abort();
        }
      }
    },
  };
}
