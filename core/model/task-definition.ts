/**
 * A task definition revision as it is stored and answered: ECS' member names, defaults filled as ECS fills them, only the members
 * that Gantry honours or records (the table of fields decides which those are). The body never changes after registration.
 */
import { z } from 'zod';
import { memberOfSchema } from './placement-constraint.ts';
import { protocolSchema } from './resources.ts';

export const networkModeSchema = z.enum(['none', 'bridge', 'host']);
export type NetworkMode = z.infer<typeof networkModeSchema>;

export const keyValueSchema = z.object({ name: z.string(), value: z.string() });
export type KeyValue = z.infer<typeof keyValueSchema>;

export const portMappingSchema = z.object({
  /** One port, or a range. */
  containerPort: z.number().int().optional(),
  /** `8000-8010`: dynamic ports, as many in a row. */
  containerPortRange: z.string().optional(),
  /** 0 asks for a dynamic port (bridge); absent with a range. */
  hostPort: z.number().int().optional(),
  protocol: protocolSchema,
  name: z.string().optional(),
});
export type PortMapping = z.infer<typeof portMappingSchema>;

export const ulimitSchema = z.object({ name: z.string(), softLimit: z.number().int(), hardLimit: z.number().int() });
export type Ulimit = z.infer<typeof ulimitSchema>;

/** HEALTHY is not among them: health checks are not honoured yet. */
export const dependencyConditionSchema = z.enum(['START', 'COMPLETE', 'SUCCESS']);
export const containerDependencySchema = z.object({ containerName: z.string(), condition: dependencyConditionSchema });
export type ContainerDependency = z.infer<typeof containerDependencySchema>;

export const logDriverSchema = z.enum(['json-file', 'awslogs']);

const logConfigurationSchema = z.object({
  logDriver: logDriverSchema,
  options: z.record(z.string(), z.string()).optional(),
});
export type LogConfiguration = z.infer<typeof logConfigurationSchema>;
const repositoryCredentialsSchema = z.object({ credentialsParameter: z.string() });
export type RepositoryCredentials = z.infer<typeof repositoryCredentialsSchema>;

export const containerDefinitionSchema = z.object({
  name: z.string(),
  image: z.string(),
  repositoryCredentials: repositoryCredentialsSchema.optional(),
  /** CPU units (shares); 0 where none were given. */
  cpu: z.number().int(),
  /** Hard limit, MiB. */
  memory: z.number().int().optional(),
  /** Soft limit, MiB. */
  memoryReservation: z.number().int().optional(),
  essential: z.boolean(),
  entryPoint: z.array(z.string()).optional(),
  command: z.array(z.string()).optional(),
  environment: z.array(keyValueSchema),
  portMappings: z.array(portMappingSchema),
  ulimits: z.array(ulimitSchema).optional(),
  user: z.string().optional(),
  workingDirectory: z.string().optional(),
  readonlyRootFilesystem: z.boolean().optional(),
  hostname: z.string().optional(),
  dockerLabels: z.record(z.string(), z.string()).optional(),
  dependsOn: z.array(containerDependencySchema).optional(),
  startTimeout: z.number().int().optional(),
  stopTimeout: z.number().int().optional(),
  logConfiguration: logConfigurationSchema.optional(),
});
export type ContainerDefinition = z.infer<typeof containerDefinitionSchema>;

export const runtimePlatformSchema = z.object({
  cpuArchitecture: z.enum(['X86_64', 'ARM64']).optional(),
  operatingSystemFamily: z.literal('LINUX').optional(),
});
export type RuntimePlatform = z.infer<typeof runtimePlatformSchema>;

export const taskDefinitionSchema = z.object({
  family: z.string(),
  revision: z.number().int(),
  containerDefinitions: z.array(containerDefinitionSchema),
  networkMode: networkModeSchema,
  /** CPU units, as a decimal string (ECS' own form); absent where the task sets no limit. */
  cpu: z.string().optional(),
  /** MiB, as a decimal string. */
  memory: z.string().optional(),
  requiresCompatibilities: z.array(z.string()).optional(),
  runtimePlatform: runtimePlatformSchema.optional(),
  placementConstraints: z.array(memberOfSchema).optional(),
  taskRoleArn: z.string().optional(),
  executionRoleArn: z.string().optional(),
  registeredAt: z.number(),
  /** The principal's ARN. */
  registeredBy: z.string(),
});
export type TaskDefinition = z.infer<typeof taskDefinitionSchema>;

export const taskDefinitionStatusSchema = z.enum(['ACTIVE', 'INACTIVE', 'DELETE_IN_PROGRESS']);
export type TaskDefinitionStatus = z.infer<typeof taskDefinitionStatusSchema>;
