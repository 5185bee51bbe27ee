/**
 * Why a task was not placed, as data: a histogram per dimension over the hosts looked at and the nearest hosts. Stored on a waiting
 * task, sent in `failures[].detail`, and told as one sentence.
 */
import { z } from 'zod';

/** What a filter judges. Each has ECS' own failure reason (ecs-semantics.md section 3.2). */
const dimensionSchema = z.enum([
  'status',
  'agent',
  'attribute',
  'memberOf',
  'distinctInstance',
  'cpu',
  'memory',
  'ports',
]);
export type Dimension = z.infer<typeof dimensionSchema>;

export const explanationSchema = z.object({
  /** For example: `3 hosts: memory (largest free 512 MiB, needs 1024); 1 host: draining`. */
  sentence: z.string(),
  hostsLookedAt: z.number().int(),
  /** Most frequent first; a host is counted under the first filter that refused it. */
  histogram: z.array(
    z.object({ dimension: dimensionSchema, reason: z.string(), hosts: z.number().int(), detail: z.string() }),
  ),
  /** At most ten, nearest first: every dimension in which each falls short. */
  nearest: z.array(z.object({ hostId: z.string(), name: z.string(), lacks: z.array(z.string()) })),
});
export type Explanation = z.infer<typeof explanationSchema>;
