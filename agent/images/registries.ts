/** How this host reaches registries: by which mirrors, with or without TLS, and what each of them wanted to see last. */
import type { HttpLimits } from './http.ts';
import { MirroredRegistry, MirrorHealth } from './mirrors.ts';
import type { ImageReference } from './reference.ts';
import { type Authorization, type Credentials, type ImageRegistry, RegistryClient } from './registry.ts';
import { rightsKey } from './rights-key.ts';

export interface RegistriesOptions {
  /** Registries (host with port) that are spoken to without TLS, besides those on loopback. */
  readonly insecureRegistries?: readonly string[] | undefined;
  /** Where registries are asked first, in this order, by their names in references. */
  readonly registryMirrors?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly httpLimits?: HttpLimits | undefined;
}

const maxRememberedAuthorizations = 200;

export class Registries {
  readonly #options: RegistriesOptions;
  readonly #health = new MirrorHealth();
  readonly #authorizations = new Map<string, Authorization>();

  constructor(options: RegistriesOptions) {
    this.#options = options;
  }

  /** The registry of the image, with its mirrors, as somebody with these credentials sees it. */
  of(image: ImageReference, credentials: Credentials | undefined): ImageRegistry {
    const origin = this.#client(image, credentials, undefined);
    const urls = this.#options.registryMirrors?.[image.host] ?? [];
    if (urls.length === 0) return origin;
    const mirrors = urls.map((url) => ({ url, registry: this.#client(image, credentials, url) }));
    return new MirroredRegistry(mirrors, origin, this.#health);
  }

  #client(image: ImageReference, credentials: Credentials | undefined, mirror: string | undefined): RegistryClient {
    const { insecureRegistries, httpLimits } = this.#options;
    const where = mirror ?? image.host;
    const authorization = this.#authorizationFor(rightsKey(`${where} ${image.repository}`, credentials));
    return new RegistryClient(image, { credentials, insecureRegistries, mirror, limits: httpLimits, authorization });
  }

  #authorizationFor(key: string): Authorization {
    const known = this.#authorizations.get(key);
    if (known !== undefined) return known;
    if (this.#authorizations.size >= maxRememberedAuthorizations) this.#authorizations.clear();
    const authorization: Authorization = { header: undefined };
    this.#authorizations.set(key, authorization);
    return authorization;
  }
}
