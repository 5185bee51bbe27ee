/** Inputs and outputs of the operations on task definitions. Every member that ECS has is here; the table of fields says what becomes of each. */
import { z } from 'zod';
import { tagSchema } from '../model/cluster.ts';
import { keyValueSchema, ulimitSchema } from '../model/task-definition.ts';
import { defineOperation } from './operation.ts';
import { failureSchema, placementConstraintsInputSchema, taskDefinitionViewSchema } from './shapes.ts';

/** A member of ECS' that Gantry does not honour: kept as it came, so that the table of fields can refuse it by its path. */
const otherMember = z.unknown().optional();
const int = z.number().int();

const containerDefinitionInputSchema = z.object({
  name: z.string().optional(),
  image: z.string().optional(),
  cpu: int.optional(),
  memory: int.optional(),
  memoryReservation: int.optional(),
  essential: z.boolean().optional(),
  entryPoint: z.array(z.string()).optional(),
  command: z.array(z.string()).optional(),
  environment: z.array(keyValueSchema).optional(),
  portMappings: z
    .array(
      z.object({
        containerPort: int.optional(),
        hostPort: int.optional(),
        protocol: z.string().optional(),
        name: z.string().optional(),
        appProtocol: otherMember,
        containerPortRange: z.string().optional(),
      }),
    )
    .optional(),
  ulimits: z.array(ulimitSchema).optional(),
  user: z.string().optional(),
  workingDirectory: z.string().optional(),
  readonlyRootFilesystem: z.boolean().optional(),
  hostname: z.string().optional(),
  dockerLabels: z.record(z.string(), z.string()).optional(),
  dependsOn: z.array(z.object({ containerName: z.string(), condition: z.string() })).optional(),
  startTimeout: int.optional(),
  stopTimeout: int.optional(),
  logConfiguration: z
    .object({
      logDriver: z.string(),
      options: z.record(z.string(), z.string()).optional(),
      secretOptions: otherMember,
    })
    .optional(),
  credentialSpecs: otherMember,
  disableNetworking: otherMember,
  dnsSearchDomains: otherMember,
  dnsServers: otherMember,
  dockerSecurityOptions: otherMember,
  environmentFiles: otherMember,
  extraHosts: otherMember,
  firelensConfiguration: otherMember,
  healthCheck: otherMember,
  interactive: otherMember,
  links: otherMember,
  linuxParameters: otherMember,
  mountPoints: otherMember,
  privileged: otherMember,
  pseudoTerminal: otherMember,
  repositoryCredentials: z.object({ credentialsParameter: z.string() }).optional(),
  resourceRequirements: otherMember,
  restartPolicy: otherMember,
  secrets: otherMember,
  systemControls: otherMember,
  versionConsistency: otherMember,
  volumesFrom: otherMember,
});

export const registerTaskDefinitionInputSchema = z.object({
  family: z.string(),
  containerDefinitions: z.array(containerDefinitionInputSchema),
  cpu: z.string().optional(),
  memory: z.string().optional(),
  networkMode: z.string().optional(),
  requiresCompatibilities: z.array(z.string()).optional(),
  runtimePlatform: z
    .object({ cpuArchitecture: z.string().optional(), operatingSystemFamily: z.string().optional() })
    .optional(),
  taskRoleArn: z.string().optional(),
  executionRoleArn: z.string().optional(),
  tags: z.array(tagSchema).optional(),
  enableFaultInjection: otherMember,
  ephemeralStorage: otherMember,
  inferenceAccelerators: otherMember,
  ipcMode: otherMember,
  pidMode: otherMember,
  placementConstraints: placementConstraintsInputSchema.optional(),
  proxyConfiguration: otherMember,
  volumes: otherMember,
});
export type RegisterTaskDefinitionInput = z.infer<typeof registerTaskDefinitionInputSchema>;

export const taskDefinitionOperations = {
  RegisterTaskDefinition: defineOperation({
    name: 'RegisterTaskDefinition',
    summary: 'Registers a new revision of a family',
    action: 'register',
    input: registerTaskDefinitionInputSchema,
    output: z.object({
      taskDefinition: taskDefinitionViewSchema,
      tags: z.array(tagSchema),
      /** Ours: what was recorded or ignored, and why. */
      warnings: z.array(z.string()),
    }),
    errors: ['LimitExceededException', 'PlatformTaskDefinitionIncompatibilityException'],
    rest: { method: 'POST', path: '/v1/task-definitions', status: 201 },
    wire: true,
  }),
  DescribeTaskDefinition: defineOperation({
    name: 'DescribeTaskDefinition',
    summary: 'Answers a revision: `family` (its latest ACTIVE one), `family:revision` or ARN',
    action: 'read',
    input: z.object({ taskDefinition: z.string(), include: z.array(z.enum(['TAGS'])).optional() }),
    output: z.object({ taskDefinition: taskDefinitionViewSchema, tags: z.array(tagSchema) }),
    errors: [],
    rest: { method: 'GET', path: '/v1/task-definitions/{taskDefinition}', status: 200 },
    wire: true,
  }),
  ListTaskDefinitions: defineOperation({
    name: 'ListTaskDefinitions',
    summary: 'Lists the ARNs of revisions, by family and revision',
    action: 'read',
    input: z.object({
      /** An exact family, as in ECS. */
      familyPrefix: z.string().optional(),
      status: z.enum(['ACTIVE', 'INACTIVE', 'DELETE_IN_PROGRESS']).optional(),
      sort: z.enum(['ASC', 'DESC']).optional(),
      maxResults: int.optional(),
      nextToken: z.string().optional(),
    }),
    output: z.object({ taskDefinitionArns: z.array(z.string()), nextToken: z.string().optional() }),
    errors: [],
    rest: { method: 'GET', path: '/v1/task-definitions', status: 200 },
    wire: true,
  }),
  ListTaskDefinitionFamilies: defineOperation({
    name: 'ListTaskDefinitionFamilies',
    summary: 'Lists families by name; INACTIVE: those without an ACTIVE revision',
    action: 'read',
    input: z.object({
      familyPrefix: z.string().optional(),
      status: z.enum(['ACTIVE', 'INACTIVE', 'ALL']).optional(),
      maxResults: int.optional(),
      nextToken: z.string().optional(),
    }),
    output: z.object({ families: z.array(z.string()), nextToken: z.string().optional() }),
    errors: [],
    rest: { method: 'GET', path: '/v1/task-definition-families', status: 200 },
    wire: true,
  }),
  DeregisterTaskDefinition: defineOperation({
    name: 'DeregisterTaskDefinition',
    summary: 'Makes a revision INACTIVE: nothing new runs from it; what runs goes on',
    action: 'register',
    input: z.object({ taskDefinition: z.string() }),
    output: z.object({ taskDefinition: taskDefinitionViewSchema }),
    errors: [],
    rest: { method: 'DELETE', path: '/v1/task-definitions/{taskDefinition}', status: 200 },
    wire: true,
  }),
  DeleteTaskDefinitions: defineOperation({
    name: 'DeleteTaskDefinitions',
    summary:
      'Deletes up to 10 INACTIVE revisions: each is DELETE_IN_PROGRESS until no task that has not stopped runs from it',
    action: 'register',
    input: z.object({ taskDefinitions: z.array(z.string()) }),
    output: z.object({ taskDefinitions: z.array(taskDefinitionViewSchema), failures: z.array(failureSchema) }),
    errors: [],
    rest: { method: 'POST', path: '/v1/delete-task-definitions', status: 200 },
    wire: true,
  }),
} as const;
