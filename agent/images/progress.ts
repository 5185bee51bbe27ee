/** Counts what a pull has done, and tells it: every change of phase and layer, and bytes a few times a second. */
import type { PullWait } from '../../core/host-protocol.ts';
import type { PullProgress } from '../runtime.ts';
import type { WaitTeller } from './retry.ts';

const intervalMs = 100;

export const initialProgress: PullProgress = {
  phase: 'resolving',
  layersDone: 0,
  layersTotal: 0,
  bytesDone: 0,
  bytesTotal: 0,
};

export class ProgressMeter implements WaitTeller {
  readonly #tell: (progress: PullProgress) => void;
  readonly #now: () => number;
  readonly #bytesByDigest = new Map<string, number>();
  readonly #waits = new Map<object, PullWait>();
  #progress = initialProgress;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(tell: (progress: PullProgress) => void, now: () => number) {
    this.#tell = tell;
    this.#now = now;
  }

  startDownload(layersTotal: number, bytesTotal: number): void {
    this.#change({ phase: 'downloading', layersTotal, bytesTotal });
  }

  /** A blob is this far; less than before when a broken connection cost what was on the way. */
  downloaded(digest: string, bytes: number): void {
    const bytesDone = this.#progress.bytesDone + bytes - (this.#bytesByDigest.get(digest) ?? 0);
    this.#bytesByDigest.set(digest, bytes);
    this.#progress = { ...this.#progress, bytesDone };
    const isLast = bytesDone === this.#progress.bytesTotal;
    if (isLast && this.#progress.phase === 'downloading') this.#change({ phase: 'unpacking' });
    else if (this.#now() - this.#toldAt >= intervalMs) this.#change({});
  }

  /** Several parts of a pull may wait at once: what the last of them waits for is told. */
  waits(key: object, wait: PullWait | undefined): void {
    const waited = this.#waits.delete(key);
    if (wait === undefined && !waited) return;
    if (wait !== undefined) this.#waits.set(key, wait);
    this.#change({ waitsFor: [...this.#waits.values()].at(-1) });
  }

  layerUnpacked(): void {
    this.#change({ layersDone: this.#progress.layersDone + 1 });
  }

  done(): void {
    const { layersTotal, bytesTotal } = this.#progress;
    this.#change({ phase: 'done', layersDone: layersTotal, bytesDone: bytesTotal });
  }

  #change(change: Partial<PullProgress>): void {
    this.#progress = { ...this.#progress, ...change };
    this.#toldAt = this.#now();
    this.#tell(this.#progress);
  }
}
