/** Images as the runtime needs them: pulled with this host's credentials, and remembered, because every start needs their config. */
import type { Logger } from 'pino';
import { splitRegistry } from '../../core/model/registry-credentials.ts';
import type { RuntimeConfig } from '../config.ts';
import type { RegistryCredentials } from '../images/credentials.ts';
import type { ImageDisk } from '../images/disk.ts';
import { hostPlatform } from '../images/host-platform.ts';
import type { LocalImage } from '../images/image-store.ts';
import { ImagePuller } from '../images/puller.ts';
import { LayerSettler } from '../images/settling.ts';
import {
  type DiskUse,
  type HeldImage,
  type ImageKeeping,
  type PulledImage,
  type PullProgress,
  RuntimeFailure,
} from '../runtime.ts';
import type { NamespacedContainerd } from './client.ts';

const maxRemembered = 200;

interface Surroundings {
  /** Asked where the configuration has none for a registry. */
  readonly registryCredentials: RegistryCredentials;
  readonly log: Logger;
}

export function openImages(
  containerd: NamespacedContainerd,
  disk: ImageDisk,
  config: Pick<RuntimeConfig, 'insecureRegistries' | 'registryMirrors' | 'registryCredentials' | 'images'>,
  { registryCredentials, log }: Surroundings,
): RuntimeImages {
  const { insecureRegistries, registryMirrors, images } = config;
  const { pullBehavior: behavior, maxDownloads: perHost, maxDownloadsPerRegistry: perRegistry } = images;
  const downloads = { perHost, perRegistry };
  const settler = new LayerSettler({ containerd, platform: hostPlatform(), disk, log });
  settler.settleSoon(); // What an earlier agent has unpacked.
  const puller = new ImagePuller({
    containerd,
    insecureRegistries,
    registryMirrors,
    behavior,
    downloads,
    disk,
    settler,
  });
  return new RuntimeImages(
    { puller, disk, settler },
    async (registry, name) => config.registryCredentials[registry] ?? (await registryCredentials(registry, name)),
  );
}

interface Parts {
  readonly puller: ImagePuller;
  readonly disk: ImageDisk;
  readonly settler: LayerSettler;
}

export class RuntimeImages implements ImageKeeping, Disposable {
  readonly #puller: ImagePuller;
  readonly #disk: ImageDisk;
  readonly #settler: LayerSettler;
  readonly #credentials: RegistryCredentials;
  readonly #byDigest = new Map<string, LocalImage>();

  constructor({ puller, disk, settler }: Parts, credentials: RegistryCredentials) {
    this.#puller = puller;
    this.#disk = disk;
    this.#settler = settler;
    this.#credentials = credentials;
  }

  [Symbol.dispose](): void {
    this.#settler[Symbol.dispose]();
  }

  async pull(
    reference: string,
    onProgress: (progress: PullProgress) => void,
    signal: AbortSignal,
    credentials: string | undefined,
  ): Promise<PulledImage> {
    await this.#settler.renewed();
    let downloads = false;
    const request = {
      signal,
      onProgress(progress: PullProgress) {
        downloads ||= progress.phase === 'downloading' || progress.waitsFor !== undefined;
        if (downloads) onProgress(progress);
      },
    };
    const image = await this.#puller
      .ensure(reference, { ...request, credentials: (registry) => this.#credentials(registry, credentials) })
      .catch(async (error: unknown) => {
        if (credentials !== undefined || !isRefusal(error)) throw error;
        // They may have been given to the cluster since the task's spec was made.
        const found = await this.#credentials(registryOf(reference), registryOf(reference)).catch(() => undefined);
        if (found === undefined) throw error;
        return await this.#puller.ensure(reference, { ...request, credentials: async () => found });
      });
    this.#remember(image);
    return { reference: image.reference, digest: image.digest };
  }

  list(): Promise<HeldImage[]> {
    return this.#puller.held();
  }

  disk(): Promise<DiskUse> {
    return this.#disk.use();
  }

  touch(digests: readonly string[]): Promise<void> {
    return this.#puller.touch(digests);
  }

  dropDeadPulls(): Promise<void> {
    return this.#puller.dropDead();
  }

  async remove(digest: string): Promise<void> {
    this.#byDigest.delete(digest);
    await this.#puller.remove(digest);
  }

  /** Undefined where the image is no longer on this host. */
  async find({ reference, digest }: PulledImage): Promise<LocalImage | undefined> {
    const known = this.#byDigest.get(digest);
    if (known !== undefined) return known;
    await this.#settler.renewed();
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

const isRefusal = (error: unknown): boolean =>
  error instanceof RuntimeFailure && error.kind === 'CannotPullContainerAuthError';

const registryOf = (reference: string): string => splitRegistry(reference).registry;
