/**
 * One download for one image however many tasks wait for it. A pull ends when its last waiter has gone; one that met a full disk begins
 * once more where room could be made. Decides nothing about what is pulled, and remembers nothing once a pull has ended.
 */
import { DiskFull, type PulledImage, type PullProgress, type Runtime } from '../runtime.ts';

export interface WantedImage {
  readonly reference: string;
  /** Name of what the control plane has for its registry. */
  readonly credentials?: string | undefined;
}

export interface Pulls {
  /** Rejects with the runtime's failure, or with the signal's reason as soon as it fires. */
  pull(image: WantedImage, onProgress: (progress: PullProgress) => void, signal: AbortSignal): Promise<PulledImage>;
}

interface SharedPull {
  readonly image: Promise<PulledImage>;
  readonly cancel: AbortController;
  readonly listeners: Set<(progress: PullProgress) => void>;
}

/** Makes room for an image of this size; answers whether there is more than before. */
type MakeRoom = (imageBytes: number) => Promise<boolean>;

export function createPulls(runtime: Pick<Runtime, 'pullImage'>, makeRoom: MakeRoom): Pulls {
  const running = new Map<string, SharedPull>();

  const pullImage: Runtime['pullImage'] = async (reference, onProgress, signal, credentials) => {
    try {
      return await runtime.pullImage(reference, onProgress, signal, credentials);
    } catch (error) {
      if (!(error instanceof DiskFull) || signal.aborted || !(await makeRoom(error.imageBytes))) throw error;
      return await runtime.pullImage(reference, onProgress, signal, credentials);
    }
  };

  const begin = ({ reference, credentials }: WantedImage, key: string): SharedPull => {
    const listeners = new Set<(progress: PullProgress) => void>();
    const cancel = new AbortController();
    const tellAll = (progress: PullProgress) => {
      for (const listener of listeners) listener(progress);
    };
    const shared = { image: pullImage(reference, tellAll, cancel.signal, credentials), cancel, listeners };
    running.set(key, shared);
    const end = () => {
      if (running.get(key) === shared) running.delete(key);
    };
    shared.image.then(end, end);
    return shared;
  };

  return {
    async pull(image, onProgress, signal) {
      signal.throwIfAborted();
      const key = `${image.reference} ${image.credentials ?? ''}`;
      const shared = running.get(key) ?? begin(image, key);
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
          running.delete(key); // A pull that is being cancelled takes no new waiters.
          shared.cancel.abort();
        }
      }
    },
  };
}
