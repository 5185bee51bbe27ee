/**
 * What the API answers: ECS' shapes by ECS' member names, with additive members of ours (stock clients drop what they do not know).
 * Lists that clients index without asking are always present; members that are unset are left out, never null.
 * Each has a name (its "id") under which the OpenAPI document describes it once.
 */
import { z } from 'zod';
import { clusterConfigurationSchema, clusterSettingSchema, strategyItemSchema, tagSchema } from '../model/cluster.ts';
import { shownHostStatusSchema } from '../model/host.ts';
import { hostConditionSchema } from '../model/host-condition.ts';
import { memberOfSchema } from '../model/placement-constraint.ts';
import {
  containerOverrideSchema,
  launchTypeSchema,
  logLineSchema,
  networkBindingSchema,
  stopCodeSchema,
  taskStatusSchema,
} from '../model/task.ts';
import {
  containerDefinitionSchema,
  runtimePlatformSchema,
  taskDefinitionStatusSchema,
} from '../model/task-definition.ts';
import { explanationSchema } from '../placement/explanation.ts';

/** Epoch seconds on the ECS wire, RFC 3339 on REST. */
export const timestampSchema = z.date();

export const failureSchema = z
  .object({
    arn: z.string().optional(),
    /** ECS' reason, for example MISSING or RESOURCE:MEMORY. */
    reason: z.string(),
    detail: z.string().optional(),
    /** Ours: of a task that fits nowhere, how many hosts refuse it for what, the commonest first. */
    histogram: explanationSchema.shape.histogram.optional(),
  })
  .meta({ id: 'Failure' });
export type Failure = z.infer<typeof failureSchema>;

const emptyList = z.array(z.never());

/** ECS echoes these even where nobody set them; tools compare them field by field. */
const containerDefinitionViewSchema = containerDefinitionSchema
  .extend({
    mountPoints: emptyList,
    volumesFrom: emptyList,
    systemControls: emptyList,
  })
  .meta({ id: 'ContainerDefinition' });

export const placementConstraintsInputSchema = z.array(
  z.object({ type: z.string().optional(), expression: z.string().optional() }),
);

export const taskDefinitionViewSchema = z
  .object({
    taskDefinitionArn: z.string(),
    family: z.string(),
    revision: z.number().int(),
    status: taskDefinitionStatusSchema,
    containerDefinitions: z.array(containerDefinitionViewSchema),
    volumes: emptyList,
    placementConstraints: z.array(memberOfSchema),
    networkMode: z.string(),
    compatibilities: z.array(z.string()),
    requiresAttributes: z.array(z.object({ name: z.string(), value: z.string().optional() })),
    requiresCompatibilities: z.array(z.string()).optional(),
    cpu: z.string().optional(),
    memory: z.string().optional(),
    runtimePlatform: runtimePlatformSchema.optional(),
    taskRoleArn: z.string().optional(),
    executionRoleArn: z.string().optional(),
    registeredAt: timestampSchema,
    registeredBy: z.string(),
    deregisteredAt: timestampSchema.optional(),
    deleteRequestedAt: timestampSchema.optional(),
  })
  .meta({ id: 'TaskDefinition' });
export type TaskDefinitionView = z.infer<typeof taskDefinitionViewSchema>;

const containerViewSchema = z
  .object({
    containerArn: z.string(),
    taskArn: z.string(),
    name: z.string(),
    /** Ours: whether its end is the task's end. */
    essential: z.boolean(),
    image: z.string(),
    imageDigest: z.string().optional(),
    runtimeId: z.string().optional(),
    lastStatus: z.enum(['PENDING', 'RUNNING', 'STOPPED']),
    exitCode: z.number().int().optional(),
    reason: z.string().optional(),
    networkBindings: z.array(networkBindingSchema),
    networkInterfaces: emptyList,
    healthStatus: z.literal('UNKNOWN'),
    cpu: z.string(),
    memory: z.string().optional(),
    memoryReservation: z.string().optional(),
    /** Ours: when its process started and ended. */
    startedAt: timestampSchema.optional(),
    stoppedAt: timestampSchema.optional(),
    /** Ours: whether the kernel killed it for want of memory. */
    oomKilled: z.boolean().optional(),
    /** Ours: the last lines it wrote, once it has stopped. */
    lastLogLines: z.array(logLineSchema).optional(),
  })
  .meta({ id: 'Container' });
export type ContainerView = z.infer<typeof containerViewSchema>;

const storyLineSchema = z.object({ at: timestampSchema, phase: z.string(), text: z.string() });

