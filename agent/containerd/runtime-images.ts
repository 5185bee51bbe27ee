/** Images as the runtime needs them: pulled with this host's credentials, and remembered, because every start needs their config. */
import type { LocalImage } from '../images/image-store.ts';
import type { ImagePuller } from '../images/puller.ts';
import type { Credentials } from '../images/registry.ts';
import type { PulledImage, PullProgress } from '../runtime.ts';

const maxRemembered = 200;

export class RuntimeImages {
  readonly #puller: ImagePuller;
  readonly #credentials: Readonly<Record<string, Credentials>>;
  readonly #byDigest = new Map<string, LocalImage>();

  /** @param credentials by registry, `host[:port]` */
  constructor(puller: ImagePuller, credentials: Readonly<Record<string, Credentials>>) {
    this.#puller = puller;
    this.#credentials = credentials;
  }

  async pull(
    reference: string,
    onProgress: (progress: PullProgress) => void,
    signal: AbortSignal,
  ): Promise<PulledImage> {
    let downloads = false;
    const image = await this.#puller.ensure(reference, {
      signal,
      credentials: async (host) => this.#credentials[host],
      onProgress(progress) {
        downloads ||= progress.phase === 'downloading';
        if (downloads) onProgress(progress);
      },
    });
    this.#remember(image);
    return { reference: image.reference, digest: image.digest };
  }

  /** Undefined where the image is no longer on this host. */
  async find({ reference, digest }: PulledImage): Promise<LocalImage | undefined> {
    const known = this.#byDigest.get(digest);
    if (known !== undefined) return known;
    const found = await this.#puller.find(reference, digest);
    if (found !== undefined) this.#remember(found);
    return found;
  }

  /** For when the host turns out not to have it any more. */
  forget({ digest }: PulledImage): void {
    this.#byDigest.delete(digest);
  }

  #remember(image: LocalImage): void {
    const [oldest] = this.#byDigest.keys();
    if (this.#byDigest.size >= maxRemembered && oldest !== undefined) this.#byDigest.delete(oldest);
    this.#byDigest.set(image.digest, image);
  }
}
