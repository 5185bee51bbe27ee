/** For receivers of webhooks: whether it is the control plane that asks (Standard Webhooks), and what it says. docs/events.md. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { eventViewSchema } from '../core/api/events.ts';
import { readableDates } from './dates.ts';

const messageSchema = z.object({
  type: z.string(),
  timestamp: z.date(),
  data: z.object({ webhookId: z.string(), clusterArn: z.string(), events: z.array(eventViewSchema) }),
});
export type WebhookMessage = z.output<typeof messageSchema>;

export interface WebhookRequest {
  /** As CreateWebhook answered it: `whsec_…`. */
  readonly secret: string;
  /** As Node or a Headers object has them. */
  readonly headers: Headers | Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The text as it came: parsed and written again it is another. */
  readonly body: string;
}

const toleranceSeconds = 300;

/** Throws an Error that says why where the request is not from the control plane. */
export function verifyWebhook({ secret, headers, body }: WebhookRequest): WebhookMessage {
  const header = (name: string): string => {
    const found = headers instanceof Headers ? headers.get(name) : headers[name];
    if (typeof found === 'string') return found;
    throw new Error(`The request has no header ${name}, so it is not from Gantry.`);
  };
  const [id, timestamp] = [header('webhook-id'), header('webhook-timestamp')];
  if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) <= toleranceSeconds))
    throw new Error('The request is too old or from the future: somebody may have kept it.');
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const wanted = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest();
  const isSigned = header('webhook-signature')
    .split(' ')
    .filter((signature) => signature.startsWith('v1,'))
    .map((signature) => Buffer.from(signature.slice(3), 'base64'))
    .some((given) => given.length === wanted.length && timingSafeEqual(given, wanted));
  if (!isSigned) throw new Error('The signature is not of this secret and body.');
  return readableDates(messageSchema).parse(JSON.parse(body));
}