export const taskViewSchema = z
  .object({
    taskArn: z.string(),
    clusterArn: z.string(),
    taskDefinitionArn: z.string(),
    containerInstanceArn: z.string().optional(),
    group: z.string(),
    startedBy: z.string().optional(),
    launchType: launchTypeSchema,
    /** Whose hosts it runs on, where a strategy says so. */
    capacityProviderName: z.string().optional(),
    lastStatus: taskStatusSchema,
    desiredStatus: z.enum(['RUNNING', 'STOPPED']),
    healthStatus: z.literal('UNKNOWN'),
    connectivity: z.enum(['CONNECTED', 'DISCONNECTED']).optional(),
    connectivityAt: timestampSchema.optional(),
    cpu: z.string(),
    memory: z.string(),
    containers: z.array(containerViewSchema),
    overrides: z.object({
      containerOverrides: z.array(containerOverrideSchema),
      inferenceAcceleratorOverrides: emptyList,
      cpu: z.string().optional(),
      memory: z.string().optional(),
      taskRoleArn: z.string().optional(),
      executionRoleArn: z.string().optional(),
    }),
    attributes: z.array(z.object({ name: z.string(), value: z.string().optional() })),
    attachments: emptyList,
    availabilityZone: z.string().optional(),
    enableExecuteCommand: z.literal(false),
    createdAt: timestampSchema,
    pullStartedAt: timestampSchema.optional(),
    pullStoppedAt: timestampSchema.optional(),
    startedAt: timestampSchema.optional(),
    stoppingAt: timestampSchema.optional(),
    executionStoppedAt: timestampSchema.optional(),
    stoppedAt: timestampSchema.optional(),
    stopCode: stopCodeSchema.optional(),
    stoppedReason: z.string().optional(),
    tags: z.array(tagSchema),
    version: z.number().int(),
    /** Ours: until when nothing moves it for the sake of something else. */
    protectedUntil: timestampSchema.optional(),
    /** Ours: why it was not placed at the last try, while it waits. */
    explanation: explanationSchema.optional(),
    /** Ours: what is bought for it, or why nothing is, while it waits. */
    capacityNote: z.string().optional(),
    /** Ours: how long it may run from the start of its first container, and, once that was, when its host stops it. */
    timeoutSeconds: z.number().int().optional(),
    timesOutAt: timestampSchema.optional(),
    /** Ours: CPU units that it may use, where those are not `cpu`. */
    cpuLimit: z.string().optional(),
    /** Ours: its host is going to be taken away; when it is stopped if it has not ended by then, and why. */
    hostGoes: z.object({ stopsAt: timestampSchema.optional(), reason: z.string() }).optional(),
    /** Ours: the task in whose place it runs. */
    replacesTaskArn: z.string().optional(),
    /** Ours: the task that runs, or is to run, in its place. */
    replacedByTaskArn: z.string().optional(),
    /** Ours: its state in one sentence (taskHeadline): why it waits, where it runs, why it stopped. */
    headline: z.string(),
    /** Ours: what may not be done with it now, each with the sentence that says why (taskCan). */
    cannot: z.object({ stop: z.string().optional(), readLogs: z.string().optional() }),
    /** Ours: what happened, phase by phase. */
    story: z.array(storyLineSchema),
    /** Ours: it was given up with its host, which has not said that it is gone. */
    mayStillRun: z.literal(true).optional(),
    /** Ours: the host's name, where it has one. */
    hostName: z.string().optional(),
    /** Ours: where its published ports are reached. */
    hostAddress: z.string().optional(),
  })
  .meta({ id: 'Task' });
export type TaskView = z.infer<typeof taskViewSchema>;

export const clusterViewSchema = z
  .object({
    clusterArn: z.string(),
    clusterName: z.string(),
    status: z.enum(['ACTIVE', 'INACTIVE']),
    registeredContainerInstancesCount: z.number().int(),
    runningTasksCount: z.number().int(),
    pendingTasksCount: z.number().int(),
    activeServicesCount: z.number().int(),
    statistics: z.array(z.object({ name: z.string(), value: z.string() })),
    settings: z.array(clusterSettingSchema),
    configuration: clusterConfigurationSchema.optional(),
    attachments: emptyList.optional(),
    capacityProviders: z.array(z.string()),
    defaultCapacityProviderStrategy: z.array(strategyItemSchema),
    tags: z.array(tagSchema),
  })
  .meta({ id: 'Cluster' });
export type ClusterView = z.infer<typeof clusterViewSchema>;

const resourceViewSchema = z
  .object({
    name: z.string(),
    type: z.enum(['INTEGER', 'STRINGSET']),
    doubleValue: z.number(),
    longValue: z.number(),
    integerValue: z.number(),
    stringSetValue: z.array(z.string()).optional(),
  })
  .meta({ id: 'Resource' });

const healthStateSchema = z.enum(['OK', 'INSUFFICIENT_DATA', 'INITIALIZING']);
const hostHealthSchema = z.object({
  overallStatus: healthStateSchema,
  details: z.array(z.object({ type: z.literal('CONTAINER_RUNTIME'), status: healthStateSchema })),
});

export const containerInstanceViewSchema = z
  .object({
    containerInstanceArn: z.string(),
    ec2InstanceId: z.string().optional(),
    version: z.number().int(),
    versionInfo: z.object({ agentVersion: z.string() }),
    remainingResources: z.array(resourceViewSchema),
    registeredResources: z.array(resourceViewSchema),
    status: shownHostStatusSchema,
    /** Why it takes no tasks although it is ACTIVE. */
    statusReason: z.string().optional(),
    agentConnected: z.boolean(),
    runningTasksCount: z.number().int(),
    pendingTasksCount: z.number().int(),
    attributes: z.array(z.object({ name: z.string(), value: z.string().optional() })),
    attachments: emptyList,
    registeredAt: timestampSchema,
    healthStatus: hostHealthSchema.optional(),
    tags: z.array(tagSchema),
    /** Ours: since when `agentConnected` is as it is. */
    agentConnectedChangedAt: timestampSchema,
    /** Ours: what is the matter with it, in a word (docs/hosts.md). */
    condition: hostConditionSchema.optional(),
    /** Ours: what people call it. */
    hostName: z.string(),
    /** Ours: where the published ports of its tasks are reached. */
    hostAddress: z.string(),
  })
  .meta({ id: 'ContainerInstance' });
export type ContainerInstanceView = z.infer<typeof containerInstanceViewSchema>;
