/**
 * A task: three facts with three writers. `desired` is written by the control plane, `observed` by the agent, `verdict` by the
 * control plane for what no agent can say (lost, never started). lastStatus is a pure function of the three (core/task/status.ts).
 * Each moves forward only; a task never moves host: what must run elsewhere is a new task that `replaces` this one.
 */
import { z } from 'zod';
import { explanationSchema } from '../placement/explanation.ts';
import { tagSchema } from './cluster.ts';
import { placementConstraintSchema } from './placement-constraint.ts';
import { protocolSchema, reservationSchema } from './resources.ts';
import { keyValueSchema } from './task-definition.ts';

/** ECS' lastStatus. PROVISIONING: waits for a host. DEPROVISIONING: containers are gone, network and cgroups are being removed. */
export const taskStatusSchema = z.enum([
  'PROVISIONING',
  'PENDING',
  'ACTIVATING',
  'RUNNING',
  'DEACTIVATING',
  'STOPPING',
  'DEPROVISIONING',
  'STOPPED',
]);
export type TaskStatus = z.infer<typeof taskStatusSchema>;

/** What an agent can observe, in order. */
export const observedStatusSchema = z.enum(['PENDING', 'RUNNING', 'STOPPING', 'DEPROVISIONING', 'STOPPED']);
export type ObservedStatus = z.infer<typeof observedStatusSchema>;

export const stopCodeSchema = z.enum([
  'TaskFailedToStart',
  'EssentialContainerExited',
  'UserInitiated',
  'ServiceSchedulerInitiated',
  'SpotInterruption',
  'TerminationNotice',
  'InfrastructureHealth',
]);
export type StopCode = z.infer<typeof stopCodeSchema>;

export const desiredSchema = z.object({
  status: z.enum(['RUNNING', 'STOPPED']),
  /** Grows with each change; the agent applies the greater and acknowledges it. */
  version: z.number().int(),
  at: z.number(),
  /** Why it is to stop; only with STOPPED. */
  stopCode: stopCodeSchema.optional(),
  reason: z.string().optional(),
  /** With SIGKILL at once, not after SIGTERM and the stopTimeout. */
  force: z.boolean().optional(),
});
export type Desired = z.infer<typeof desiredSchema>;

export const networkBindingSchema = z.object({
  bindIP: z.string(),
  /** One port of each, or a range of each. */
  containerPort: z.number().int().optional(),
  hostPort: z.number().int().optional(),
  /** `8000-8010`; the host's range has as many ports, in the same order. */
  containerPortRange: z.string().optional(),
  hostPortRange: z.string().optional(),
  protocol: protocolSchema,
});
export type NetworkBinding = z.infer<typeof networkBindingSchema>;

export const logLineSchema = z.object({
  /** Epoch milliseconds at which the agent saw that it was written. */
  at: z.number(),
  container: z.string(),
  stream: z.enum(['stdout', 'stderr']),
  text: z.string(),
  /** Nobody was there when it was written (the agent was away): `at` is no more than a guess. */
  approximate: z.boolean().optional(),
  /** A long line comes in parts: it goes on with the next line of this container and stream. */
  partial: z.boolean().optional(),
  /** Where this container's stream goes on after it, in bytes: whoever reads again knows by it what they have. */
  offset: z.number().optional(),
  /** Written by Gantry, not by the container: something is missing in this place. */
  notice: z.boolean().optional(),
  /** How much, where that is known. */
  droppedBytes: z.number().optional(),
});
export type LogLine = z.infer<typeof logLineSchema>;

const containerObservationSchema = z.object({
  name: z.string(),
  status: z.enum(['PENDING', 'RUNNING', 'STOPPED']),
  /** containerd's container id. */
  runtimeId: z.string().optional(),
  imageDigest: z.string().optional(),
  /** Absent when the container never ran. */
  exitCode: z.number().int().optional(),
  oomKilled: z.boolean().optional(),
  /** `<ErrorName>: <text>`; absent on a clean exit (client-expectations.md 6). */
  reason: z.string().optional(),
  networkBindings: z.array(networkBindingSchema),
  startedAt: z.number().optional(),
  stoppedAt: z.number().optional(),
  /** The last lines it wrote, once it has stopped: at most 20 lines and 4 KiB. */
  lastLogLines: z.array(logLineSchema).optional(),
});
export type ContainerObservation = z.infer<typeof containerObservationSchema>;

export const taskObservationSchema = z.object({
  status: observedStatusSchema,
  /** Grows with each change of this observation; a report with a lower one is late and is dropped. */
  sequence: z.number().int(),
  containers: z.array(containerObservationSchema),
  /** Epoch milliseconds of each phase, each set once. */
  acceptedAt: z.number(),
  pullStartedAt: z.number().optional(),
  pullStoppedAt: z.number().optional(),
  startedAt: z.number().optional(),
  stoppingAt: z.number().optional(),
  executionStoppedAt: z.number().optional(),
  stoppedAt: z.number().optional(),
  /** Why it stopped, where the agent is who knows (a container ended, or it could not be started). */
  stopCode: stopCodeSchema.optional(),
  stoppedReason: z.string().optional(),
  /** Its host cannot go on with it now (containerd does not answer), since when and why; it goes on by itself. */
  waiting: z.object({ since: z.number(), reason: z.string() }).optional(),
});
export type TaskObservation = z.infer<typeof taskObservationSchema>;

