/**
 * The images of one host: pulls them, one pull for all who want the same at once, and takes what is here where the host's pull
 * behaviour says so.
 */
import { availableParallelism } from 'node:os';
import type { NamespacedContainerd } from '../containerd/client.ts';
import { createLimiter } from '../loops/limiter.ts';
import { type HeldImage, type PullProgress, RuntimeFailure } from '../runtime.ts';
import { CredentialsError, type RegistryCredentials } from './credentials.ts';
import type { ImageDisk } from './disk.ts';
import { type DownloadLimits, DownloadSlots } from './download-slots.ts';
import { hostPlatform } from './host-platform.ts';
import {
  findImage,
  findImageByDigest,
  heldImages,
  type LocalImage,
  recordedImages,
  removeImage,
} from './image-store.ts';
import { ImageUses } from './image-uses.ts';
import { KeyedLock } from './keyed-lock.ts';
import { dropDeadLeases, pullLease } from './lease.ts';
import type { Platform } from './manifest.ts';
import { initialProgress, ProgressMeter } from './progress.ts';
import { pullImage } from './pull.ts';
import { credentialsUnavailable, givenUp, RegistryTrouble } from './pull-failure.ts';
import { type ImageReference, parseReference } from './reference.ts';
import { Registries, type RegistriesOptions } from './registries.ts';
import type { Credentials } from './registry.ts';
import { defaultRetryPolicy, RegistryPauses, type RetryPolicy } from './retry.ts';
import { rightsKey } from './rights-key.ts';
import type { LayerSettler } from './settling.ts';

/**
 * ECS' ECS_IMAGE_PULL_BEHAVIOR. `default`: as the registry has it now, or as it is here while the registry is in trouble. `always`: as the
 * registry has it now, or not at all. `once`: as it is here where it was pulled for a task before. `prefer-cached`: as it is here, however
 * it came.
 */
export type PullBehavior = 'default' | 'always' | 'once' | 'prefer-cached';

export interface ImagePullerOptions extends RegistriesOptions {
  /** The host's containerd namespace. */
  readonly containerd: NamespacedContainerd;
  readonly platform?: Platform;
  readonly behavior?: PullBehavior;
  /** Absent: nobody looks whether there is room. */
  readonly disk?: ImageDisk;
  /** Absent: nobody flushes what was unpacked. */
  readonly settler?: LayerSettler;
  readonly downloads?: DownloadLimits;
  readonly retry?: RetryPolicy;
}

export interface PullRequest {
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: PullProgress) => void;
  readonly credentials?: RegistryCredentials;
}

/** A pull that several callers may be waiting for. */
interface SharedPull {
  readonly result: Promise<LocalImage>;
  readonly abandon: AbortController;
  readonly waiters: Set<PullRequest>;
  progress: PullProgress;
}

export class ImagePuller {
  readonly #options: ImagePullerOptions;
  readonly #platform: Platform;
  readonly #behavior: PullBehavior;
  readonly #registries: Registries;
  readonly #uses: ImageUses;
  readonly #slots: DownloadSlots;
  readonly #unpackRoom = createLimiter(availableParallelism());
  readonly #locks = new KeyedLock();
  readonly #pauses = new RegistryPauses();
  readonly #pulls = new Map<string, SharedPull>();

  constructor(options: ImagePullerOptions) {
    this.#options = options;
    this.#platform = options.platform ?? hostPlatform();
    this.#behavior = options.behavior ?? 'default';
    this.#registries = new Registries(options);
    this.#uses = new ImageUses(options.containerd);
    this.#slots = new DownloadSlots(options.downloads);
  }

