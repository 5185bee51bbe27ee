/** Inputs and outputs of the operations on clusters. */
import { z } from 'zod';
import { tagSchema } from '../model/cluster.ts';
import { defineOperation } from './operation.ts';
import { clusterViewSchema, failureSchema } from './shapes.ts';

const otherMember = z.unknown().optional();

export const clusterOperations = {
  CreateCluster: defineOperation({
    name: 'CreateCluster',
    summary: 'Makes a cluster, or answers the one of that name',
    action: 'administer',
    input: z.object({
      clusterName: z.string().optional(),
      tags: z.array(tagSchema).optional(),
      settings: otherMember,
      configuration: otherMember,
      capacityProviders: otherMember,
      defaultCapacityProviderStrategy: otherMember,
      serviceConnectDefaults: otherMember,
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
    input: z.object({ clusters: z.array(z.string()).optional(), include: z.array(z.string()).optional() }),
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
    errors: ['ClusterNotFoundException', 'ClusterContainsContainerInstancesException', 'ClusterContainsTasksException'],
    rest: { method: 'DELETE', path: '/v1/clusters/{cluster}', status: 200 },
    wire: true,
  }),
} as const;