const verdictSchema = z.object({ stopCode: stopCodeSchema, reason: z.string(), at: z.number() });

/** What a task is told when its host is going to be taken away. */
const hostGoesSchema = z.object({
  toldAt: z.number(),
  /** When it is stopped if it has not ended by then; absent: it may run to its end, unless a successor of it runs. */
  stopsAt: z.number().optional(),
  /** A sentence. */
  reason: z.string(),
});
export type HostGoes = z.infer<typeof hostGoesSchema>;

export const containerOverrideSchema = z.object({
  name: z.string(),
  command: z.array(z.string()).optional(),
  environment: z.array(keyValueSchema).optional(),
  cpu: z.number().int().optional(),
  memory: z.number().int().optional(),
  memoryReservation: z.number().int().optional(),
});
export type ContainerOverride = z.infer<typeof containerOverrideSchema>;

export const taskOverridesSchema = z.object({
  containerOverrides: z.array(containerOverrideSchema),
  cpu: z.string().optional(),
  memory: z.string().optional(),
  taskRoleArn: z.string().optional(),
  executionRoleArn: z.string().optional(),
});
export type TaskOverrides = z.infer<typeof taskOverridesSchema>;

export const placementStrategySchema = z.object({
  type: z.enum(['random', 'spread', 'binpack']),
  /** spread: `instanceId` or `attribute:<name>`; binpack: `cpu` or `memory`; random: none. */
  field: z.string().optional(),
});
export type PlacementStrategy = z.infer<typeof placementStrategySchema>;

/** What placement needs of a task, apart from how many: kept on the task, so that a waiting one can be placed later. */
export const placementNeedsSchema = z.object({
  reservation: reservationSchema,
  /** Host attributes that must be equal, for example `ecs.cpu-architecture: x86_64`. */
  attributes: z.record(z.string(), z.string()),
  group: z.string(),
  constraints: z.array(placementConstraintSchema),
  strategies: z.array(placementStrategySchema),
});
export type PlacementNeeds = z.infer<typeof placementNeedsSchema>;

export const launchTypeSchema = z.enum(['EC2', 'EXTERNAL']);

export const taskSchema = z.object({
  id: z.string(),
  cluster: z.string(),
  family: z.string(),
  revision: z.number().int(),
  launchType: launchTypeSchema.optional(),
  /** Whose hosts it must run on: its needs have the attribute. */
  capacityProvider: z.string().optional(),
  startedBy: z.string().optional(),
  referenceId: z.string().optional(),
  /** Effective task-level sizes after overrides; absent where the task sets no limit. */
  cpuUnits: z.number().int().optional(),
  memoryMib: z.number().int().optional(),
  /** How long it may run from the start of its first container; its host stops it then. */
  timeoutSeconds: z.number().int().optional(),
  /** What it may use of CPU; absent: `cpuUnits`, and all that is free where it has no size either. */
  cpuLimitUnits: z.number().int().optional(),
  overrides: taskOverridesSchema,
  tags: z.array(tagSchema),
  /** By a tag of the task or of its revision (core/task/replaceable.ts): it may be stopped once a successor of it runs. */
  replaceable: z.boolean().optional(),
  /** By the same tag: also while its host is lost and nobody can know whether it still runs. */
  replaceWhenLost: z.boolean().optional(),
  /** The task whose successor this one is. */
  replaces: z.string().optional(),
  /** The successor of this one. */
  replacedBy: z.string().optional(),
  needs: placementNeedsSchema,
  createdAt: z.number(),
  /** Names the call that made it, where that was traced (W3C Trace Context). */
  traceparent: z.string().optional(),
  /** The access key against whose quota of waiting tasks it counts while it waits. */
  quotaOf: z.string().optional(),
  /** A waiting task stops with a verdict once this has passed. */
  placementDeadline: z.number(),
  /** Set when placed and never changed. */
  hostId: z.string().optional(),
  hostName: z.string().optional(),
  placedAt: z.number().optional(),
  /** Until then nothing moves it for the sake of something else (core/task/protection.ts). */
  protectedUntil: z.number().optional(),
  /** Its host is going to be taken away. */
  hostGoes: hostGoesSchema.optional(),
  /** Why that host, in words (PlacementResult.reasons). */
  placementReason: z.string().optional(),
  /** Why it was not placed at the last try; while it waits, and kept when it never was. */
  explanation: explanationSchema.optional(),
  /** What is bought for it, or why nothing is: a sentence; only while it waits, and kept when it was never placed. */
  capacityNote: z.string().optional(),
  desired: desiredSchema,
  observed: taskObservationSchema.optional(),
  verdict: verdictSchema.optional(),
  /** True once the host's capacity has been given back: the condition that makes release happen exactly once. */
  released: z.boolean(),
  /** Starts at 1, grows with each write. ECS' `version`. */
  version: z.number().int(),
});
export type Task = z.infer<typeof taskSchema>;
