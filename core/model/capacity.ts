/**
 * Capacity that is bought: what a capacity provider may buy (offers, limits, policy), and a purchase, which is written down before
 * anything is bought and says until the end what became of it. docs/adr/0005.
 */
import { z } from 'zod';
import { providerConfigurationSchema } from './capacity-provider-configuration.ts';
import {
  type CapacityLimits,
  type CapacityPolicy,
  capacityLimitsSchema,
  capacityPolicySchema,
} from './capacity-settings.ts';
import { namePattern, tagSchema } from './cluster.ts';

export { type CapacityLimits, type CapacityPolicy, capacityPolicySchema };

/** The attribute of hosts that says which capacity provider bought them: by the admission of an EC2 instance, or as its agent is told. */
export const providerAttribute = 'gantry.capacity-provider';

/** A kind of host that can be bought: an EC2 instance type, or a slice of this machine. */
export const offerSchema = z.object({
  /** For example `m7g.large`. */
  name: z.string().min(1),
  /** What tasks may take of such a host: 1024 units are one vCPU. What the host keeps for itself is taken off. */
  cpuUnits: z.number().int().positive(),
  memoryMib: z.number().int().positive(),
  /** What the machine has before that, where somebody knows: what ranges of sizes are compared with. */
  nominal: z.object({ vcpus: z.number().positive(), memoryMib: z.number().positive() }).optional(),
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

const rangeSchema = z.object({ min: z.number().optional(), max: z.number().optional() });

/** All that is said must hold; nothing said: anything. */
export const offerWishSchema = z.object({
  /** Names; `*` stands for any text. */
  names: z.array(z.string()).optional(),
  exceptNames: z.array(z.string()).optional(),
  vcpus: rangeSchema.optional(),
  memoryMib: rangeSchema.optional(),
  memoryGibPerVcpu: rangeSchema.optional(),
});
export type OfferWish = z.infer<typeof offerWishSchema>;

export const capacityProviderSchema = z.object({
  name: z.string().regex(namePattern),
  status: z.enum(['ACTIVE', 'INACTIVE']),
  /** The one cluster that it may be used in; any where absent. */
  cluster: z.string().optional(),
  /** As it was given, for those who read it again: its meaning is in the members below (capacity-provider-rules.ts). */
  configuration: providerConfigurationSchema.default({}),
  /** What it may buy of what its fleet has (core/plan/capacity/allowed-offers.ts). */
  offers: offerWishSchema.default({}),
  limits: capacityLimitsSchema,
  policy: capacityPolicySchema,
  tags: z.array(tagSchema),
  /** Names of the clusters that have it among theirs. */
  usedBy: z.array(z.string()).default([]),
  createdAt: z.number(),
  /** When what it was made with was last changed, if ever. */
  updatedAt: z.number().optional(),
  version: z.number().int(),
});
export type CapacityProvider = z.infer<typeof capacityProviderSchema>;

/** What a fleet is asked for: never changed once it is written down, so that asking again is asking for the same. */
const orderSchema = z.object({
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

const purchasedInstanceSchema = z.object({
  /** Also the name of the host that it becomes. */
  instanceId: z.string(),
  offer: z.string(),
  zone: z.string(),
  hourlyUsd: z.number(),
  launchedAt: z.number(),
  joinedAt: z.number().optional(),
  /** Its host was seen without a task, after so many releases: as long as that number stands, it has had none since. */
  idle: z.object({ since: z.number(), releases: z.number().int() }).optional(),
  /** It is to be ended: written down before the fleet is asked. */
  endingAt: z.number().optional(),
  endReason: z.string().optional(),
  /** The fleet has taken it. */
  endedAt: z.number().optional(),
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
