/** What a host answers to a question, which images it has or what its containers use: frame by frame, until it says that it is through. */
import { GantryError } from '../../core/errors.ts';

export class HostAnswer<T> {
  readonly whole: Promise<readonly T[]>;
  readonly #items: T[] = [];
  readonly #settle: PromiseWithResolvers<readonly T[]>;

  /** The signal fires where nobody waits for it any longer: an older agent, for one, never answers. */
  constructor(signal: AbortSignal) {
    this.#settle = Promise.withResolvers();
    this.whole = this.#settle.promise;
    const giveUp = (): void => this.end('It did not say in time: its agent may be older than the question.');
    if (signal.aborted) giveUp();
    else signal.addEventListener('abort', giveUp, { once: true });
  }

  push(items: readonly T[]): void {
    this.#items.push(...items);
  }

  end(error?: string): void {
    if (error === undefined) this.#settle.resolve(this.#items);
    else this.#settle.reject(new GantryError('ServiceUnavailableException', error));
  }
}
