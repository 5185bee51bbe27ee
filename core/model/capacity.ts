/**
 * Capacity that is bought: what a capacity provider may buy (offers, limits, policy), and a purchase, which is written down before
 * anything is bought and says until the end what became of it. docs/adr/0005.
 */
import { z } from 'zod';
import { namePattern, tagSchema } from './cluster.ts';

/** A kind of host that can be bought: an EC2 instance type, or a slice of this machine. */
export const offerSchema = z.object({
  /** For example `m7g.large`. */
  name: z.string().min(1),
  /** What tasks may take of such a host: 1024 units are one vCPU. What the host keeps for itself is taken off. */
  cpuUnits: z.number().int().positive(),
  memoryMib: z.number().int().positive(),
  architecture: z.enum(['x86_64', 'arm64']),
  zones: z.array(z.string()).min(1),
  /** US dollars an hour; 0 where nothing is paid. */
  hourlyUsd: z.number().nonnegative(),
  /** Absent where it cannot be bought as spot. */
  spotHourlyUsd: z.number().nonnegative().optional(),
  /** Attributes that its hosts will have, for placement constraints. */
  attributes: z.record(z.string(), z.string()).default({}),
});
export type Offer = z.infer<typeof offerSchema>;

export const capacityLimitsSchema = z.object({
  minHosts: z.number().int().nonnegative().default(0),
  maxHosts: z.number().int().nonnegative(),
  /** Of all hosts together; absent: no limit. */
  maxCpuUnits: z.number().int().positive().optional(),
  maxHourlyUsd: z.number().positive().optional(),
});
export type CapacityLimits = z.infer<typeof capacityLimitsSchema>;

export const capacityPolicySchema = z.object({
  /** `spot-first` buys on demand only what spot does not give. */
  market: z.enum(['on-demand', 'spot', 'spot-first']).default('on-demand'),
  /** For how long a host stays empty before it goes. */
  idleSeconds: z.number().nonnegative().default(120),
  /** A host that has not joined by then is ended and replaced. */
  joinSeconds: z.number().positive().default(300),
  /** How long a drain waits for tasks that may not be replaced. */
  drainSeconds: z.number().nonnegative().default(3600),
  /** `empty` retires empty hosts only; `replace` also drains hosts whose tasks may move to others or to cheaper ones. */
  consolidation: z.enum(['off', 'empty', 'replace']).default('empty'),
  /** How many hosts may be draining for consolidation at once. */
  maxDraining: z.number().int().positive().default(1),
});
export type CapacityPolicy = z.infer<typeof capacityPolicySchema>;

export const capacityProviderSchema = z.object({
  name: z.string().regex(namePattern),
  status: z.enum(['ACTIVE', 'INACTIVE']),
  /** The one cluster that it may be used in; any where absent. */
  cluster: z.string().optional(),
  /** What ECS' clients set and read again, as it was given: its meaning is in the members below. */
  wire: z.record(z.string(), z.json()).default({}),
  /** Names of offers that it may buy; all that its fleet has where absent. */
  offerNames: z.array(z.string()).optional(),
  limits: capacityLimitsSchema,
  policy: capacityPolicySchema,
  tags: z.array(tagSchema),
  createdAt: z.number(),
  version: z.number().int(),
});
export type CapacityProvider = z.infer<typeof capacityProviderSchema>;

/** What a fleet is asked for: never changed once it is written down, so that asking again is asking for the same. */
export const orderSchema = z.object({
  /** Also the client token, and a tag of what is launched. */
  id: z.string(),
  cluster: z.string(),
  provider: z.string(),
  /** Best first; the fleet takes the first that there is. */
  offers: z.array(z.object({ name: z.string(), zones: z.array(z.string()).min(1) })).min(1),
  market: z.enum(['on-demand', 'spot']),
  count: z.number().int().positive(),
});
export type Order = z.infer<typeof orderSchema>;

export const purchasedInstanceSchema = z.object({
  /** Also the name of the host that it becomes. */
  instanceId: z.string(),
  offer: z.string(),
  zone: z.string(),
  hourlyUsd: z.number(),
  launchedAt: z.number(),
  joinedAt: z.number().optional(),
  /** Termination was asked for. */
  endingAt: z.number().optional(),
  endReason: z.string().optional(),
});
export type PurchasedInstance = z.infer<typeof purchasedInstanceSchema>;

export const purchaseSchema = z.object({
  order: orderSchema,
  /** OPEN: the fleet may or may not have been asked. LAUNCHED: its answer is known. CLOSED: nothing of it is left. */
  state: z.enum(['OPEN', 'LAUNCHED', 'CLOSED']),
  orderedAt: z.number(),
  /** The tasks that it was bought for, at most a hundred of them. */
  covers: z.array(z.string()),
  why: z.string(),
  instances: z.array(purchasedInstanceSchema),
  /** What went wrong, where something did. */
  failure: z.string().optional(),
  closedAt: z.number().optional(),
  version: z.number().int(),
});
export type Purchase = z.infer<typeof purchaseSchema>;
