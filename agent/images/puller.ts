/**
 * The images of one host: pulls them, one pull for all who want the same at once, and falls back on what is here when the registry
 * is away.
 */
import { createHash } from 'node:crypto';
import type { NamespacedContainerd } from '../containerd/client.ts';
import { type HeldImage, type PullProgress, RuntimeFailure } from '../runtime.ts';
import { CredentialsError, type RegistryCredentials } from './credentials.ts';
import type { HttpLimits } from './http.ts';
import { findImage, findImageByDigest, heldImages, type LocalImage } from './image-store.ts';
import { KeyedLock } from './keyed-lock.ts';
import { hostPlatform, type Platform } from './manifest.ts';
import { initialProgress, ProgressMeter } from './progress.ts';
import { pullImage } from './pull.ts';
import { credentialsUnavailable } from './pull-failure.ts';
import { type ImageReference, parseReference } from './reference.ts';
import { type Authorization, type Credentials, RegistryClient } from './registry.ts';
import { defaultRetryPolicy, type RetryPolicy } from './retry.ts';

export interface ImagePullerOptions {
  /** The host's containerd namespace. */
  readonly containerd: NamespacedContainerd;
  readonly platform?: Platform;
  /** Registries (host with port) that are spoken to without TLS, besides those on loopback. */
  readonly insecureRegistries?: readonly string[];
  /** Where registries are really reached, by their names in references. */
  readonly registryMirrors?: Readonly<Record<string, string>>;
  readonly httpLimits?: HttpLimits;
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

const maxRememberedAuthorizations = 200;

export class ImagePuller {
  readonly #options: ImagePullerOptions;
  readonly #platform: Platform;
  readonly #locks = new KeyedLock();
  readonly #pulls = new Map<string, SharedPull>();
  readonly #authorizations = new Map<string, Authorization>();

  constructor(options: ImagePullerOptions) {
    this.#options = options;
    this.#platform = options.platform ?? hostPlatform();
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

  /** As ECS' pull behaviour `default`: pulls, and takes the image that is here when the registry cannot be reached. */
  async ensure(reference: string, request: PullRequest): Promise<LocalImage> {
    try {
      return await this.pull(reference, request);
    } catch (error) {
      if (request.signal.aborted || !(error instanceof RuntimeFailure && error.retryable)) throw error;
      const cached = await findImage(this.#options.containerd, parseReference(reference), this.#platform);
      if (cached === undefined) throw error;
      return cached;
    }
  }

  /** An image that was pulled before, by what the task definition calls it and the digest that the pull answered. */
  find(reference: string, digest: string): Promise<LocalImage | undefined> {
    return findImageByDigest(this.#options.containerd, parseReference(reference), digest, this.#platform);
  }

  #start(key: string, image: ImageReference, credentials: Credentials | undefined): SharedPull {
    const { containerd, insecureRegistries, registryMirrors, httpLimits, retry = defaultRetryPolicy } = this.#options;
    const abandon = new AbortController();
    const waiters = new Set<PullRequest>();
    const tell = (progress: PullProgress): void => {
      shared.progress = progress;
      for (const { onProgress } of waiters) onProgress?.(progress);
    };
    const result = pullImage({
      containerd,
      image,
      registry: new RegistryClient(image, {
        credentials,
        insecureRegistries,
        mirror: registryMirrors?.[image.host],
        limits: httpLimits,
        authorization: this.#authorizationFor(image, credentials),
      }),
      platform: this.#platform,
      locks: this.#locks,
      retry,
      progress: new ProgressMeter(tell, Date.now),
      signal: abandon.signal,
    }).finally(() => this.#forget(key, shared));
    const shared: SharedPull = { result, abandon, waiters, progress: initialProgress };
    this.#pulls.set(key, shared);
    return shared;
  }

  #authorizationFor({ host, repository }: ImageReference, credentials: Credentials | undefined): Authorization {
    const key = rightsKey(`${host}/${repository}`, credentials);
    const known = this.#authorizations.get(key);
    if (known !== undefined) return known;
    if (this.#authorizations.size >= maxRememberedAuthorizations) this.#authorizations.clear();
    const authorization: Authorization = { header: undefined };
    this.#authorizations.set(key, authorization);
    return authorization;
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

/** Pulls and tokens are shared by name and credentials: nobody gets an image through somebody else's rights. */
function rightsKey(name: string, credentials: Credentials | undefined): string {
  if (credentials === undefined) return name;
  const { username, password } = credentials;
  return `${name} ${createHash('sha256')
    .update(JSON.stringify([username, password]))
    .digest('hex')}`;
}

function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
