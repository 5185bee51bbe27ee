/** Inputs and outputs of ListAuditEntries: who has called what that changes something, and how that ended. ECS has no such operation. */
import { z } from 'zod';
import { defineOperation } from './operation.ts';
import { timestampSchema } from './shapes.ts';

export const auditOutcomes = ['ok', 'error'] as const;

/** What is written down of a call, apart from when. */
export const auditEntryMembers = {
  requestId: z.string(),
  operation: z.string(),
  transport: z.enum(['ecs', 'rest']).optional(),
  principalArn: z.string(),
  accessKeyId: z.string().optional(),
  /** As whoever took the connection saw it. */
  sourceIp: z.string().optional(),
  /** As the request's X-Forwarded-For claims, which proxies write and callers can. */
  forwardedFor: z.string().optional(),
  userAgent: z.string().optional(),
  /** The cluster that the call was about, where it was about one. */
  cluster: z.string().optional(),
  /** Names, ids or ARNs of what it was about, as it named them. */
  resources: z.array(z.string()),
  /** What else was asked for: values of members that hold no secrets. */
  parameters: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.string())])),
  /** Members that were given and whose values are not written down. */
  withheld: z.array(z.string()).optional(),
  /** The first of what its first change has made: ids of tasks, revisions, access keys. */
  made: z.array(z.string()).optional(),
  outcome: z.enum(auditOutcomes),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
};

const auditEntryViewSchema = z
  .object({ id: z.string(), time: timestampSchema, ...auditEntryMembers })
  .meta({ id: 'AuditEntry' });
export type AuditEntryView = z.infer<typeof auditEntryViewSchema>;

export const auditOperations = {
  ListAuditEntries: defineOperation({
    name: 'ListAuditEntries',
    summary:
      'Lists the calls that changed something or were to, the newest first: who, what, from where, and how it ended',
    action: 'administer',
    scope: 'store',
    input: z.object({
      /** ARN of a principal, the name at its end, or the id of an access key. */
      principal: z.string().optional(),
      operation: z.array(z.string()).optional(),
      cluster: z.string().optional(),
      outcome: z.enum(auditOutcomes).optional(),
      /** RFC 3339: only calls that came then or later. */
      since: z.iso.datetime({ offset: true }).optional(),
      /** RFC 3339: only calls that came before. */
      until: z.iso.datetime({ offset: true }).optional(),
      limit: z.number().int().optional(),
      nextToken: z.string().optional(),
    }),
    output: z.object({
      entries: z.array(auditEntryViewSchema),
      /** Absent at the end. A page may be empty and still have one: what no filter lets through was looked at. */
      nextToken: z.string().optional(),
    }),
    errors: ['UnsupportedFeatureException'],
    rest: { method: 'GET', path: '/v1/audit', status: 200 },
    wire: false,
  }),
} as const;
