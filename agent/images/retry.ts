/**
 * When to try again what a registry did not do at once, and what a pull that waits is waiting for. A registry that says when it wants
 * to be asked again is asked then, by nobody of this host before, and not for longer than a pull has patience.
 */
import type { PullWait } from '../../core/host-protocol.ts';
import { systemClock } from '../clock.ts';
import { type BackoffLimits, backoffMs } from '../loops/backoff.ts';
import { RegistryTrouble, registryPauses } from './pull-failure.ts';
import type { ImageReference } from './reference.ts';

export interface RetryPolicy extends BackoffLimits {
  /** How often in a row something may fail without having come any further. */
  readonly failuresInRow: number;
  /** How long in all a registry is waited for that says when it is to be asked again. */
  readonly patienceMs: number;
}

/** Some 13 s of pauses for a registry that is away. */
export const defaultRetryPolicy: RetryPolicy = {
  failuresInRow: 7,
  firstMs: 500,
  longestMs: 5000,
  patienceMs: 10 * 60_000,
};

/** For a question that can be done without: there is an image to take instead. */
export const briefRetryPolicy: RetryPolicy = { failuresInRow: 2, firstMs: 200, longestMs: 500, patienceMs: 0 };

/** Who is told what is being waited for; undefined: no more. The key tells apart those who wait at once. */
export interface WaitTeller {
  waits(key: object, wait: PullWait | undefined): void;
}

/** Registries that have asked this host to wait, until when. Shared by all pulls of a host. */
export class RegistryPauses {
  readonly #pauses = new Map<string, { readonly until: number; readonly reason: string }>();

  begin(registry: string, until: number, reason: string): void {
    if (until > (this.#pauses.get(registry)?.until ?? 0)) this.#pauses.set(registry, { until, reason });
  }

  of(registry: string, now: number): { readonly until: number; readonly reason: string } | undefined {
    const pause = this.#pauses.get(registry);
    if (pause !== undefined && pause.until <= now) this.#pauses.delete(registry);
    return this.#pauses.get(registry);
  }
}

export interface RetryContext {
  readonly image: ImageReference;
  readonly retry: RetryPolicy;
  readonly pauses: RegistryPauses;
  readonly progress: WaitTeller;
  readonly signal: AbortSignal;
}

/** The tries of one piece of work. */
export class Tries {
  readonly #context: RetryContext;
  #inRow = 0;
  #pausesInRow = 0;
  #waitedMs = 0;

  constructor(context: RetryContext) {
    this.#context = context;
  }

  /** It has come further: what failed before counts no more. */
  progressed(): void {
    this.#inRow = 0;
    this.#pausesInRow = 0;
  }

  /** To be called before each try: whatever the registry has asked others of this host to wait for is waited for here too. */
  async begin(): Promise<void> {
    const { image, pauses, retry } = this.#context;
    const now = systemClock.now();
    const pause = pauses.of(image.host, now);
    if (pause === undefined) return;
    const delayMs = pause.until - now;
    if (this.#waitedMs + delayMs > retry.patienceMs) throw registryPauses(image, pause.reason, delayMs);
    await this.#wait(delayMs, { reason: pause.reason, nextTryAt: pause.until });
  }

  /** Waits until it is time for the next try; false where there is none. */
  async again(error: unknown): Promise<boolean> {
    const { signal } = this.#context;
    if (signal.aborted) return false;
    if (error instanceof RegistryTrouble && error.retryAfterMs !== undefined)
      return await this.#pause(error, error.retryAfterMs);
    return await this.#backOff(error instanceof RegistryTrouble ? error.reason : undefined);
  }

  async #pause({ reason }: RegistryTrouble, askedMs: number): Promise<boolean> {
    const { image, pauses, retry } = this.#context;
    // One that asks for no time at all is not to be asked in a busy loop.
    const delayMs = Math.max(askedMs, backoffMs(this.#pausesInRow, retry, Math.random));
    this.#pausesInRow += 1;
    if (this.#waitedMs + delayMs > retry.patienceMs) return false;
    const nextTryAt = systemClock.now() + delayMs;
    pauses.begin(image.host, nextTryAt, reason);
    await this.#wait(delayMs, { reason, nextTryAt });
    return !this.#context.signal.aborted;
  }

  /** Without a reason nobody is told: it is this host's own trouble, and short. */
  async #backOff(reason: string | undefined): Promise<boolean> {
    const { retry, signal } = this.#context;
    this.#inRow += 1;
    if (this.#inRow >= retry.failuresInRow) return false;
    const delayMs = backoffMs(this.#inRow - 1, retry, Math.random);
    if (reason === undefined) await systemClock.sleep(delayMs, signal);
    else {
      const nextTryAt = systemClock.now() + delayMs;
      await this.#wait(delayMs, { reason, nextTryAt, attempt: this.#inRow + 1, attempts: retry.failuresInRow });
    }
    return !signal.aborted;
  }

  async #wait(delayMs: number, wait: PullWait): Promise<void> {
    const { progress, signal } = this.#context;
    this.#waitedMs += wait.attempt === undefined ? delayMs : 0;
    progress.waits(this, wait);
    await systemClock.sleep(delayMs, signal);
    progress.waits(this, undefined);
  }
}

/** Runs the operation again while the registry is in trouble. Throws what it threw last. */
export async function retrying<T>(context: RetryContext, operation: () => Promise<T>): Promise<T> {
  const tries = new Tries(context);
  for (;;) {
    await tries.begin();
    try {
      return await operation();
    } catch (error) {
      if (!(error instanceof RegistryTrouble) || !(await tries.again(error))) throw error;
    }
  }
}
