/** A cluster: the namespace of tasks and hosts. */
import { z } from 'zod';

const clusterStatusSchema = z.enum(['ACTIVE', 'INACTIVE']);

/** Cluster, family, container and volume names (ECS: 1 to 255 letters, digits, hyphens and underscores). */
export const namePattern = /^[a-zA-Z0-9_-]{1,255}$/;

export const tagSchema = z.object({ key: z.string(), value: z.string().optional() });
export type Tag = z.infer<typeof tagSchema>;

/** ECS' item of a strategy: how many tasks at least, and which share of the rest, go to a capacity provider. */
export const strategyItemSchema = z.object({
  /** Its name. */
  capacityProvider: z.string(),
  weight: z.number().int(),
  base: z.number().int(),
});
export type StrategyItem = z.infer<typeof strategyItemSchema>;

export const clusterSettingSchema = z.object({ name: z.string(), value: z.string() });
export type ClusterSetting = z.infer<typeof clusterSettingSchema>;

/** What of a cluster's configuration says what Gantry does anyway: sessions in containers are not logged by it. */
export const clusterConfigurationSchema = z.object({
  executeCommandConfiguration: z.object({ logging: z.enum(['NONE', 'DEFAULT']).optional() }).optional(),
});
export type ClusterConfiguration = z.infer<typeof clusterConfigurationSchema>;

export const clusterSchema = z.object({
  name: z.string(),
  status: clusterStatusSchema,
  /** Epoch milliseconds, as are all stored times. */
  createdAt: z.number(),
  tags: z.array(tagSchema),
  /** As they were set: what is not here has its default. */
  settings: z.array(clusterSettingSchema).default([]),
  configuration: clusterConfigurationSchema.optional(),
  /** Names of those that may buy hosts for it. */
  capacityProviders: z.array(z.string()).default([]),
  /** Of tasks that name neither a launch type nor a strategy; empty: they go where they fit. */
  defaultStrategy: z.array(strategyItemSchema).default([]),
  /** Somebody is about to delete it: no task begins to wait in it meanwhile. */
  isShut: z.boolean().optional(),
  /** Since when it is INACTIVE. */
  inactiveSince: z.number().optional(),
  version: z.number().int(),
});
export type Cluster = z.infer<typeof clusterSchema>;

export const defaultClusterName = 'default';

/** One that nothing has been set of. */
export const newCluster = (given: Pick<Cluster, 'name' | 'createdAt'> & Partial<Cluster>): Cluster => ({
  status: 'ACTIVE',
  tags: [],
  settings: [],
  capacityProviders: [],
  defaultStrategy: [],
  version: 1,
  ...given,
});
