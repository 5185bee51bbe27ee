/**
 * A registry that has mirrors: each is asked in its order, the registry itself last, and what one cannot answer the next one may. A
 * mirror that cannot be reached is left out for a while. What is told in the end is what the registry itself said; where it cannot be
 * reached, as in a closed network, that a mirror refused the credentials.
 */
import { systemClock } from '../clock.ts';
import { RuntimeFailure } from '../runtime.ts';
import type { Descriptor } from './manifest.ts';
import { RegistryTrouble } from './pull-failure.ts';
import type { FetchedManifest, ImageRegistry } from './registry.ts';

const leftOutMs = 60_000;

/** Mirrors that are left out, until when. Shared by all pulls of a host. */
export class MirrorHealth {
  readonly #leftOut = new Map<string, number>();

  isLeftOut(mirror: string): boolean {
    return (this.#leftOut.get(mirror) ?? 0) > systemClock.now();
  }

  failed(mirror: string): void {
    this.#leftOut.set(mirror, systemClock.now() + leftOutMs);
  }
}

export interface Mirror {
  readonly url: string;
  readonly registry: ImageRegistry;
}

export class MirroredRegistry implements ImageRegistry {
  readonly #mirrors: readonly Mirror[];
  readonly #origin: ImageRegistry;
  readonly #health: MirrorHealth;

  constructor(mirrors: readonly Mirror[], origin: ImageRegistry, health: MirrorHealth) {
    this.#mirrors = mirrors;
    this.#origin = origin;
    this.#health = health;
  }

  digestOf(tag: string, signal: AbortSignal): Promise<string | undefined> {
    return this.#first(signal, (registry) => registry.digestOf(tag, signal));
  }

  manifest(tagOrDigest: string, signal: AbortSignal): Promise<FetchedManifest> {
    return this.#first(signal, (registry) => registry.manifest(tagOrDigest, signal));
  }

  smallBlob(descriptor: Descriptor, signal: AbortSignal): Promise<Uint8Array> {
    return this.#first(signal, (registry) => registry.smallBlob(descriptor, signal));
  }

  /** One that breaks off in the middle is for the caller to take up again. */
  async *blob(descriptor: Descriptor, offset: number, signal: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
    const { url, first, rest } = await this.#first(signal, async (registry, asked) => {
      const chunks = registry.blob(descriptor, offset, signal);
      return { url: asked, first: await chunks.next(), rest: chunks };
    });
    try {
      if (first.done !== true) yield first.value;
      yield* rest;
    } catch (error) {
      if (url !== undefined && error instanceof RegistryTrouble) this.#health.failed(url);
      throw error;
    } finally {
      await rest.return(); // Also where nobody wanted the rest.
    }
  }

  async #first<T>(
    signal: AbortSignal,
    ask: (registry: ImageRegistry, mirror: string | undefined) => Promise<T>,
  ): Promise<T> {
    let refusal: unknown;
    for (const { url, registry } of this.#mirrors) {
      if (this.#health.isLeftOut(url)) continue;
      try {
        return await ask(registry, url);
      } catch (error) {
        if (signal.aborted) throw error;
        if (error instanceof RegistryTrouble) this.#health.failed(url);
        else if (error instanceof RuntimeFailure && error.kind === 'CannotPullContainerAuthError') refusal = error;
      }
    }
    try {
      return await ask(this.#origin, undefined);
    } catch (error) {
      throw error instanceof RegistryTrouble && refusal !== undefined ? refusal : error;
    }
  }
}
