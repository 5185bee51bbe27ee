/** Inputs and outputs of the operations on tasks. */
import { z } from 'zod';
import { tagSchema } from '../model/cluster.ts';
import { containerOverrideSchema } from '../model/task.ts';
import { strategyInputSchema } from './clusters.ts';
import { defineOperation } from './operation.ts';
import { failureSchema, placementConstraintsInputSchema, taskViewSchema } from './shapes.ts';

/** A member of ECS' that Gantry does not honour: the table of fields says what becomes of it. */
const otherMember = z.unknown().optional();
const int = z.number().int();

/** Tasks by id or ARN; the cluster by name or ARN (`default` where absent). */
const cluster = z.string().optional();

const overridesInputSchema = z.object({
  containerOverrides: z
    .array(
      containerOverrideSchema.partial({ name: true }).extend({
        environmentFiles: otherMember,
        resourceRequirements: otherMember,
      }),
    )
    .optional(),
  cpu: z.string().optional(),
  memory: z.string().optional(),
  taskRoleArn: z.string().optional(),
  executionRoleArn: z.string().optional(),
  ephemeralStorage: otherMember,
  inferenceAcceleratorOverrides: otherMember,
});

export const runTaskInputSchema = z.object({
  taskDefinition: z.string(),
  cluster,
  count: int.optional(),
  launchType: z.string().optional(),
  group: z.string().optional(),
  startedBy: z.string().optional(),
  clientToken: z.string().optional(),
  referenceId: z.string().optional(),
  overrides: overridesInputSchema.optional(),
  placementConstraints: placementConstraintsInputSchema.optional(),
  placementStrategy: z.array(z.object({ type: z.string().optional(), field: z.string().optional() })).optional(),
  tags: z.array(tagSchema).optional(),
  enableECSManagedTags: z.boolean().optional(),
  propagateTags: z.string().optional(),
  enableExecuteCommand: otherMember,
  capacityProviderStrategy: strategyInputSchema.optional(),
  networkConfiguration: otherMember,
  platformVersion: otherMember,
  volumeConfigurations: otherMember,
  /** Ours: how long the tasks may wait in PROVISIONING (default 600). */
  placementTimeoutSeconds: int.optional(),
  /** Ours: how long each task may run before its host stops it. */
  timeoutSeconds: int.optional(),
  /** Ours: how much CPU each task may use, where that is not what it reserves; written as `cpu` is. */
  cpuLimit: z.string().optional(),
});
export type RunTaskInput = z.infer<typeof runTaskInputSchema>;

/** What lists of tasks may be narrowed by beyond ECS' own filters; a tag as `key`, or with its value as `key=value`: all must be there. */
const ourFilters = { group: z.string().optional(), tag: z.array(z.string()).optional() };

const desiredStatusInput = z.enum(['RUNNING', 'PENDING', 'STOPPED']);

/** What a host that is named makes needless is not in ECS' request either. */
const startTaskInputSchema = runTaskInputSchema
  .omit({
    capacityProviderStrategy: true,
    clientToken: true,
    count: true,
    launchType: true,
    placementConstraints: true,
    placementStrategy: true,
    placementTimeoutSeconds: true,
    platformVersion: true,
  })
  .extend({
    /** Ids, ARNs or names of hosts. */
    containerInstances: z.array(z.string()),
  });

const startedSchema = z.object({
  tasks: z.array(taskViewSchema),
  failures: z.array(failureSchema),
  /** Ours: what was recorded or ignored, and why. */
  warnings: z.array(z.string()),
});

