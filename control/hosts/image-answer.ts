/** What a host answers to the question which images it has: frame by frame, until it says that it is through. */
import { GantryError } from '../../core/errors.ts';
import type { HostImage } from '../../core/model/host-image.ts';

export class ImageAnswer {
  readonly whole: Promise<readonly HostImage[]>;
  readonly #images: HostImage[] = [];
  readonly #settle: PromiseWithResolvers<readonly HostImage[]>;

  /** The signal fires where nobody waits for it any longer: an older agent, for one, never answers. */
  constructor(signal: AbortSignal) {
    this.#settle = Promise.withResolvers();
    this.whole = this.#settle.promise;
    const giveUp = (): void => this.end('It did not say in time: its agent may be older than the question.');
    if (signal.aborted) giveUp();
    else signal.addEventListener('abort', giveUp, { once: true });
  }

  push(images: readonly HostImage[]): void {
    this.#images.push(...images);
  }

  end(error?: string): void {
    if (error === undefined) this.#settle.resolve(this.#images);
    else this.#settle.reject(new GantryError('ServiceUnavailableException', error));
  }
}
