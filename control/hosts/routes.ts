/**
 * The host protocol over HTTP: parse, authenticate, hand on. Every answer to a fault is JSON with ECS' error name in `code`. The two
 * WebSockets are not here: whoever serves HTTP upgrades them, asks `authenticateHost`, and gives them to the hub.
 */
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { z } from 'zod';
import { ec2NoticeSchema, meaningOf } from '../../core/ec2-notice.ts';
import { errorTraits, GantryError } from '../../core/errors.ts';
import {
  handoverRequestSchema,
  hostPaths,
  leaveRequestSchema,
  registerRequestSchema,
  registryCredentialsRequestSchema,
  reportRequestSchema,
} from '../../core/host-protocol.ts';
import type { HostIdentity } from '../../core/model/host.ts';
import type { ControlDeps } from '../deps.ts';
import { admitHost, verifyRegistration } from './admit.ts';
import { authenticateHost } from './authenticate.ts';
import { fetchDesiredSet, takeHeartbeat } from './desired-set.ts';
import { drainNoticed } from './drain-instance.ts';
import type { SignedRequest } from './http-signature.ts';
import { hostSelf, leaveCluster } from './leave.ts';
import { takeReport } from './report.ts';

/** A full report of some thousand tasks with their last log lines. */
const maxBodyBytes = 32 * 1024 * 1024;

/** To be mounted at `/`: its paths are whole. */
export function createHostsApp(deps: ControlDeps): Hono {
  const app = new Hono();
  app.use('/hosts/v1/*', bodyLimit({ maxSize: maxBodyBytes, onError: () => refuseBody() }));
  app.onError((error) => answerFault(deps, error));

  app.post(hostPaths.register, async (c) => {
    const request = await signedRequest(c);
    const body = parseBody(registerRequestSchema, request);
    verifyRegistration(request, body, deps.clock.now());
    return c.json(await admitHost(deps, body));
  });

  app.get(hostPaths.desired(':hostId'), async (c) => {
    const { host } = await authenticated(deps, c);
    const { etag, set } = await fetchDesiredSet(deps, host, c.req.header('if-none-match'));
    c.header('etag', etag);
    return set === undefined ? c.body(null, 304) : c.json(set);
  });

  app.post(hostPaths.report(':hostId'), async (c) => {
    const { host, request } = await authenticated(deps, c);
    return c.json(await takeReport(deps, host, parseBody(reportRequestSchema, request)));
  });

  app.post(hostPaths.handover(':hostId'), async (c) => {
    const { host, request } = await authenticated(deps, c);
    const { takeHandover } = await import('./handover.ts');
    return c.json(await takeHandover(deps, host, parseBody(handoverRequestSchema, request)));
  });

  app.post(hostPaths.heartbeat(':hostId'), async (c) => {
    const { host } = await authenticated(deps, c);
    return c.json(await takeHeartbeat(deps, host));
  });

  app.post(hostPaths.notice(':hostId'), async (c) => {
    const { host, request } = await authenticated(deps, c);
    await drainNoticed(deps, host, meaningOf(parseBody(ec2NoticeSchema, request)));
    return c.body(null, 204);
  });

  app.get(hostPaths.self(':hostId'), async (c) => {
    const { host } = await authenticated(deps, c);
    return c.json(await hostSelf(deps, host));
  });

  app.post(hostPaths.leave(':hostId'), async (c) => {
    const { host, request } = await authenticated(deps, c);
    return c.json(await leaveCluster(deps, host, parseBody(leaveRequestSchema, request)));
  });

  app.post(hostPaths.registryCredentials(':hostId'), async (c) => {
    const { host, request } = await authenticated(deps, c);
    const asked = parseBody(registryCredentialsRequestSchema, request);
    const { answerRegistryCredentials } = await import('./registry-credentials.ts'); // Seldom asked for.
    return c.json(await answerRegistryCredentials(deps, host, asked));
  });
  return app;
}

async function signedRequest(c: Context): Promise<SignedRequest> {
  return {
    method: c.req.method,
    path: new URL(c.req.url).pathname,
    header: (name) => c.req.header(name),
    body: new Uint8Array(await c.req.arrayBuffer()),
  };
}

async function authenticated(
  deps: ControlDeps,
  c: Context,
): Promise<{ readonly host: HostIdentity; readonly request: SignedRequest }> {
  const request = await signedRequest(c);
  return { host: await authenticateHost(deps, c.req.param('hostId') ?? '', request), request };
}

function parseBody<T>(schema: z.ZodType<T>, { body }: SignedRequest): T {
  let content: unknown;
  try {
    content = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (cause) {
    throw new GantryError('SerializationException', 'The body is not JSON.', { cause });
  }
  const parsed = schema.safeParse(content);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new GantryError('InvalidParameterException', z.prettifyError(parsed.error), {
    field: issue?.path.join('.') ?? '',
  });
}

const refuseBody = (): never => {
  throw new GantryError('RequestEntityTooLargeException', `The body is larger than ${maxBodyBytes} bytes.`);
};

function answerFault({ log }: ControlDeps, error: Error): Response {
  const known = error instanceof GantryError;
  if (!known) log.error({ err: error }, 'a request of a host failed');
  const code = known ? error.code : 'ServerException';
  const message = known ? error.message : 'The control plane failed; its log says why.';
  const details = known ? { field: error.field, hint: error.hint } : {};
  return Response.json({ code, message, ...details }, { status: errorTraits[code].restStatus });
}
