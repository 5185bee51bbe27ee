/**
 * Inputs and outputs of the operations on capacity providers. Every member that ECS has is here; the table of fields
 * (core/model/capacity-provider-fields.ts) says what becomes of each.
 */
import { z } from 'zod';
import { offerWishSchema } from '../model/capacity.ts';
import { providerConfigurationSchema } from '../model/capacity-provider-configuration.ts';
import { shownLimitsSchema, shownPolicySchema } from '../model/capacity-settings.ts';
import { tagSchema } from '../model/cluster.ts';
import { defineOperation } from './operation.ts';
import { failureSchema } from './shapes.ts';

/** A member of ECS' that Gantry does not honour: kept as it came, so that the table of fields can refuse it by its path. */
const otherMember = z.unknown().optional();

const { autoScalingGroupProvider, managedInstancesProvider, gantry } = providerConfigurationSchema.shape;
const managedInstances = managedInstancesProvider.unwrap();
const launchTemplate = managedInstances.shape.instanceLaunchTemplate.unwrap();

const requirementsInputSchema = launchTemplate.shape.instanceRequirements.unwrap().extend({
  cpuManufacturers: otherMember,
  instanceGenerations: otherMember,
  spotMaxPricePercentageOverLowestPrice: otherMember,
  onDemandMaxPricePercentageOverLowestPrice: otherMember,
  maxSpotPriceAsPercentageOfOptimalOnDemandPrice: otherMember,
  bareMetal: otherMember,
  burstablePerformance: otherMember,
  requireHibernateSupport: otherMember,
  networkInterfaceCount: otherMember,
  localStorage: otherMember,
  localStorageTypes: otherMember,
  totalLocalStorageGB: otherMember,
  baselineEbsBandwidthMbps: otherMember,
  acceleratorTypes: otherMember,
  acceleratorCount: otherMember,
  acceleratorManufacturers: otherMember,
  acceleratorNames: otherMember,
  acceleratorTotalMemoryMiB: otherMember,
  networkBandwidthGbps: otherMember,
});

const configurationInput = {
  autoScalingGroupProvider,
  managedInstancesProvider: managedInstances
    .extend({
      instanceLaunchTemplate: launchTemplate
        .extend({
          instanceRequirements: requirementsInputSchema.optional(),
          storageConfiguration: otherMember,
          localStorageConfiguration: otherMember,
          fipsEnabled: otherMember,
          capacityReservations: otherMember,
        })
        .optional(),
    })
    .optional(),
  /** Ours: it wins over what ECS' members say. */
  gantry,
};

const capacityProviderViewSchema = z
  .object({
    capacityProviderArn: z.string(),
    name: z.string(),
    cluster: z.string().optional(),
    status: z.enum(['ACTIVE', 'INACTIVE']),
    updateStatus: z.enum(['CREATE_COMPLETE', 'UPDATE_COMPLETE', 'DELETE_COMPLETE']),
    /** ECS' two kinds; absent of one that was made with `gantry` alone. */
    type: z.enum(['EC2_AUTOSCALING', 'MANAGED_INSTANCES']).optional(),
    autoScalingGroupProvider,
    managedInstancesProvider,
    tags: z.array(tagSchema),
    /** Ours: what follows from all that was given. */
    gantry: z.object({ offers: offerWishSchema, limits: shownLimitsSchema, policy: shownPolicySchema }),
  })
  .meta({ id: 'CapacityProvider' });
export type CapacityProviderView = z.infer<typeof capacityProviderViewSchema>;

const changed = z.object({
  capacityProvider: capacityProviderViewSchema,
  /** Ours: what was recorded only, and what was chosen where nothing was said. */
  warnings: z.array(z.string()),
});

export const capacityProviderOperations = {
  CreateCapacityProvider: defineOperation({
    name: 'CreateCapacityProvider',
    summary: 'Makes a capacity provider: what hosts may be bought, how many, and how they go again',
    action: 'administer',
    scope: 'store',
    input: z.object({
      name: z.string(),
      cluster: z.string().optional(),
      ...configurationInput,
      tags: z.array(tagSchema).optional(),
    }),
    output: changed,
    errors: ['ClusterNotFoundException'],
    rest: { method: 'POST', path: '/v1/capacity-providers', status: 201 },
    wire: true,
  }),
  UpdateCapacityProvider: defineOperation({
    name: 'UpdateCapacityProvider',
    summary: 'Changes a capacity provider: what is not given stays',
    action: 'administer',
    scope: 'store',
    input: z.object({ name: z.string(), cluster: z.string().optional(), ...configurationInput }),
    output: changed,
    errors: ['ClusterNotFoundException'],
    rest: { method: 'PUT', path: '/v1/capacity-providers/{name}', status: 200 },
    wire: true,
  }),
  DeleteCapacityProvider: defineOperation({
    name: 'DeleteCapacityProvider',
    summary: 'Makes a capacity provider INACTIVE that no cluster has; one of a single cluster is taken off it',
    action: 'administer',
    scope: 'store',
    input: z.object({ capacityProvider: z.string(), cluster: z.string().optional() }),
    output: z.object({ capacityProvider: capacityProviderViewSchema }),
    errors: ['ClusterNotFoundException', 'ResourceInUseException'],
    rest: { method: 'DELETE', path: '/v1/capacity-providers/{capacityProvider}', status: 200 },
    wire: true,
  }),
  DescribeCapacityProviders: defineOperation({
    name: 'DescribeCapacityProviders',
    summary: 'Answers capacity providers: up to 100 by name or ARN, those of a cluster, or all that are ACTIVE',
    action: 'read',
    scope: 'store',
    input: z.object({
      capacityProviders: z.array(z.string()).optional(),
      cluster: z.string().optional(),
      include: z.array(z.enum(['TAGS'])).optional(),
      maxResults: z.number().int().optional(),
      nextToken: z.string().optional(),
    }),
    output: z.object({
      capacityProviders: z.array(capacityProviderViewSchema),
      failures: z.array(failureSchema),
      nextToken: z.string().optional(),
    }),
    errors: ['ClusterNotFoundException'],
    rest: { method: 'POST', path: '/v1/describe-capacity-providers', status: 200 },
    wire: true,
  }),
} as const;
