/**
 * How many layers a host downloads at once, in all and from one registry. Among those that wait, the one whose pull has the fewest
 * downloads under way is next, so that an image of many layers does not keep a small one waiting. Knows nothing of what is downloaded.
 */
export interface DownloadLimits {
  readonly perHost: number;
  readonly perRegistry: number;
}

const defaultDownloadLimits: DownloadLimits = { perHost: 8, perRegistry: 6 };

interface Download {
  /** Whatever stands for the pull: those of one pull have the same. */
  readonly pull: object;
  readonly registry: string;
}

interface Waiter extends Download {
  readonly admit: () => void;
}

export class DownloadSlots {
  readonly #limits: DownloadLimits;
  readonly #running = new Set<Download>();
  #waiters: Waiter[] = [];

  constructor(limits: DownloadLimits = defaultDownloadLimits) {
    this.#limits = limits;
  }

  /**
   * Waits for room and takes it, until the answer is disposed of. `onWait` is called where there is none at once. Throws the signal's
   * reason where it fires before.
   */
  async enter(download: Download, signal: AbortSignal, onWait: (reason: string) => void): Promise<Disposable> {
    signal.throwIfAborted();
    const full = this.#full(download);
    if (full === undefined) return this.#take(download);
    onWait(full);
    const { promise, resolve, reject } = Promise.withResolvers<Disposable>();
    const waiter = { ...download, admit: () => resolve(this.#take(waiter)) };
    this.#waiters.push(waiter);
    const onAbort = (): void => {
      const before = this.#waiters.length;
      this.#waiters = this.#waiters.filter((other) => other !== waiter);
      if (this.#waiters.length < before) reject(signal.reason); // Else it was admitted already.
    };
    signal.addEventListener('abort', onAbort);
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Why there is no room, as a clause. */
  #full({ registry }: Download): string | undefined {
    const { perHost, perRegistry } = this.#limits;
    if (this.#running.size >= perHost) return `it waits for its turn: this host downloads ${perHost} layers at once`;
    const ofRegistry = [...this.#running].filter((other) => other.registry === registry).length;
    return ofRegistry >= perRegistry
      ? `it waits for its turn: this host downloads ${perRegistry} layers at once from ${registry}`
      : undefined;
  }

  #take(download: Download): Disposable {
    const running = { ...download };
    this.#running.add(running);
    return {
      [Symbol.dispose]: () => {
        if (this.#running.delete(running)) this.#admitNext();
      },
    };
  }

  #admitNext(): void {
    const runs = (pull: object): number => [...this.#running].filter((other) => other.pull === pull).length;
    const next = this.#waiters
      .filter((waiter) => this.#full(waiter) === undefined)
      .map((waiter) => ({ waiter, running: runs(waiter.pull) }))
      .reduce<{ waiter: Waiter; running: number } | undefined>(
        (best, each) => (best === undefined || each.running < best.running ? each : best),
        undefined,
      );
    if (next === undefined) return;
    this.#waiters = this.#waiters.filter((other) => other !== next.waiter);
    next.waiter.admit();
  }
}
