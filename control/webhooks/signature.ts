/** Signs what webhooks carry, after Standard Webhooks (https://www.standardwebhooks.com). */
import { createHash, createHmac } from 'node:crypto';

const prefix = 'whsec_';

/** 256 bits. */
export const newWebhookSecret = (newId: () => string): string =>
  prefix + createHash('sha256').update(`${newId()}${newId()}`).digest('base64');

/** The headers that go with this body. `at`: epoch milliseconds of this attempt. `id` is the same for each of one message. */
export function signedHeaders(secret: string, { id, at, body }: { id: string; at: number; body: string }) {
  const timestamp = Math.floor(at / 1000).toString();
  const key = Buffer.from(secret.slice(prefix.length), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}
