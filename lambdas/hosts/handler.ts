/**
 * What hosts ask: their routes behind the HTTP API, and the beginnings and ends of their wake-up sockets as the WebSocket API tells of
 * them. Both are signed with the host's own key, which no gateway knows, so both are verified here.
 */
import { Hono } from 'hono';
import { z } from 'zod';
import type { ControlDeps } from '../../control/deps.ts';
import { authenticateHost } from '../../control/hosts/authenticate.ts';
import { connectionClosed, connectionOpened } from '../../control/hosts/connections.ts';
import { signatureOf } from '../../control/hosts/http-signature.ts';
import { createHostsApp } from '../../control/hosts/routes.ts';
import { watchExchanges } from '../../control/http/exchange.ts';
import { errorTraits, GantryError } from '../../core/errors.ts';
import { type HttpAnswer, type HttpEvent, httpHandler, requestIdOf } from '../http.ts';

const socketEventSchema = z.object({
  requestContext: z.object({
    eventType: z.enum(['CONNECT', 'DISCONNECT']),
    connectionId: z.string(),
    connectedAt: z.number(),
  }),
  /** As the client wrote their names; absent at the end. */
  headers: z.record(z.string(), z.string()).optional(),
});
type SocketEvent = z.infer<typeof socketEventSchema>;

/** `wakePath`: the path of the URL that agents dial, which is what they sign. */
export function createHostsHandler(deps: ControlDeps, { wakePath }: { readonly wakePath: string }) {
  const app = new Hono().use(watchExchanges({ deps, requestIdOf })).route('/', createHostsApp(deps));
  const answerHttp = httpHandler(app, (_, error) => faultResponse(error));
  return async (event: unknown): Promise<HttpAnswer> => {
    const socketEvent = socketEventSchema.safeParse(event);
    if (socketEvent.success) return answerSocket(deps, wakePath, socketEvent.data);
    return answerHttp(event as HttpEvent);
  };
}

async function answerSocket(deps: ControlDeps, path: string, event: SocketEvent): Promise<HttpAnswer> {
  try {
    const { eventType, connectionId } = event.requestContext;
    if (eventType === 'CONNECT') await connect(deps, path, event);
    else await connectionClosed(deps, connectionId);
    return { statusCode: 200, headers: {}, body: '' };
  } catch (error) {
    if (!(error instanceof GantryError)) throw error;
    const refusal = faultResponse(error);
    return { statusCode: refusal.status, headers: {}, body: await refusal.text() };
  }
}

/** Once it has answered, the socket is open and the agent fetches: what happened until then, it sees by that. */
async function connect(deps: ControlDeps, path: string, { requestContext, headers = {} }: SocketEvent): Promise<void> {
  const byName = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const request = { method: 'GET', path, header: (name: string) => byName.get(name), body: new Uint8Array() };
  const { hostId } = await authenticateHost(deps, signatureOf(request).keyId, request);
  const { connectionId, connectedAt } = requestContext;
  if (await connectionOpened(deps, { hostId, connectionId, connectedAt })) return;
  throw new GantryError('ConflictException', 'The host has a newer connection.');
}

const faultResponse = ({ code, message, hint }: GantryError): Response =>
  Response.json({ code, message, hint }, { status: errorTraits[code].restStatus });
