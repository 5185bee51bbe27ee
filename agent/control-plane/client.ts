/**
 * The host protocol's requests over HTTP: one function a message, signed, parsed, with a time limit. It retries nothing and keeps
 * nothing: when to call again is the loops' business.
 */
import { z } from 'zod';
import type { Ec2Notice } from '../../core/ec2-notice.ts';
import {
  type DesiredSet,
  desiredSetSchema,
  type HandoverRequest,
  type HandoverResponse,
  type HostSelf,
  handoverResponseSchema,
  heartbeatResponseSchema,
  hostPaths,
  hostSelfSchema,
  type LeaveRequest,
  type RegisterRequest,
  type RegisterResponse,
  type RegistryCredentialsAnswer,
  type RegistryCredentialsRequest,
  type ReportRequest,
  type ReportResponse,
  registerResponseSchema,
  registryCredentialsAnswerSchema,
  reportResponseSchema,
} from '../../core/host-protocol.ts';
import type { Clock } from '../clock.ts';
import type { Identity } from '../identity.ts';
import { createSigner, type SignRequest } from './signer.ts';

const requestTimeoutMs = 30_000;

const refusalSchema = z.object({
  code: z.string(),
  message: z.string(),
  field: z.string().optional(),
  hint: z.string().optional(),
});
type Refusal = z.infer<typeof refusalSchema>;

export class ControlPlaneError extends Error {
  override readonly name = 'ControlPlaneError';
  /** The HTTP status; undefined where no answer came. */
  readonly status: number | undefined;
  /** What the control plane said; undefined where the answer was not its own. */
  readonly refusal: Refusal | undefined;

