/** A cluster: the namespace of tasks and hosts. */
import { z } from 'zod';

const clusterStatusSchema = z.enum(['ACTIVE', 'INACTIVE']);

/** Cluster, family, container and volume names (ECS: 1 to 255 letters, digits, hyphens and underscores). */
export const namePattern = /^[a-zA-Z0-9_-]{1,255}$/;

export const tagSchema = z.object({ key: z.string(), value: z.string().optional() });
export type Tag = z.infer<typeof tagSchema>;

export const clusterSchema = z.object({
  name: z.string(),
  status: clusterStatusSchema,
  /** Epoch milliseconds, as are all stored times. */
  createdAt: z.number(),
  tags: z.array(tagSchema),
  /** Since when it is INACTIVE. */
  inactiveSince: z.number().optional(),
  version: z.number().int(),
});
export type Cluster = z.infer<typeof clusterSchema>;

export const defaultClusterName = 'default';
