/** Inputs and outputs of the operations on clusters. */
import { z } from 'zod';
import { tagSchema } from '../model/cluster.ts';
import { configurationInputSchema } from '../model/cluster-configuration.ts';
import { defineOperation } from './operation.ts';
import { clusterViewSchema, failureSchema } from './shapes.ts';

/** Nothing but what unsets it: there are no namespaces. */
const serviceConnectDefaults = z.object({ namespace: z.string() }).optional();
const cluster = z.string().optional();

/** ECS' item; `capacityProvider` by name or ARN. */
export const strategyInputSchema = z.array(
  z.object({ capacityProvider: z.string(), weight: z.number().int().optional(), base: z.number().int().optional() }),
);
const clusterPartSchema = z.enum(['ATTACHMENTS', 'CONFIGURATIONS', 'SETTINGS', 'STATISTICS', 'TAGS']);
const settingsInputSchema = z.array(z.object({ name: z.string().optional(), value: z.string().optional() }));

export const clusterOperations = {
  CreateCluster: defineOperation({
    name: 'CreateCluster',
    summary: 'Makes a cluster, or answers the one of that name',
    action: 'administer',
    input: z.object({
      clusterName: z.string().optional(),
      tags: z.array(tagSchema).optional(),
      settings: settingsInputSchema.optional(),
      configuration: configurationInputSchema.optional(),
      capacityProviders: z.array(z.string()).optional(),
      defaultCapacityProviderStrategy: strategyInputSchema.optional(),
      serviceConnectDefaults,
    }),
    output: z.object({ cluster: clusterViewSchema }),
    errors: [],
    rest: { method: 'POST', path: '/v1/clusters', status: 201 },
    wire: true,
  }),
  DescribeClusters: defineOperation({
    name: 'DescribeClusters',
    summary: 'Answers up to 100 clusters by name or ARN',
    action: 'read',
    input: z.object({ clusters: z.array(z.string()).optional(), include: z.array(clusterPartSchema).optional() }),
    output: z.object({ clusters: z.array(clusterViewSchema), failures: z.array(failureSchema) }),
    errors: [],
    rest: { method: 'POST', path: '/v1/describe-clusters', status: 200 },
    wire: true,
  }),
  ListClusters: defineOperation({
    name: 'ListClusters',
    summary: 'Lists the ARNs of clusters',
    action: 'read',
    input: z.object({ maxResults: z.number().int().optional(), nextToken: z.string().optional() }),
    output: z.object({ clusterArns: z.array(z.string()), nextToken: z.string().optional() }),
    errors: [],
    rest: { method: 'GET', path: '/v1/clusters', status: 200 },
    wire: true,
  }),
  DeleteCluster: defineOperation({
    name: 'DeleteCluster',
    summary: 'Makes a cluster INACTIVE that has no hosts and no tasks',
    action: 'administer',
    input: z.object({ cluster: z.string() }),
    output: z.object({ cluster: clusterViewSchema }),
    errors: [
      'ClusterNotFoundException',
      'ClusterContainsCapacityProviderException',
      'ClusterContainsContainerInstancesException',
      'ClusterContainsTasksException',
    ],
    rest: { method: 'DELETE', path: '/v1/clusters/{cluster}', status: 200 },
    wire: true,
  }),
  UpdateCluster: defineOperation({
    name: 'UpdateCluster',
    summary: 'Changes settings and configuration of a cluster; what is not given stays',
    action: 'administer',
    input: z.object({
      cluster: z.string(),
      settings: settingsInputSchema.optional(),
      configuration: configurationInputSchema.optional(),
      serviceConnectDefaults,
    }),
    output: z.object({ cluster: clusterViewSchema }),
    errors: ['ClusterNotFoundException'],
    rest: { method: 'PUT', path: '/v1/clusters/{cluster}', status: 200 },
    wire: true,
  }),
  UpdateClusterSettings: defineOperation({
    name: 'UpdateClusterSettings',
    summary: 'Changes settings of a cluster: whether tasks that name a launch type wait, when a silent host is lost',
    action: 'administer',
    input: z.object({ cluster, settings: settingsInputSchema }),
    output: z.object({ cluster: clusterViewSchema }),
    errors: ['ClusterNotFoundException'],
    rest: { method: 'PUT', path: '/v1/clusters/{cluster}/settings', status: 200 },
    wire: true,
  }),
  PutClusterCapacityProviders: defineOperation({
    name: 'PutClusterCapacityProviders',
    summary: 'Says which capacity providers a cluster has, and the strategy of tasks that name none',
    action: 'administer',
    input: z.object({
      cluster,
      capacityProviders: z.array(z.string()),
      defaultCapacityProviderStrategy: strategyInputSchema,
    }),
    output: z.object({ cluster: clusterViewSchema }),
    errors: ['ClusterNotFoundException', 'ResourceInUseException'],
    rest: { method: 'PUT', path: '/v1/clusters/{cluster}/capacity-providers', status: 200 },
    wire: true,
  }),
} as const;
