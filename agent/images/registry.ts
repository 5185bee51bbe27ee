/**
 * A registry as the OCI distribution specification describes it, for one image: manifests, checked against their digests, and
 * blobs from any offset. Fails only with RuntimeFailure, in the words of pull-failure.ts.
 */
import { createHash } from 'node:crypto';
import { type Challenge, parseChallenges } from './challenge.ts';
import {
  defaultHttpLimits,
  type HttpAnswer,
  type HttpLimits,
  type HttpRequest,
  NetworkError,
  RedirectError,
  request,
} from './http.ts';
import { type Descriptor, indexMediaTypes, manifestMediaTypes } from './manifest.ts';
import * as failure from './pull-failure.ts';
import type { ImageReference } from './reference.ts';

const maxManifestBytes = 4 * 1024 * 1024;
const maxTextBytes = 64 * 1024;

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

export interface RegistryOptions {
  readonly credentials?: Credentials | undefined;
  /** Hosts (with port) that are spoken to without TLS, besides those on loopback. */
  readonly insecureRegistries?: readonly string[] | undefined;
  /** Where it is really reached, for example `https://cache.example.com`; it may have a path before `/v2/`. */
  readonly mirror?: string | undefined;
  readonly limits?: HttpLimits | undefined;
  /** For one repository and these credentials; a new one where absent. */
  readonly authorization?: Authorization | undefined;
}

/** What a repository wants to see, kept from one pull to the next: asking for a token costs two more requests. */
export interface Authorization {
  /** The Authorization header that the registry took last. */
  header: string | undefined;
}

export interface FetchedManifest {
  readonly mediaType: string;
  readonly digest: string;
  readonly bytes: Uint8Array;
}

/** What a pull asks of a registry. Every method fails only with RuntimeFailure, or with the signal's reason. */
export interface ImageRegistry {
  /** The digest of what a tag names at this moment; undefined where the registry does not say it without sending the manifest. */
  digestOf(tag: string, signal: AbortSignal): Promise<string | undefined>;
  /** A manifest or an index, by tag or digest. */
  manifest(tagOrDigest: string, signal: AbortSignal): Promise<FetchedManifest>;
  /** A blob that is small enough to be held in memory, checked against its digest. */
  smallBlob(descriptor: Descriptor, signal: AbortSignal): Promise<Uint8Array>;
  /** The bytes of a blob from an offset on to its end. */
  blob(descriptor: Descriptor, offset: number, signal: AbortSignal): AsyncGenerator<Uint8Array, void, void>;
}

export class RegistryClient implements ImageRegistry {
  readonly #image: ImageReference;
  readonly #credentials: Credentials | undefined;
  readonly #limits: HttpLimits;
  readonly #base: URL;
  readonly #authorization: Authorization;

  constructor(image: ImageReference, options: RegistryOptions = {}) {
    const { credentials, insecureRegistries = [], limits = defaultHttpLimits } = options;
    this.#image = image;
    this.#credentials = credentials;
    this.#limits = limits;
    this.#authorization = options.authorization ?? { header: undefined };
    this.#base = options.mirror === undefined ? registryUrl(image.host, insecureRegistries) : mirrorUrl(options.mirror);
  }

  async digestOf(tag: string, signal: AbortSignal): Promise<string | undefined> {
    const answer = await this.#send('HEAD', `manifests/${tag}`, manifestHeaders, signal);
    answer.discard();
    return answer.headers.get('docker-content-digest') ?? undefined;
  }

