/**
 * What a capacity provider is made with, as callers write it: ECS' two kinds, and `gantry`, which is ours and wins where it says
 * something. Stored as it came; what follows from it is capacity-provider-rules.ts.
 */
import { z } from 'zod';
import { shownLimitsSchema, shownPolicySchema } from './capacity-settings.ts';

const int = z.number().int();
const text = z.string().optional();
const range = z.object({ min: z.number().nonnegative().optional(), max: z.number().nonnegative().optional() });

const autoScalingGroupSchema = z.object({
  autoScalingGroupArn: text,
  managedScaling: z
    .object({
      status: text,
      targetCapacity: int.optional(),
      minimumScalingStepSize: int.optional(),
      maximumScalingStepSize: int.optional(),
      instanceWarmupPeriod: int.optional(),
    })
    .optional(),
  managedTerminationProtection: text,
  managedDraining: text,
});

const instanceRequirementsSchema = z.object({
  vCpuCount: range.optional(),
  memoryMiB: range.optional(),
  memoryGiBPerVCpu: range.optional(),
  /** May have `*` at any place. */
  allowedInstanceTypes: z.array(z.string()).optional(),
  excludedInstanceTypes: z.array(z.string()).optional(),
});
export type InstanceRequirements = z.infer<typeof instanceRequirementsSchema>;

const launchTemplateSchema = z.object({
  ec2InstanceProfileArn: text,
  networkConfiguration: z
    .object({ subnets: z.array(z.string()).optional(), securityGroups: z.array(z.string()).optional() })
    .optional(),
  monitoring: text,
  instanceMetadataTagsPropagation: z.boolean().optional(),
  capacityOptionType: text,
  instanceRequirements: instanceRequirementsSchema.optional(),
});

const managedInstancesSchema = z.object({
  infrastructureRoleArn: text,
  instanceLaunchTemplate: launchTemplateSchema.optional(),
  propagateTags: text,
  infrastructureOptimization: z.object({ scaleInAfter: int.optional() }).optional(),
  autoRepairConfiguration: z.object({ actionsStatus: text }).optional(),
});

const ownSchema = z.object({
  /** May have `*` at any place, as in `m7g.*`. */
  offerNames: z.array(z.string()).optional(),
  limits: shownLimitsSchema.partial().optional(),
  policy: shownPolicySchema.partial().optional(),
});

export const providerConfigurationSchema = z.object({
  autoScalingGroupProvider: autoScalingGroupSchema.optional(),
  managedInstancesProvider: managedInstancesSchema.optional(),
  gantry: ownSchema.optional(),
});
export type ProviderConfiguration = z.infer<typeof providerConfigurationSchema>;
