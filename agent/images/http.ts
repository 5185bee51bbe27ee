/**
 * HTTP as registries need it: redirects that never carry credentials to another origin, bounded waits for the answer and for every
 * piece of its body, and errors in the words that Go programs use, because clients of ECS match on them.
 */

const redirectStatuses = [301, 302, 303, 307, 308];
const maxRedirects = 5;
const maxDrainedBytes = 64 * 1024;

export interface HttpLimits {
  /** From the request to the answer's headers, connecting included. */
  readonly answerTimeoutMs: number;
  /** Between two pieces of a body. */
  readonly inactivityTimeoutMs: number;
}

export const defaultHttpLimits: HttpLimits = { answerTimeoutMs: 30_000, inactivityTimeoutMs: 60_000 };

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD';
  readonly headers: Readonly<Record<string, string>>;
  readonly limits: HttpLimits;
  readonly signal: AbortSignal;
}

/** No answer, or one that broke off. The message is a clause that names the host. */
export class NetworkError extends Error {
  override readonly name = 'NetworkError';
}

/** A chain of redirects that is not followed. The message is a clause. */
export class RedirectError extends Error {
  override readonly name = 'RedirectError';
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** The pieces of the body. Throws NetworkError where it breaks off. */
  chunks(): AsyncGenerator<Uint8Array, void, void>;
  /** The whole body, or undefined where it is longer. */
  bytes(maxBytes: number): Promise<Uint8Array | undefined>;
  /** Lets go of the answer without its body. */
  discard(): void;
}

/** Sends a request and follows redirects. When the signal fires, its reason is thrown, here and from the body. */
export async function request(url: URL, options: HttpRequest): Promise<HttpAnswer> {
  let target = url;
  let headers = options.headers;
  for (let redirects = 0; ; redirects++) {
    const answer = await requestOnce(target, { ...options, headers });
    if (!redirectStatuses.includes(answer.status)) return answer;
    answer.discard();
    if (redirects === maxRedirects) throw new RedirectError(`${url.host} redirects more than ${maxRedirects} times`);
    const next = redirectTarget(target, answer.headers.get('location'));
    if (next.origin !== target.origin) headers = withoutCredentials(headers);
    target = next;
  }
}

function redirectTarget(from: URL, location: string | null): URL {
  const target = location === null ? null : URL.parse(location, from.href);
  if (target === null) throw new RedirectError(`${from.host} redirects without saying where to`);
  const allowed = from.protocol === 'https:' ? ['https:'] : ['http:', 'https:'];
  if (!allowed.includes(target.protocol)) {
    throw new RedirectError(`${from.host} redirects from ${from.protocol}// to ${target.protocol}//`);
  }
  return target;
}

function withoutCredentials(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'authorization'));
}

async function requestOnce(url: URL, { method, headers, limits, signal }: HttpRequest): Promise<HttpAnswer> {
  signal.throwIfAborted();
  const ended = new AbortController();
  const timer = setTimeout(() => {
    ended.abort(new NetworkError(`${url.host} did not answer within ${limits.answerTimeoutMs / 1000} s (i/o timeout)`));
  }, limits.answerTimeoutMs);
  try {
    const response = await fetch(url, {
      method,
      // Blobs are named by the digest of their bytes as they are: nothing on the way may compress them.
      headers: { 'user-agent': 'gantry', 'accept-encoding': 'identity', ...headers },
      redirect: 'manual',
      signal: AbortSignal.any([signal, ended.signal]),
    });
    return new Answer(url, response, ended, limits.inactivityTimeoutMs, signal);
  } catch (error) {
    throw asThrown(error, url, signal);
  } finally {
    clearTimeout(timer);
  }
}

class Answer implements HttpAnswer {
  readonly #url: URL;
  readonly #response: Response;
  readonly #ended: AbortController;
  readonly #inactivityTimeoutMs: number;
  readonly #signal: AbortSignal;