  constructor(message: string, options: { status?: number; refusal?: Refusal | undefined; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.status = options.status;
    this.refusal = options.refusal;
  }

  /** The control plane does not know this host (a store that was put back, a host that was removed): it must register. */
  get unknownHost(): boolean {
    return this.status === 401 || this.status === 403 || this.status === 404;
  }
}

export interface FetchedSet {
  readonly set: DesiredSet;
  /** For the next fetch; absent where the answer had none. */
  readonly etag: string | undefined;
}

/** What the loops ask of the control plane. Every function throws ControlPlaneError. */
export interface ControlPlane {
  register(request: RegisterRequest): Promise<RegisterResponse>;
  /** undefined: nothing changed since that ETag. */
  fetchDesired(hostId: string, etag: string | undefined, signal: AbortSignal): Promise<FetchedSet | undefined>;
  report(hostId: string, report: ReportRequest, signal: AbortSignal): Promise<ReportResponse>;
  /** Answers the ETag that the desired set has now, where the control plane says it. */
  heartbeat(hostId: string, signal: AbortSignal): Promise<string | undefined>;
  /** Says to a store that this host does not know what it has. */
  handOver(hostId: string, request: HandoverRequest, signal: AbortSignal): Promise<HandoverResponse>;
  /** Resolves once the control plane empties this host. */
  notice(hostId: string, notice: Ec2Notice, signal: AbortSignal): Promise<void>;
}

/** What whoever administers the host asks besides. */
export interface HostClient extends ControlPlane, CredentialsSource {
  self(hostId: string): Promise<HostSelf>;
  /** One step of it: the answer says whether there is more to wait for. */
  leave(hostId: string, request: LeaveRequest): Promise<HostSelf>;
}

/** What the puller asks of it. Throws ControlPlaneError; 403: no task of this host needs them, 404: there are none. */
export interface CredentialsSource {
  registryCredentials(hostId: string, request: RegistryCredentialsRequest): Promise<RegistryCredentialsAnswer>;
}

export function createControlPlane(address: string, identity: Identity, clock: Clock): HostClient {
  const call = async (
    sign: SignRequest,
    method: 'GET' | 'POST',
    path: string,
    options: { body?: unknown; headers?: Record<string, string>; signal?: AbortSignal },
  ): Promise<Response> => {
    const url = urlBelow(address, path);
    const body = options.body === undefined ? '' : JSON.stringify(options.body);
    const timeout = AbortSignal.timeout(requestTimeoutMs);
    const response = await fetch(url, {
      method,
      headers: {
        ...options.headers,
        ...(body === '' ? {} : { 'content-type': 'application/json' }),
        ...sign(method, url, body),
      },
      ...(body === '' ? {} : { body }),
      signal: options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal]),
      redirect: 'error',
    }).catch((error: unknown) => {
      throw new ControlPlaneError(`${method} ${url.pathname}: ${causeOf(error)}`, { cause: error });
    });
    if (response.ok || response.status === 304) return response;
    const text = (await response.text().catch(() => '')).slice(0, 2000); // Only to be told: the status is what counts.
    throw new ControlPlaneError(`${method} ${url.pathname} answered ${response.status}: ${text}`, {
      status: response.status,
      refusal: refusalOf(text),
    });
  };
  const signed = (hostId: string): SignRequest => createSigner(identity, clock, hostId);

  return {
    async register(request) {
      const response = await call(signed(identity.publicKey), 'POST', hostPaths.register, { body: request });
      return await parsed(response, registerResponseSchema);
    },
    async fetchDesired(hostId, etag, signal) {
      const headers = etag === undefined ? {} : { 'if-none-match': etag };
      const response = await call(signed(hostId), 'GET', hostPaths.desired(hostId), { headers, signal });
      if (response.status === 304) return undefined;
      return { set: await parsed(response, desiredSetSchema), etag: response.headers.get('etag') ?? undefined };
    },
    async report(hostId, report, signal) {
      const response = await call(signed(hostId), 'POST', hostPaths.report(hostId), { body: report, signal });
      return await parsed(response, reportResponseSchema);
    },
    async heartbeat(hostId, signal) {
      const response = await call(signed(hostId), 'POST', hostPaths.heartbeat(hostId), { signal });
      if (response.status === 204) return undefined; // An older control plane.
      return (await parsed(response, heartbeatResponseSchema)).etag;
    },
    async handOver(hostId, request, signal) {
      const response = await call(signed(hostId), 'POST', hostPaths.handover(hostId), { body: request, signal });
      return await parsed(response, handoverResponseSchema);
    },
    async notice(hostId, notice, signal) {
      await call(signed(hostId), 'POST', hostPaths.notice(hostId), { body: notice, signal });
    },
    async self(hostId) {
      return await parsed(await call(signed(hostId), 'GET', hostPaths.self(hostId), {}), hostSelfSchema);
    },
    async leave(hostId, request) {
      const response = await call(signed(hostId), 'POST', hostPaths.leave(hostId), { body: request });
      return await parsed(response, hostSelfSchema);
    },
    async registryCredentials(hostId, request) {
      const response = await call(signed(hostId), 'POST', hostPaths.registryCredentials(hostId), { body: request });
      return await parsed(response, registryCredentialsAnswerSchema);
    },
  };
}

/** The path of the protocol below the control plane's address, which may have a path of its own. */
export function urlBelow(address: string, path: string): URL {
  return new URL(address.replace(/\/$/, '') + path);
}

async function parsed<S extends z.ZodType>(response: Response, schema: S): Promise<z.infer<S>> {
  const content: unknown = await response.json().catch((error: unknown) => {
    throw new ControlPlaneError(`${response.url} answered something that is not JSON`, { cause: error });
  });
  const result = schema.safeParse(content);
  if (result.success) return result.data;
  throw new ControlPlaneError(`${response.url} answered in a form unknown here: ${z.prettifyError(result.error)}`, {
    cause: result.error,
  });
}

function refusalOf(text: string): Refusal | undefined {
  try {
    return refusalSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** fetch hides what happened (ECONNREFUSED …) in the cause of a TypeError. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
