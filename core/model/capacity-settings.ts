/** How much a capacity provider may buy, and how it goes about it. Pure form; what the values lead to is core/plan/capacity. */
import { z } from 'zod';

/** As shown: everything is said. */
export const shownLimitsSchema = z.object({
  minHosts: z.number().int().nonnegative(),
  maxHosts: z.number().int().nonnegative(),
  /** Of all hosts together; absent: no limit. */
  maxCpuUnits: z.number().int().positive().optional(),
  maxHourlyUsd: z.number().positive().optional(),
});

export const capacityLimitsSchema = shownLimitsSchema.extend({
  minHosts: shownLimitsSchema.shape.minHosts.default(0),
});
export type CapacityLimits = z.infer<typeof capacityLimitsSchema>;

/** As shown: everything is said. */
export const shownPolicySchema = z.object({
  /** `spot-first` buys on demand only what spot does not give. */
  market: z.enum(['on-demand', 'spot', 'spot-first']),
  /** For how long a host stays empty before it goes. */
  idleSeconds: z.number().nonnegative(),
  /** A host that has not joined by then is ended and replaced. */
  joinSeconds: z.number().positive(),
  /** How long a drain waits for tasks that may not be replaced. */
  drainSeconds: z.number().nonnegative(),
  /** `empty` retires empty hosts only; `replace` also drains hosts whose tasks may move to others or to cheaper ones. */
  consolidation: z.enum(['off', 'empty', 'replace']),
  /** How many hosts may be draining for consolidation at once. */
  maxDraining: z.number().int().positive(),
});

const { market, idleSeconds, joinSeconds, drainSeconds, consolidation, maxDraining } = shownPolicySchema.shape;

export const capacityPolicySchema = z.object({
  market: market.default('on-demand'),
  idleSeconds: idleSeconds.default(120),
  joinSeconds: joinSeconds.default(300),
  drainSeconds: drainSeconds.default(3600),
  consolidation: consolidation.default('empty'),
  maxDraining: maxDraining.default(1),
});
export type CapacityPolicy = z.infer<typeof capacityPolicySchema>;