  constructor(url: URL, response: Response, ended: AbortController, inactivityTimeoutMs: number, signal: AbortSignal) {
    this.#url = url;
    this.#response = response;
    this.#ended = ended;
    this.#inactivityTimeoutMs = inactivityTimeoutMs;
    this.#signal = signal;
  }

  get status(): number {
    return this.#response.status;
  }

  get headers(): Headers {
    return this.#response.headers;
  }

  async *chunks(): AsyncGenerator<Uint8Array, void, void> {
    const reader = this.#response.body?.getReader();
    if (reader === undefined) return;
    try {
      for (;;) {
        // Only waiting for the network counts: whoever reads may take its time.
        const timer = setTimeout(() => this.#fallSilent(), this.#inactivityTimeoutMs);
        const { done, value } = await reader.read().finally(() => clearTimeout(timer));
        if (done) return;
        yield value;
      }
    } catch (error) {
      throw asThrown(error, this.#url, this.#signal);
    } finally {
      this.#ended.abort(); // Without effect where the body was read to its end.
    }
  }

  async bytes(maxBytes: number): Promise<Uint8Array | undefined> {
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of this.chunks()) {
      length += chunk.length;
      if (length > maxBytes) return undefined;
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  discard(): void {
    if (this.#response.body === null) return;
    const length = Number(this.#response.headers.get('content-length') ?? Number.POSITIVE_INFINITY);
    // Reading a few bytes keeps the connection for the next request; what goes wrong with them is of no interest.
    if (length <= maxDrainedBytes) this.#response.arrayBuffer().catch(() => {});
    else this.#ended.abort();
  }

  #fallSilent(): void {
    const seconds = this.#inactivityTimeoutMs / 1000;
    this.#ended.abort(new NetworkError(`${this.#url.host} sent nothing for ${seconds} s (i/o timeout)`));
  }
}

/** What to throw for whatever fetch or a body threw. */
function asThrown(error: unknown, url: URL, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof NetworkError) return error;
  return new NetworkError(describe(error, url.host), { cause: error });
}

const clauses: Readonly<Record<string, (host: string) => string>> = {
  ECONNREFUSED: (host) => `${host} takes no connections (connection refused)`,
  EHOSTUNREACH: (host) => `there is no route to ${host} (no route to host)`,
  ENETUNREACH: (host) => `the network of ${host} cannot be reached (network is unreachable)`,
  ENOTFOUND: (host) => `the name ${host} does not exist (no such host)`,
  EAI_AGAIN: (host) => `the name ${host} could not be looked up (temporary failure in name resolution, i/o timeout)`,
  ETIMEDOUT: (host) => `${host} did not answer (i/o timeout)`,
  UND_ERR_CONNECT_TIMEOUT: (host) => `${host} did not answer (i/o timeout)`,
  ECONNRESET: (host) => `${host} ended the connection (unexpected EOF)`,
  EPIPE: (host) => `${host} ended the connection (unexpected EOF)`,
  UND_ERR_SOCKET: (host) => `${host} ended the connection (unexpected EOF)`,
  EPROTO: noTls,
};

function noTls(host: string): string {
  return `${host} does not speak TLS; if it is meant to be without, name it as an insecure registry`;
}

function describe(error: unknown, host: string): string {
  const chain: Error[] = [];
  for (let cause = error; cause instanceof Error && chain.length < 5; cause = cause.cause) chain.push(cause);
  for (const cause of chain) {
    const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
    const clause = clauses[code];
    if (clause !== undefined) return clause(host);
    if (code.startsWith('ERR_SSL')) return noTls(host);
    if (code.includes('CERT') || code.startsWith('UNABLE_TO_'))
      return `the certificate of ${host} is not trusted (${cause.message})`;
  }
  return `the answer of ${host} broke off (unexpected EOF: ${chain.at(-1)?.message ?? String(error)})`;
}
