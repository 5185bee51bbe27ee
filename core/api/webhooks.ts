/** Inputs and outputs of the operations on webhooks: where the events of a cluster are sent. ECS has none of them. */
import { z } from 'zod';
import { eventKinds } from '../model/event.ts';
import { defineOperation } from './operation.ts';
import { timestampSchema } from './shapes.ts';

const webhookViewSchema = z
  .object({
    webhookId: z.string(),
    clusterArn: z.string(),
    url: z.string(),
    description: z.string().optional(),
    /** Absent: all kinds. */
    kind: z.array(z.enum(eventKinds)).optional(),
    /** Id: only what happens to this task, or host. */
    task: z.string().optional(),
    host: z.string().optional(),
    maxEvents: z.number().int(),
    /** `DISABLED`: its receiver has answered 410 Gone. */
    status: z.enum(['ACTIVE', 'PAUSED', 'DISABLED']),
    statusReason: z.string().optional(),
    createdAt: timestampSchema,
    /** Events that were written down until then are delivered, or were nothing for this webhook. */
    deliveredThrough: timestampSchema,
    lastSuccessAt: timestampSchema.optional(),
    lastFailureAt: timestampSchema.optional(),
    lastFailureReason: z.string().optional(),
    /** Of what is being sent now: how often it was in vain. */
    failures: z.number().int(),
    nextAttemptAt: timestampSchema.optional(),
    /** GetWebhook only: how many events wait, counted to 100. */
    waitingEvents: z.number().int().optional(),
    /** GetWebhook only: since when the first of them waits. */
    waitingSince: timestampSchema.optional(),
  })
  .meta({ id: 'Webhook' });
export type WebhookView = z.infer<typeof webhookViewSchema>;

const named = { cluster: z.string().optional(), webhook: z.string() };
const whole = '/v1/clusters/{cluster}/webhooks';
const one = `${whole}/{webhook}`;
const notThere = ['ClusterNotFoundException', 'ResourceNotFoundException'] as const;

export const webhookOperations = {
  CreateWebhook: defineOperation({
    name: 'CreateWebhook',
    summary:
      'Has the events of the cluster sent to an address from now on; the secret that signs them is answered this once',
    action: 'administer',
    input: z.object({
      cluster: z.string().optional(),
      /** `https://…`; where the control plane sends to private addresses, `http://…` too. */
      url: z.string(),
      description: z.string().optional(),
      /** Only events of these kinds, as ListEvents has them; all where absent. */
      kind: z.array(z.enum(eventKinds)).optional(),
      /** Id or ARN of a task: only what happens to it. */
      task: z.string().optional(),
      /** Id, ARN or name of a container instance: only what happens to the host itself. */
      host: z.string().optional(),
      /** The most events that one request carries, 1 to 100 (default: 100). */
      maxEvents: z.number().int().optional(),
      /** RFC 3339: also what was written down since then and is still kept. */
      since: z.iso.datetime({ offset: true }).optional(),
    }),
    output: z.object({ webhook: webhookViewSchema, secret: z.string() }),
    errors: ['ClusterNotFoundException', 'LimitExceededException', 'UnsupportedFeatureException'],
    rest: { method: 'POST', path: whole, status: 201 },
    wire: false,
  }),
  ListWebhooks: defineOperation({
    name: 'ListWebhooks',
    summary: 'Lists the webhooks of the cluster and how their deliveries fare',
    action: 'administer',
    input: z.object({ cluster: z.string().optional() }),
    output: z.object({ webhooks: z.array(webhookViewSchema) }),
    errors: ['ClusterNotFoundException'],
    rest: { method: 'GET', path: whole, status: 200 },
    wire: false,
  }),
  GetWebhook: defineOperation({
    name: 'GetWebhook',
    summary: 'Answers a webhook, how its deliveries fare and how far behind they are',
    action: 'administer',
    input: z.object(named),
    output: z.object({ webhook: webhookViewSchema }),
    errors: [...notThere],
    rest: { method: 'GET', path: one, status: 200 },
    wire: false,
  }),
  UpdateWebhook: defineOperation({
    name: 'UpdateWebhook',
    summary: 'Changes a webhook, pauses it, or lets it go on; what waits is then tried at once',
    action: 'administer',
    input: z.object({
      ...named,
      url: z.string().optional(),
      description: z.string().optional(),
      /** An empty list: all kinds. */
      kind: z.array(z.enum(eventKinds)).optional(),
      maxEvents: z.number().int().optional(),
      /** `ACTIVE` also after 410 Gone has disabled it. */
      status: z.enum(['ACTIVE', 'PAUSED']).optional(),
      /** Drops what waits: it goes on with what happens from now on. */
      skipWaiting: z.boolean().optional(),
    }),
    output: z.object({ webhook: webhookViewSchema }),
    errors: [...notThere],
    rest: { method: 'PUT', path: one, status: 200 },
    wire: false,
  }),
  TestWebhook: defineOperation({
    name: 'TestWebhook',
    summary: 'Sends a signed test message without events to the address of a webhook and answers what became of it',
    action: 'administer',
    input: z.object(named),
    output: z.object({
      /** Whether it was accepted, by a status of 200 to 299. */
      delivered: z.boolean(),
      /** What the receiver answered, where it did. */
      status: z.number().int().optional(),
      reason: z.string(),
      durationMs: z.number(),
    }),
    errors: [...notThere],
    rest: { method: 'POST', path: `${one}/test`, status: 200 },
    wire: false,
  }),
  DeleteWebhook: defineOperation({
    name: 'DeleteWebhook',
    summary: 'Deletes a webhook; a request that is on its way is not called back',
    action: 'administer',
    input: z.object(named),
    output: z.object({}),
    errors: [...notThere],
    rest: { method: 'DELETE', path: one, status: 200 },
    wire: false,
  }),
} as const;