  async manifest(tagOrDigest: string, signal: AbortSignal): Promise<FetchedManifest> {
    const answer = await this.#send('GET', `manifests/${tagOrDigest}`, manifestHeaders, signal);
    const bytes = await this.#reading(() => answer.bytes(maxManifestBytes));
    if (bytes === undefined) throw failure.badManifest(this.#image, `it is larger than ${maxManifestBytes} bytes`);
    const digest = sha256(bytes);
    const promised = tagOrDigest.startsWith('sha256:') ? tagOrDigest : answer.headers.get('docker-content-digest');
    if (promised !== null && promised !== digest) {
      throw failure.badManifest(this.#image, `the registry promised ${promised} and sent ${digest}`);
    }
    return { mediaType: this.#mediaType(answer, bytes), digest, bytes };
  }

  async smallBlob({ digest, size }: Descriptor, signal: AbortSignal): Promise<Uint8Array> {
    if (size > maxManifestBytes)
      throw failure.badManifest(this.#image, `${digest} is larger than ${maxManifestBytes} bytes`);
    const answer = await this.#send('GET', `blobs/${digest}`, {}, signal);
    const bytes = await this.#reading(() => answer.bytes(size));
    const got = bytes === undefined ? `more than ${size} bytes` : sha256(bytes);
    if (bytes === undefined || got !== digest) throw failure.corruptBlob(this.#image, digest, `it sent ${got}`);
    return bytes;
  }

  async *blob(
    { digest, size }: Descriptor,
    offset: number,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, void> {
    const range: Record<string, string> = offset === 0 ? {} : { range: `bytes=${offset}-` };
    const answer = await this.#send('GET', `blobs/${digest}`, range, signal);
    // A registry may ignore the range and send the whole.
    let position = answer.status === 206 ? offset : 0;
    try {
      for await (const chunk of answer.chunks()) {
        const skipped = Math.min(Math.max(offset - position, 0), chunk.length);
        position += chunk.length;
        if (position > size) throw failure.corruptBlob(this.#image, digest, `more than ${size} bytes`);
        if (skipped < chunk.length) yield chunk.subarray(skipped);
      }
    } catch (error) {
      throw this.#asFailure(error);
    }
    if (position < size) {
      throw failure.unreachable(
        this.#image,
        `the blob ${digest} ended after ${position} of ${size} bytes (unexpected EOF)`,
      );
    }
  }

  #mediaType(answer: HttpAnswer, bytes: Uint8Array): string {
    const known = [...indexMediaTypes, ...manifestMediaTypes];
    const declared = declaredMediaType(bytes);
    const sent = answer.headers.get('content-type')?.split(';')[0]?.trim();
    // The document's own word is covered by its digest, the header is not.
    const mediaType = declared ?? sent ?? 'none';
    if (known.includes(mediaType)) return mediaType;
    throw failure.badManifest(this.#image, `it is of the type ${mediaType}`);
  }

  async #send(
    method: 'GET' | 'HEAD',
    path: string,
    headers: Record<string, string>,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    const url = new URL(`${this.#image.repository}/${path}`, this.#base);
    const attempt = (): Promise<HttpAnswer> =>
      this.#request(url, { method, headers: this.#withAuthorization(headers), signal });
    let answer = await attempt();
    if (answer.status === 401) {
      answer.discard();
      this.#authorization.header = await this.#authorize(answer, signal);
      answer = await attempt();
    }
    if (answer.status === 200 || answer.status === 206) return answer;
    throw await this.#refusal(answer, path.startsWith('manifests/'));
  }

  #request(url: URL, options: Omit<HttpRequest, 'limits'>): Promise<HttpAnswer> {
    return this.#reading(() => request(url, { ...options, limits: this.#limits }));
  }

  #withAuthorization(headers: Record<string, string>): Record<string, string> {
    const { header } = this.#authorization;
    return header === undefined ? headers : { ...headers, authorization: header };
  }

  /** The Authorization header that answers the challenge of a 401. */
  async #authorize(answer: HttpAnswer, signal: AbortSignal): Promise<string> {
    const header = answer.headers.get('www-authenticate') ?? '';
    const challenges = parseChallenges(header);
    const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
    if (bearer !== undefined) return this.#bearer(bearer, signal);
    if (!challenges.some(({ scheme }) => scheme === 'basic')) throw failure.unknownChallenge(this.#image, header);
    if (this.#credentials === undefined) throw failure.credentialsMissing(this.#image, '');
    return basic(this.#credentials);
  }

  async #bearer({ parameters }: Challenge, signal: AbortSignal): Promise<string> {
    const url = this.#tokenUrl(parameters);
    const headers: Record<string, string> =
      this.#credentials === undefined ? {} : { authorization: basic(this.#credentials) };
    const answer = await this.#request(url, { method: 'GET', headers, signal });
    if (answer.status !== 200) throw await this.#refusal(answer, false);
    const bytes = await this.#reading(() => answer.bytes(maxTextBytes));
    const token = bytes === undefined ? undefined : tokenIn(bytes);
    if (token === undefined) throw failure.unknownChallenge(this.#image, `${url.host} sent no token`);
    return `Bearer ${token}`;
  }

  #tokenUrl({ realm = '', service, scope }: Readonly<Record<string, string>>): URL {
    const url = URL.parse(realm);
    const plain = url?.protocol === 'http:' && this.#base.protocol === 'http:';
    // A registry behind TLS must not have our password sent in clear.
    if (url === null || !(url.protocol === 'https:' || plain))
      throw failure.unknownChallenge(this.#image, `Bearer realm="${realm}"`);
    if (service !== undefined) url.searchParams.set('service', service);
    url.searchParams.set('scope', scope ?? `repository:${this.#image.repository}:pull`);
    return url;
  }

  async #refusal(answer: HttpAnswer, isManifest: boolean): Promise<Error> {
    const said = await whatItSaid(answer);
    if (answer.status === 401 || answer.status === 403) {
      const refusal = this.#credentials === undefined ? failure.credentialsMissing : failure.credentialsRefused;
      return refusal(this.#image, said);
    }
    if (answer.status === 404 && isManifest) return failure.manifestNotFound(this.#image, said);
    const { status, headers } = answer;
    return failure.badAnswer(this.#image, { status, retryAfterMs: retryAfterMs(headers.get('retry-after')) }, said);
  }

  async #reading<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      throw this.#asFailure(error);
    }
  }

  #asFailure(error: unknown): unknown {
    if (error instanceof NetworkError) return failure.unreachable(this.#image, error.message, error);
    if (error instanceof RedirectError) return failure.badRedirect(this.#image, error.message);
    return error; // A failure already, or the caller's own abort.
  }
}

const manifestHeaders = { accept: [...indexMediaTypes, ...manifestMediaTypes].join(', ') };

/** Where a registry's API is. Loopback is spoken to without TLS, as Docker does. */
function registryUrl(host: string, insecureRegistries: readonly string[]): URL {
  const isPlain = isLoopback(host) || insecureRegistries.includes(host);
  const apiHost = host === 'docker.io' ? 'registry-1.docker.io' : host;
  return new URL(`${isPlain ? 'http' : 'https'}://${apiHost}/v2/`);
}

const mirrorUrl = (mirror: string): URL => new URL(`${mirror.replace(/\/$/, '')}/v2/`);

function isLoopback(host: string): boolean {
  const name = host.replace(/:\d+$/, '');
  return name === 'localhost' || name === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(name);
}

/** RFC 9110, section 10.2.3: seconds, or a date. Undefined where it is neither. */
function retryAfterMs(header: string | null): number | undefined {
  if (header === null) return undefined;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now());
}

function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function basic({ username, password }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function tokenIn(bytes: Uint8Array): string | undefined {
  const { token, access_token: accessToken } = parsedObject(bytes);
  const found = token ?? accessToken;
  // Anything else than printable characters cannot stand in a header.
  return typeof found === 'string' && /^[\x21-\x7e]+$/.test(found) ? found : undefined;
}

function declaredMediaType(bytes: Uint8Array): string | undefined {
  const { mediaType } = parsedObject(bytes);
  return typeof mediaType === 'string' ? mediaType : undefined;
}

/** The registry's own error text, best effort: the failure is told with or without it. */
async function whatItSaid(answer: HttpAnswer): Promise<string> {
  try {
    const bytes = (await answer.bytes(maxTextBytes)) ?? new Uint8Array();
    const { errors } = parsedObject(bytes);
    const [first]: unknown[] = Array.isArray(errors) ? errors : [];
    const { code, message } = asObject(first);
    return [code, message].filter((part) => typeof part === 'string').join(': ');
  } catch {
    return '';
  }
}

function parsedObject(bytes: Uint8Array): Record<string, unknown> {
  try {
    return asObject(JSON.parse(Buffer.from(bytes).toString('utf8')));
  } catch {
    return {}; // Not JSON: it says nothing that we could use.
  }
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
