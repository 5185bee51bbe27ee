/** Images as the runtime needs them: pulled with this host's credentials, and remembered, because every start needs their config. */
import type { RuntimeConfig } from '../config.ts';
import type { RegistryCredentials } from '../images/credentials.ts';
import type { LocalImage } from '../images/image-store.ts';
import { ImagePuller } from '../images/puller.ts';
import type { HeldImage, PulledImage, PullProgress } from '../runtime.ts';
import type { NamespacedContainerd } from './client.ts';

const maxRemembered = 200;

/** @param registryCredentials asked where the configuration has none for a registry */
export function openImages(
  containerd: NamespacedContainerd,
  config: Pick<RuntimeConfig, 'insecureRegistries' | 'registryMirrors' | 'registryCredentials'>,
  registryCredentials: RegistryCredentials,
): RuntimeImages {
  const { insecureRegistries, registryMirrors } = config;
  const puller = new ImagePuller({ containerd, insecureRegistries, registryMirrors });
  return new RuntimeImages(
    puller,
    async (registry) => config.registryCredentials[registry] ?? (await registryCredentials(registry)),
  );
}

export class RuntimeImages {
  readonly #puller: ImagePuller;
  readonly #credentials: RegistryCredentials;
  readonly #byDigest = new Map<string, LocalImage>();

  constructor(puller: ImagePuller, credentials: RegistryCredentials) {
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
      credentials: this.#credentials,
      onProgress(progress) {
        downloads ||= progress.phase === 'downloading';
        if (downloads) onProgress(progress);
      },
    });
    this.#remember(image);
    return { reference: image.reference, digest: image.digest };
  }

  list(): Promise<HeldImage[]> {
    return this.#puller.held();
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
