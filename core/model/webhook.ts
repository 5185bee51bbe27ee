/** Webhooks: where the events of a cluster are sent, which of them, and how far that has got. docs/adr/0009. */
import { z } from 'zod';
import { eventKinds } from './event.ts';

/** What its owner has said. Written by the operations alone. */
export const webhookSchema = z.object({
  id: z.string(),
  cluster: z.string(),
  url: z.string(),
  description: z.string().optional(),
  /** All where absent. */
  kinds: z.array(z.enum(eventKinds)).optional(),
  /** Only what happens to this task or host. */
  subject: z.object({ type: z.enum(['task', 'host']), id: z.string() }).optional(),
  /** Of one request. */
  maxEvents: z.number().int(),
  isPaused: z.boolean(),
  createdAt: z.number(),
  /** One of the two: as it is, or sealed. */
  secret: z.string().optional(),
  sealedSecret: z.string().optional(),
});
export type Webhook = z.infer<typeof webhookSchema>;

/** How far it has got. Written by whoever sends, and on the condition of its version. */
export const webhookDeliverySchema = z.object({
  id: z.string(),
  cluster: z.string(),
  version: z.number().int(),
  /** All up to this id are delivered, or were nothing for this webhook. */
  cursor: z.string(),
  /** Until when whoever has written this is sending (epoch milliseconds, as all times here); 0 where nobody is. */
  leaseUntil: z.number(),
  /** What is being sent, or was in vain: the events behind the cursor up to this id. */
  sending: z.object({ through: z.string(), failures: z.number().int(), since: z.number() }).optional(),
  nextAttemptAt: z.number().optional(),
  lastSuccessAt: z.number().optional(),
  lastFailure: z.object({ at: z.number(), reason: z.string() }).optional(),
  /** Its receiver wants no more. */
  disabled: z.object({ at: z.number(), reason: z.string() }).optional(),
});
export type WebhookDelivery = z.infer<typeof webhookDeliverySchema>;

export const mostWebhooks = 20;
export const mostEventsARequest = 100;

const firstPauseMs = 5000;
const longestPauseMs = 15 * 60_000;
/** A receiver that asks for more has more than a moment's trouble, and can be paused. */
const longestWishMs = 60 * 60_000;

/** After so many failures in a row. `random` in [0, 1): receivers that failed together do not come back together. */
export function pauseMs(failures: number, random: number, wishSeconds: number | undefined): number {
  const pause = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(failures - 1, 20));
  const wish = Math.min(longestWishMs, (wishSeconds ?? 0) * 1000);
  return Math.max(wish, Math.round(pause * (1 - random / 5)));
}
