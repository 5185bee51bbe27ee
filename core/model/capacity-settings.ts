/** How much a capacity provider may buy, and how it goes about it. Pure form; what the values lead to is core/plan/capacity. */
import { z } from 'zod';

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