export const taskOperations = {
  RunTask: defineOperation({
    name: 'RunTask',
    summary:
      'Runs tasks from a revision: placed at once where they fit, otherwise waiting (or refused, with launch type EC2)',
    action: 'run',
    input: runTaskInputSchema,
    output: startedSchema.extend({
      /** Ours: how many tasks of the call are not in this answer, which lists a thousand: they are made after it. */
      remaining: int.optional(),
    }),
    errors: [
      'ClusterNotFoundException',
      'ConflictException',
      'PlatformTaskDefinitionIncompatibilityException',
      'UnsupportedFeatureException',
    ],
    rest: { method: 'POST', path: '/v1/clusters/{cluster}/tasks', status: 201 },
    wire: true,
  }),
  StartTask: defineOperation({
    name: 'StartTask',
    summary: 'Starts a task on each of up to 10 hosts, where it fits there',
    action: 'run',
    input: startTaskInputSchema,
    output: startedSchema,
    errors: ['ClusterNotFoundException', 'UnsupportedFeatureException'],
    rest: { method: 'POST', path: '/v1/clusters/{cluster}/start-task', status: 201 },
    wire: true,
  }),
  StopTask: defineOperation({
    name: 'StopTask',
    summary: 'Asks a task to stop: SIGTERM, after its stopTimeout SIGKILL; by force SIGKILL at once',
    action: 'run',
    input: z.object({
      cluster,
      task: z.string(),
      reason: z.string().optional(),
      /** Ours: kill at once. Clients that cannot send it begin `reason` with `gantry:force`. */
      force: z.boolean().optional(),
    }),
    output: z.object({ task: taskViewSchema }),
    errors: ['ClusterNotFoundException'],
    rest: { method: 'POST', path: '/v1/clusters/{cluster}/tasks/{task}/stop', status: 200 },
    wire: true,
  }),
  DescribeTasks: defineOperation({
    name: 'DescribeTasks',
    summary: 'Answers up to 100 tasks by id or ARN',
    action: 'read',
    input: z.object({ cluster, tasks: z.array(z.string()), include: z.array(z.enum(['TAGS'])).optional() }),
    output: z.object({ tasks: z.array(taskViewSchema), failures: z.array(failureSchema) }),
    errors: ['ClusterNotFoundException'],
    rest: { method: 'POST', path: '/v1/clusters/{cluster}/describe-tasks', status: 200 },
    wire: true,
  }),
  ListTasks: defineOperation({
    name: 'ListTasks',
    summary: 'Lists the ARNs of tasks',
    action: 'read',
    input: z.object({
      cluster,
      containerInstance: z.string().optional(),
      family: z.string().optional(),
      startedBy: z.string().optional(),
      serviceName: z.string().optional(),
      daemonName: z.string().optional(),
      desiredStatus: desiredStatusInput.optional(),
      launchType: z.string().optional(),
      ...ourFilters,
      maxResults: int.optional(),
      nextToken: z.string().optional(),
    }),
    output: z.object({ taskArns: z.array(z.string()), nextToken: z.string().optional() }),
    errors: ['ClusterNotFoundException', 'DaemonNotFoundException', 'ServiceNotFoundException'],
    rest: { method: 'GET', path: '/v1/clusters/{cluster}/task-arns', status: 200 },
    wire: true,
  }),
  GetTasks: defineOperation({
    name: 'GetTasks',
    summary: 'Lists tasks whole: ListTasks and DescribeTasks in one',
    action: 'read',
    input: z.object({
      cluster,
      /** A host's id, ARN or name. */
      host: z.string().optional(),
      family: z.string().optional(),
      startedBy: z.string().optional(),
      ...ourFilters,
      /** Both where absent: what runs first, then what stopped, newest first. */
      desiredStatus: z.enum(['RUNNING', 'STOPPED']).optional(),
      limit: int.optional(),
      nextToken: z.string().optional(),
    }),
    output: z.object({ tasks: z.array(taskViewSchema), nextToken: z.string().optional() }),
    errors: ['ClusterNotFoundException'],
    rest: { method: 'GET', path: '/v1/clusters/{cluster}/tasks', status: 200 },
    wire: false,
  }),
  GetTask: defineOperation({
    name: 'GetTask',
    summary: 'Answers one task; with `wait` once it has reached that status or changed, or is as it is after `timeout`',
    action: 'read',
    input: z.object({
      cluster,
      task: z.string(),
      wait: z.enum(['running', 'stopped', 'changed']).optional(),
      /** With `wait=changed`: the version of the task that the caller knows. */
      version: int.optional(),
      /** Seconds, at most 25 (where gateways end requests at 30): ask again to go on waiting. */
      timeout: z.number().nonnegative().optional(),
    }),
    output: z.object({
      task: taskViewSchema,
      /** With `wait`: whether it was reached, or can never be (a task that stopped will neither run nor change). */
      reached: z.enum(['yes', 'not-yet', 'never']).optional(),
    }),
    errors: ['ClusterNotFoundException', 'ResourceNotFoundException'],
    rest: { method: 'GET', path: '/v1/clusters/{cluster}/tasks/{task}', status: 200 },
    wire: false,
  }),
} as const;
