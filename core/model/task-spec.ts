/**
 * What an agent is asked to run: the revision with the overrides applied and every default resolved, so that the agent has no
 * choice left. Made by core/task/spec.ts, sent in the host's desired set, kept in the agent's ledger.
 */
import { z } from 'zod';
import { logTargetSchema } from './log-target.ts';
import {
  containerDependencySchema,
  keyValueSchema,
  networkModeSchema,
  portMappingSchema,
  ulimitSchema,
} from './task-definition.ts';

const containerSpecSchema = z.object({
  name: z.string(),
  image: z.string(),
  /** Name of what the control plane has for its registry; absent: it is pulled with what the host itself has. */
  registryCredentials: z.string().optional(),
  essential: z.boolean(),
  /** Relative weight; 0 means the least (2 shares). */
  cpuUnits: z.number().int(),
  memoryMib: z.number().int().optional(),
  memoryReservationMib: z.number().int().optional(),
  entryPoint: z.array(z.string()).optional(),
  command: z.array(z.string()).optional(),
  environment: z.array(keyValueSchema),
  portMappings: z.array(portMappingSchema),
  ulimits: z.array(ulimitSchema),
  /** `uid[:gid]` or names from the image's /etc/passwd and /etc/group. */
  user: z.string().optional(),
  workingDirectory: z.string().optional(),
  readonlyRootFilesystem: z.boolean(),
  hostname: z.string().optional(),
  labels: z.record(z.string(), z.string()),
  dependsOn: z.array(containerDependencySchema),
  /** How long this container, as a dependency, may take to reach COMPLETE or SUCCESS. */
  startTimeoutSeconds: z.number().int().optional(),
  /** From SIGTERM (or the image's STOPSIGNAL) to SIGKILL. */
  stopTimeoutSeconds: z.number().int(),
  /** Absent: a json-file log of the default size. */
  log: logTargetSchema.optional(),
});
export type ContainerSpec = z.infer<typeof containerSpecSchema>;

export const taskSpecSchema = z.object({
  taskId: z.string(),
  taskArn: z.string(),
  cluster: z.string(),
  family: z.string(),
  revision: z.number().int(),
  networkMode: networkModeSchema,
  /** Task-level hard limits: CFS quota over all containers (unless there is a CPU limit), and memory. */
  cpuUnits: z.number().int().optional(),
  /** The CFS quota where it is not `cpuUnits`, which then is only the weight. */
  cpuLimitUnits: z.number().int().optional(),
  memoryMib: z.number().int().optional(),
  /** How long it may run, from the start of its first container. */
  timeoutSeconds: z.number().int().optional(),
  containers: z.array(containerSpecSchema),
});
export type TaskSpec = z.infer<typeof taskSpecSchema>;
