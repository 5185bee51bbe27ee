/** Inputs and outputs of ListEvents: what has happened in a cluster, as EventBridge would tell it. ECS has no such operation. */
import { z } from 'zod';
import { eventKinds } from '../model/event.ts';
import { defineOperation } from './operation.ts';
import { timestampSchema } from './shapes.ts';

export const eventViewSchema = z
  .object({
    /** In the order in which events were written down; pass it as `after` to go on from there. */
    id: z.string(),
    kind: z.enum(eventKinds),
    /** As on EventBridge; the rest as well. */
    detailType: z.string(),
    source: z.string(),
    account: z.string(),
    region: z.string(),
    time: timestampSchema,
    resources: z.array(z.string()),
    detail: z.record(z.string(), z.unknown()),
    /** What happened, as a sentence. */
    headline: z.string(),
  })
  .meta({ id: 'Event' });
export type EventView = z.infer<typeof eventViewSchema>;

/** What a page of them has and a stream has not. */
export const ofEventPages: readonly string[] = ['order', 'timeout', 'limit', 'nextToken'];

export const eventOperations = {
  ListEvents: defineOperation({
    name: 'ListEvents',
    summary:
      'Lists what has happened to tasks, hosts and capacity, and what was refused, for as long as stopped tasks are kept',
    action: 'read',
    input: z.object({
      cluster: z.string().optional(),
      /** Id or ARN of a task: only what happened to it. */
      task: z.string().optional(),
      /** Id or ARN of a container instance: only what happened to the host itself. */
      host: z.string().optional(),
      /** All kinds where absent. */
      kind: z.array(z.enum(eventKinds)).optional(),
      /** RFC 3339: only what was written down then or later. */
      since: z.iso.datetime({ offset: true }).optional(),
      /** The id of an event, which need not be kept any more: only those behind it, oldest first. */
      after: z.string().optional(),
      /** Which come first (default: `newest`; with `after`: `oldest`). */
      order: z.enum(['newest', 'oldest']).optional(),
      /** Seconds, at most 25: where there is none yet, how long to wait for one. Only with `order=oldest`. */
      timeout: z.number().nonnegative().optional(),
      limit: z.number().int().optional(),
      nextToken: z.string().optional(),
    }),
    output: z.object({
      events: z.array(eventViewSchema),
      /** Absent at the end. A page may be empty and still have one: what no filter lets through was looked at. */
      nextToken: z.string().optional(),
      /** With `order=oldest`, where nothing is left: what to pass as `after` for what comes next. */
      resumeAfter: z.string().optional(),
    }),
    errors: ['ClusterNotFoundException', 'UnsupportedFeatureException'],
    rest: { method: 'GET', path: '/v1/events', status: 200 },
    wire: false,
  }),
} as const;
