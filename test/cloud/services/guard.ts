/**
 * Stands before a service that believes every signature: knows who calls, asks IAM whether he may, and hands on what he may as it came.
 * Knows nothing of what the calls do.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { type LoopbackServer, startLoopback } from '../../ec2/loopback.ts';
import { denialMessage, type Identities } from '../iam/identities.ts';
import type { Call } from '../iam/policy.ts';

export interface Guarded {
  readonly upstream: string;
  /** All that a request needs. */
  readonly calls: (body: string) => readonly Call[];
  /** The service's own form of a refusal. */
  readonly refusal: (message: string) => { readonly status: number; readonly type: string; readonly body: string };
}

/** Of a request. */
const handedOn = ['authorization', 'content-type', 'x-amz-date', 'x-amz-target', 'x-amz-security-token'] as const;

export const startGuard = (identities: Identities, { upstream, calls, refusal }: Guarded): Promise<LoopbackServer> =>
  startLoopback(async (request, response) => {
    const body = await text(request);
    const identity = identities.ofHeader(request.headers.authorization);
    const refused = identity && calls(body).find((call) => !identities.allows(identity, call));
    const message =
      identity === undefined ? 'unknown key' : refused === undefined ? undefined : denialMessage(identity, refused);
    if (message === undefined) return handOn(upstream, request, body, response);
    const answer = refusal(message);
    response.writeHead(answer.status, { 'content-type': answer.type }).end(answer.body);
  });

async function handOn(
  upstream: string,
  request: IncomingMessage,
  body: string,
  response: ServerResponse,
): Promise<void> {
  const headers = handedOn.flatMap((name): [string, string][] => {
    const value = request.headers[name];
    return typeof value === 'string' ? [[name, value]] : [];
  });
  const answer = await fetch(upstream, { method: 'POST', headers, body });
  response
    .writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' })
    .end(await answer.text());
}
