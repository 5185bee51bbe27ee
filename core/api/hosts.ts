/** Inputs and outputs of the operations on hosts (ECS: container instances). */
import { z } from 'zod';
import { containerStatsSchema } from '../model/container-stats.ts';
import { hostImageSchema } from '../model/host-image.ts';
import { defineOperation } from './operation.ts';
import { containerInstanceViewSchema, failureSchema, timestampSchema } from './shapes.ts';

const cluster = z.string().optional();

const hostImageViewSchema = hostImageSchema
  .omit({ taskIds: true, lastUsedAt: true })
  .extend({ taskArns: z.array(z.string()), lastUsedAt: timestampSchema.optional() })
  .meta({ id: 'HostImage' });

const containerStatsViewSchema = containerStatsSchema
  .omit({ at: true })
  .extend({
    taskArn: z.string(),
    taskDefinitionArn: z.string(),
    /** Of the container. */
    name: z.string(),
    readAt: timestampSchema,
  })
  .meta({ id: 'ContainerStats' });

export const hostOperations = {
  DescribeContainerInstances: defineOperation({
    name: 'DescribeContainerInstances',
    summary: 'Answers up to 100 hosts by id or ARN',
    action: 'read',
    input: z.object({
      cluster,
      containerInstances: z.array(z.string()),
      include: z.array(z.enum(['TAGS', 'CONTAINER_INSTANCE_HEALTH'])).optional(),
    }),
    output: z.object({ containerInstances: z.array(containerInstanceViewSchema), failures: z.array(failureSchema) }),
    errors: ['ClusterNotFoundException'],
    rest: { method: 'POST', path: '/v1/clusters/{cluster}/describe-hosts', status: 200 },
    wire: true,
  }),
  ListContainerInstances: defineOperation({
    name: 'ListContainerInstances',
    summary: 'Lists the ARNs of hosts',
    action: 'read',
    input: z.object({
      cluster,
      filter: z.string().optional(),
      status: z.string().optional(),
      maxResults: z.number().int().optional(),
      nextToken: z.string().optional(),
    }),
    output: z.object({ containerInstanceArns: z.array(z.string()), nextToken: z.string().optional() }),
    errors: ['ClusterNotFoundException'],
    rest: { method: 'GET', path: '/v1/clusters/{cluster}/host-arns', status: 200 },
    wire: true,
  }),
  UpdateContainerInstancesState: defineOperation({
    name: 'UpdateContainerInstancesState',
    summary: 'Keeps placement away from up to 10 hosts (DRAINING), or lets it come back (ACTIVE)',
    action: 'administer',
    input: z.object({ cluster, containerInstances: z.array(z.string()), status: z.string() }),
    output: z.object({ containerInstances: z.array(containerInstanceViewSchema), failures: z.array(failureSchema) }),
    errors: ['ClusterNotFoundException'],
    rest: { method: 'POST', path: '/v1/clusters/{cluster}/host-states', status: 200 },
    wire: true,
  }),
  DecideHosts: defineOperation({
    name: 'DecideHosts',
    summary: 'Decides over hosts whose agents do not know this store: adopts what they run, or discards it',
    action: 'administer',
    input: z.object({ cluster, containerInstances: z.array(z.string()).optional(), decision: z.string() }),
    output: z.object({ containerInstances: z.array(containerInstanceViewSchema), failures: z.array(failureSchema) }),
    errors: ['ClusterNotFoundException'],
    rest: { method: 'POST', path: '/v1/clusters/{cluster}/decide-hosts', status: 200 },
    wire: false,
  }),
  UpdateContainerAgent: defineOperation({
    name: 'UpdateContainerAgent',
    summary: "Is always refused: a host's agent follows the release that its machine was given",
    action: 'administer',
    input: z.object({ cluster, containerInstance: z.string() }),
    output: z.object({ containerInstance: containerInstanceViewSchema }),
    errors: ['ClusterNotFoundException', 'NoUpdateAvailableException'],
    rest: { method: 'POST', path: '/v1/clusters/{cluster}/hosts/{containerInstance}/update-agent', status: 200 },
    wire: true,
  }),
  DeregisterContainerInstance: defineOperation({
    name: 'DeregisterContainerInstance',
    summary: 'Ends a host for good; with force its tasks are stopped',
    action: 'administer',
    input: z.object({ cluster, containerInstance: z.string(), force: z.boolean().optional() }),
    output: z.object({ containerInstance: containerInstanceViewSchema }),
    errors: ['ClusterNotFoundException'],
    rest: { method: 'POST', path: '/v1/clusters/{cluster}/hosts/{containerInstance}/deregister', status: 200 },
    wire: true,
  }),
  GetHosts: defineOperation({
    name: 'GetHosts',
    summary: 'Lists hosts whole',
    action: 'read',
    input: z.object({
      cluster,
      filter: z.string().optional(),
      limit: z.number().int().optional(),
      nextToken: z.string().optional(),
    }),
    output: z.object({ hosts: z.array(containerInstanceViewSchema), nextToken: z.string().optional() }),
    errors: ['ClusterNotFoundException'],
    rest: { method: 'GET', path: '/v1/clusters/{cluster}/hosts', status: 200 },
    wire: false,
  }),
  GetHost: defineOperation({
    name: 'GetHost',
    summary: 'Answers one host by id, ARN or name',
    action: 'read',
    input: z.object({ cluster, host: z.string() }),
    output: z.object({ host: containerInstanceViewSchema }),
    errors: ['ClusterNotFoundException', 'ResourceNotFoundException'],
    rest: { method: 'GET', path: '/v1/clusters/{cluster}/hosts/{host}', status: 200 },
    wire: false,
  }),
  GetHostImages: defineOperation({
    name: 'GetHostImages',
    summary: 'Asks a host which images it has, how large each is, and which tasks use it',
    action: 'read',
    input: z.object({ cluster, host: z.string() }),
    output: z.object({ images: z.array(hostImageViewSchema) }),
    errors: [
      'ClusterNotFoundException',
      'ResourceNotFoundException',
      'ServiceUnavailableException',
      'UnsupportedFeatureException',
    ],
    rest: { method: 'GET', path: '/v1/clusters/{cluster}/hosts/{host}/images', status: 200 },
    wire: false,
  }),
  GetHostStats: defineOperation({
    name: 'GetHostStats',
    summary:
      'Asks a host what its running containers have used of processor, memory, network and block devices until now',
    action: 'read',
    input: z.object({ cluster, host: z.string() }),
    output: z.object({ containers: z.array(containerStatsViewSchema) }),
    errors: [
      'ClusterNotFoundException',
      'ResourceNotFoundException',
      'ServiceUnavailableException',
      'UnsupportedFeatureException',
    ],
    rest: { method: 'GET', path: '/v1/clusters/{cluster}/hosts/{host}/stats', status: 200 },
    wire: false,
  }),
} as const;
