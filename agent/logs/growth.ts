/**
 * Calls a look at files when they grow, by the kernel's word: at once after a quiet time, and then one each `lookEveryMs` while there is
 * growth, however fast it is. No timer runs while there is none, but where the kernel has no watches left.
 */
import { type FSWatcher, watch } from 'node:fs';
import type { Clock } from '../clock.ts';

/** A look is at most so much later than what it sees. */
const lookEveryMs = 100;
/** Without watches (fs.inotify.max_user_watches are used up). */
const unwatchedLookEveryMs = 10_000;

/** Answers whether anything has grown. `isLate`: nobody knows when. */
type Look = (isLate: boolean) => Promise<boolean>;

export class GrowthWatch implements Disposable {
  readonly #paths: readonly string[];
  readonly #look: Look;
  readonly #clock: Clock;
  readonly #end = new AbortController();
  #watchers: FSWatcher[] = [];
  #isWatchless = false;
  #isLooking = false;
  /** Something has grown since the look that is under way began: what it saw may be older. */
  #isTold = false;

  /** `look` never throws. */
  constructor(paths: readonly string[], look: Look, clock: Clock) {
    this.#paths = paths;
    this.#look = look;
    this.#clock = clock;
    this.#watch();
    void this.#stir();
  }

  [Symbol.dispose](): void {
    this.#end.abort();
    this.#unwatch();
  }

  async #stir(): Promise<void> {
    const { signal } = this.#end;
    this.#isTold = true;
    if (this.#isLooking) return;
    this.#isLooking = true;
    await this.#look(false);
    for (;;) {
      await this.#clock.sleep(this.#isWatchless ? unwatchedLookEveryMs : lookEveryMs, signal);
      if (signal.aborted) return;
      this.#isTold = false;
      const hasGrown = await this.#look(this.#isWatchless);
      if (hasGrown)
        this.#unwatch(); // It would tell of every write, and nobody needs to be told.
      else if (this.#watchers.length > 0 && !this.#isTold) break;
      else if (this.#watchers.length === 0) this.#watch(); // It may have grown between the look and the watch: one more round.
    }
    this.#isLooking = false;
  }

  #watch(): void {
    if (this.#end.signal.aborted) return;
    try {
      for (const path of this.#paths) {
        const watcher = watch(path, { persistent: false }, () => void this.#stir());
        this.#watchers.push(watcher);
        watcher.on('error', () => this.#unwatch());
      }
      this.#isWatchless = false;
    } catch {
      this.#unwatch(); // All or none.
      this.#isWatchless = true;
    }
  }

  #unwatch(): void {
    for (const watcher of this.#watchers) watcher.close();
    this.#watchers = [];
  }
}
