/** Inputs and outputs of the operations that show capacity and what would be bought. ECS has none of them; they change nothing. */
import { z } from 'zod';
import { purchaseSchema } from '../model/capacity.ts';
import { shownLimitsSchema, shownPolicySchema } from '../model/capacity-settings.ts';
import { defineOperation } from './operation.ts';
import { timestampSchema } from './shapes.ts';
import { registerTaskDefinitionInputSchema } from './task-definitions.ts';
import { runTaskInputSchema } from './tasks.ts';

const int = z.number().int();
const { id, market } = purchaseSchema.shape.order.shape;

const usageSchema = z.object({ totalCpuUnits: int, freeCpuUnits: int, totalMemoryMib: int, freeMemoryMib: int });

const onOrderSchema = z
  .object({
    /** Also the client token, and a tag of what is launched. */
    id,
    state: purchaseSchema.shape.state,
    orderedAt: timestampSchema,
    market,
    /** Best first, where it is not known yet which it will be. */
    offers: z.array(z.string()),
    /** How many are expected yet: ordered or launched, and not joined. */
    hosts: int,
    hourlyUsd: z.number(),
    instanceIds: z.array(z.string()),
    /** Ids of the tasks that it was bought for, at most a hundred. */
    tasks: z.array(z.string()),
    why: z.string(),
    failure: z.string().optional(),
  })
  .meta({ id: 'CapacityOnOrder' });
export type OnOrderView = z.infer<typeof onOrderSchema>;

/** Hosts of one kind that would be bought together. */
const wouldBuySchema = z
  .object({
    capacityProvider: z.string(),
    market,
    offers: z.array(z.string()),
    hosts: int,
    hourlyUsd: z.number(),
    /** How many tasks they are for. */
    tasks: int,
    why: z.string(),
  })
  .meta({ id: 'CapacityWouldBuy' });
export type WouldBuyView = z.infer<typeof wouldBuySchema>;

const leavingSchema = z.object({
  hostName: z.string().optional(),
  instanceId: z.string(),
  hourlyUsd: z.number(),
  why: z.string(),
});

const providerCapacitySchema = z
  .object({
    name: z.string(),
    status: z.enum(['ACTIVE', 'INACTIVE']),
    limits: shownLimitsSchema,
    policy: shownPolicySchema,
    hosts: int,
    usage: usageSchema,
    hourlyUsd: z.number(),
    onOrder: z.array(onOrderSchema),
    /** Absent where this part of the control plane has no fleet, and so does not know what is on offer. */
    plan: z
      .object({
        explanation: z.array(z.string()),
        wouldBuy: z.array(wouldBuySchema),
        /** What would go now. */
        leaving: z.array(leavingSchema),
        /** What would go besides if the policy said `consolidation: replace` and let no host stay empty. */
        consolidation: z.object({ hosts: z.array(leavingSchema), savesHourlyUsd: z.number() }),
      })
      .optional(),
  })
  .meta({ id: 'ProviderCapacity' });
export type ProviderCapacityView = z.infer<typeof providerCapacitySchema>;

const waitingSchema = z.object({ tasks: int, /** At most a hundred. */ taskIds: z.array(z.string()), why: z.string() });

const capacityViewSchema = z
  .object({
    providers: z.array(providerCapacitySchema),
    /** Hosts that no capacity provider of the cluster has bought. */
    otherHosts: int,
    usage: usageSchema,
    /** Of hosts that are there, and of what is on order. */
    hourlyUsd: z.number(),
    onOrderHourlyUsd: z.number(),
    /** Tasks that wait, by what they wait for, most first. */
    waiting: z.array(waitingSchema),
  })
  .meta({ id: 'Capacity' });
export type CapacityView = z.infer<typeof capacityViewSchema>;

const countedSchema = z.object({ tasks: int, why: z.string() });

export const capacityOperations = {
  GetCapacity: defineOperation({
    name: 'GetCapacity',
    summary: 'Shows what is on order, for which tasks, why not more, what it costs, and what consolidation would save',
    action: 'read',
    input: z.object({ cluster: z.string().optional() }),
    output: capacityViewSchema,
    errors: ['ClusterNotFoundException'],
    rest: { method: 'GET', path: '/v1/clusters/{cluster}/capacity', status: 200 },
    wire: false,
  }),
  PlanTasks: defineOperation({
    name: 'PlanTasks',
    summary: 'Says where tasks would go and what would be bought for them; nothing is written',
    action: 'read',
    input: runTaskInputSchema.partial({ taskDefinition: true }).extend({
      /** In place of `taskDefinition`: one that is not registered. */
      definition: registerTaskDefinitionInputSchema.optional(),
    }),
    output: z.object({
      placed: z.array(
        z.object({ containerInstanceArn: z.string(), hostName: z.string(), tasks: int, why: z.string() }),
      ),
      /** They would wait for what is on order already. */
      awaiting: z.array(countedSchema),
      wouldBuy: z.array(wouldBuySchema),
      /** They would wait until their deadline, or be refused, as things are. */
      unmet: z.array(countedSchema),
      hourlyUsd: z.number(),
      warnings: z.array(z.string()),
    }),
    errors: ['ClusterNotFoundException', 'PlatformTaskDefinitionIncompatibilityException'],
    rest: { method: 'POST', path: '/v1/clusters/{cluster}/plan', status: 200 },
    wire: false,
  }),
} as const;