  /** Tasks use these now, by digest. */
  async touch(digests: readonly string[]): Promise<void> {
    if (digests.length === 0) return;
    const images = await recordedImages(this.#options.containerd, this.#platform);
    await this.#uses.touch(images.filter(({ digest }) => digests.includes(digest)));
  }

  /** Lets go of what pulls of earlier agents have left. */
  dropDead(): Promise<void> {
    return dropDeadLeases(this.#options.containerd, pullLease);
  }

  /** Takes the image away where it is ours to take. */
  async remove(digest: string): Promise<void> {
    this.#uses.forget(digest);
    await removeImage(this.#options.containerd, this.#platform, digest);
  }

  /** Every image that is here, whole. */
  held(): Promise<HeldImage[]> {
    return heldImages(this.#options.containerd, this.#platform);
  }

  /**
   * Makes sure that the image is here as its registry has it now. Throws RuntimeFailure, or the signal's reason; then nothing of an
   * unfinished pull is left, unless others still wait for it.
   */
  async pull(reference: string, request: PullRequest): Promise<LocalImage> {
    request.signal.throwIfAborted();
    const image = parseReference(reference);
    const credentials = await credentialsFor(image, request);
    request.signal.throwIfAborted();
    const key = rightsKey(image.name, credentials);
    const shared = this.#pulls.get(key) ?? this.#start(key, image, credentials);
    shared.waiters.add(request);
    request.onProgress?.(shared.progress);
    try {
      return { ...(await untilAborted(shared.result, request.signal)), reference };
    } finally {
      shared.waiters.delete(request);
      if (shared.waiters.size === 0) await this.#abandon(key, shared);
    }
  }

  /** The image for a task, by the host's pull behaviour. Throws as `pull` does; what was tried for long is not retryable. */
  async ensure(reference: string, request: PullRequest): Promise<LocalImage> {
    const name = parseReference(reference);
    const image = (await this.#cachedFirst(name)) ?? (await this.#pullOrCached(name, request));
    await this.#uses.note(name, image, request.signal);
    return image;
  }

  async #cachedFirst(image: ImageReference): Promise<LocalImage | undefined> {
    if (this.#behavior !== 'once' && this.#behavior !== 'prefer-cached') return undefined;
    const cached = await this.#cached(image);
    return this.#behavior === 'prefer-cached' || cached?.isOurs === true ? cached : undefined;
  }

  async #pullOrCached(image: ImageReference, request: PullRequest): Promise<LocalImage> {
    try {
      return await this.pull(image.original, request);
    } catch (error) {
      if (request.signal.aborted || !(error instanceof RuntimeFailure && error.retryable)) throw error;
      const cached = this.#behavior === 'default' ? await this.#cached(image) : undefined;
      if (cached !== undefined) return cached;
      throw error instanceof RegistryTrouble ? givenUp(error) : error;
    }
  }

  #cached(image: ImageReference): Promise<LocalImage | undefined> {
    return findImage(this.#options.containerd, image, this.#platform);
  }

  /** An image that was pulled before, by what the task definition calls it and the digest that the pull answered. */
  find(reference: string, digest: string): Promise<LocalImage | undefined> {
    return findImageByDigest(this.#options.containerd, parseReference(reference), digest, this.#platform);
  }

  #start(key: string, image: ImageReference, credentials: Credentials | undefined): SharedPull {
    const { containerd, retry = defaultRetryPolicy } = this.#options;
    const abandon = new AbortController();
    const waiters = new Set<PullRequest>();
    const tell = (progress: PullProgress): void => {
      shared.progress = progress;
      for (const { onProgress } of waiters) onProgress?.(progress);
    };
    const result = pullImage({
      containerd,
      unpackRoom: this.#unpackRoom,
      image,
      registry: this.#registries.of(image, credentials),
      platform: this.#platform,
      locks: this.#locks,
      slots: this.#slots,
      disk: this.#options.disk,
      settler: this.#options.settler,
      pauses: this.#pauses,
      retry,
      mayUseCached: this.#behavior === 'default',
      progress: new ProgressMeter(tell, Date.now),
      signal: abandon.signal,
    }).finally(() => this.#forget(key, shared));
    const shared: SharedPull = { result, abandon, waiters, progress: initialProgress };
    this.#pulls.set(key, shared);
    return shared;
  }

  /** Nobody waits any more: ends the pull if it still runs, and returns when it has cleaned up. */
  async #abandon(key: string, shared: SharedPull): Promise<void> {
    this.#forget(key, shared); // Who comes now begins anew rather than join a pull that is ending.
    shared.abandon.abort(new Error('nobody waits for the pull any more'));
    await shared.result.catch(() => {}); // Whoever waited has been told already.
  }

  #forget(key: string, shared: SharedPull): void {
    if (this.#pulls.get(key) === shared) this.#pulls.delete(key);
  }
}

async function credentialsFor(image: ImageReference, request: PullRequest): Promise<Credentials | undefined> {
  try {
    return await request.credentials?.(image.host);
  } catch (error) {
    throw error instanceof CredentialsError ? credentialsUnavailable(image, error) : error;
  }
}

function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
