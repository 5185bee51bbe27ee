/** Sends one signed message to one receiver and says what became of it. Follows nothing and reads no more of the answer than its head. */
import { type IncomingMessage, Agent as PlainAgent, request as plainRequest } from 'node:http';
import { Agent, request } from 'node:https';
import type { ControlDeps } from '../deps.ts';
import { checkedLookup, type WebhookAddresses, webhookUrl } from './addresses.ts';
import { signedHeaders } from './signature.ts';

export interface Message {
  readonly id: string;
  readonly body: string;
}

/** What a receiver has said, or why it could not. */
export interface Posted {
  readonly delivered: boolean;
  readonly status?: number;
  /** A sentence without a full stop. */
  readonly reason: string;
  readonly retryAfterSeconds?: number;
  readonly durationMs: number;
}

export interface Receiver extends Disposable {
  /** Never throws for what a receiver does. */
  post(message: Message): Promise<Posted>;
}

/** For one request, the answer's head included. */
export const postTimeoutMs = 10_000;
/** An answer that is longer is cut off: nobody reads it. */
const mostAnswerBytes = 64 * 1024;

export interface ReceiverOptions {
  readonly url: string;
  readonly secret: string;
  readonly addresses: WebhookAddresses;
}

type Deps = Pick<ControlDeps, 'clock' | 'ending'>;

/** Connections are kept between its messages, and closed when it is disposed. */
export function openReceiver({ clock, ending }: Deps, { url: text, secret, addresses }: ReceiverOptions): Receiver {
  const agentOptions = { keepAlive: true, lookup: checkedLookup(addresses) };
  const [agent, plainAgent] = [new Agent(agentOptions), new PlainAgent(agentOptions)];
  return {
    async post({ id, body }) {
      const at = clock.now();
      const headers = {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        'user-agent': 'Gantry-Webhooks',
        ...signedHeaders(secret, { id, at, body }),
      };
      const signal = AbortSignal.any([AbortSignal.timeout(postTimeoutMs), ...(ending === undefined ? [] : [ending])]);
      try {
        // Again at each attempt: what is allowed may have changed since it was made.
        const url = webhookUrl(text, addresses);
        const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
        const options = { method: 'POST', headers, signal };
        const sent =
          url.protocol === 'https:'
            ? request(url, { ...options, agent }, resolve)
            : plainRequest(url, { ...options, agent: plainAgent }, resolve);
        sent.on('error', reject).end(body);
        const answer = await promise;
        drain(answer);
        return answered(answer, clock.now() - at);
      } catch (error) {
        const reason = ending?.aborted === true ? 'the control plane ended meanwhile' : whyNot(error);
        return { delivered: false, reason, durationMs: clock.now() - at };
      }
    },
    [Symbol.dispose]() {
      agent.destroy();
      plainAgent.destroy();
    },
  };
}

function drain(answer: IncomingMessage): void {
  let bytes = 0;
  answer.on('error', () => {});
  answer.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > mostAnswerBytes) answer.destroy();
  });
}

function answered({ statusCode: status = 0, headers }: IncomingMessage, durationMs: number): Posted {
  if (status >= 200 && status < 300) return { delivered: true, status, reason: `it answered ${status}`, durationMs };
  const isRedirect = status >= 300 && status < 400;
  const reason = `it answered ${status}${isRedirect ? ', and redirects are not followed' : ''}`;
  const wish = headers['retry-after'];
  return {
    delivered: false,
    status,
    reason,
    durationMs,
    ...(wish !== undefined && /^\d{1,6}$/.test(wish) && { retryAfterSeconds: Number(wish) }),
  };
}

function whyNot(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError' || (error.cause instanceof Error && error.cause.name === 'TimeoutError'))
    return `it did not answer within ${postTimeoutMs / 1000} s`;
  // Of several addresses that were tried, the first's reason.
  const [first = error] = error instanceof AggregateError ? error.errors : [error];
  const message = first instanceof Error ? first.message : String(first);
  return (message || error.name).replace(/\.$/, '');
}
