/**
 * A RegisterTaskDefinition request as a revision's body: ECS' rules with ECS' texts, its defaults filled in, sizes in units and MiB.
 * Throws on the first thing wrong, naming the member; decides nothing about revisions.
 */
import type { RegisterTaskDefinitionInput } from '../api/task-definitions.ts';
import { compact } from '../compact.ts';
import { namePattern, type Tag } from './cluster.ts';
import { checkContainersTogether } from './container-rules.ts';
import { clientFault, noFargate } from './faults.ts';
import { fieldWarnings, refuseFields } from './field-rules.ts';
import { taskDefinitionFields } from './fields.ts';
import { compatibilityNames, limits } from './limits.ts';
import { checkLogDriver } from './log-options.ts';
import { normaliseDefinitionConstraints } from './normalise-constraints.ts';
import { normaliseContainer } from './normalise-container.ts';
import { refuseDoubleHostPorts } from './normalise-ports.ts';
import { checkSizes, parseTaskCpu, parseTaskMemory } from './sizes.ts';
import { checkTags } from './tag-rules.ts';
import {
  type ContainerDefinition,
  type NetworkMode,
  networkModeSchema,
  type RuntimePlatform,
  runtimePlatformSchema,
  type TaskDefinition,
} from './task-definition.ts';

export interface NormalisedTaskDefinition {
  readonly definition: Omit<TaskDefinition, 'revision' | 'registeredAt' | 'registeredBy'>;
  readonly tags: Tag[];
  /** What was recorded or ignored, and why: a sentence each. */
  readonly warnings: string[];
}

/** Throws GantryError with ECS' code and the path of the member at fault. */
export function normaliseTaskDefinition(input: RegisterTaskDefinitionInput): NormalisedTaskDefinition {
  checkFamily(input.family);
  checkLength(input);
  const requiresCompatibilities = compatibilitiesOf(input);
  for (const [index, { logConfiguration }] of input.containerDefinitions.entries())
    checkLogDriver(logConfiguration, `containerDefinitions[${index}].logConfiguration`);
  // After what explains several of its rows at once: who writes for Fargate, or for another log driver, learns that first.
  refuseFields(taskDefinitionFields, input);
  const networkMode = networkModeOf(input);
  const containerDefinitions = containersOf(input, networkMode);
  const { tags = [], taskRoleArn, executionRoleArn, placementConstraints = [] } = input;
  checkTags(tags);
  const constraints = normaliseDefinitionConstraints(clientFault, placementConstraints);
  const definition = compact({
    family: input.family,
    containerDefinitions,
    networkMode,
    ...sizesOf(input, containerDefinitions),
    requiresCompatibilities,
    runtimePlatform: platformOf(input),
    placementConstraints: constraints.length === 0 ? undefined : constraints,
    taskRoleArn: roleOf('taskRoleArn', taskRoleArn),
    executionRoleArn: roleOf('executionRoleArn', executionRoleArn),
  });
  return { definition, tags, warnings: fieldWarnings(taskDefinitionFields, input) };
}

function checkFamily(family: string): void {
  if (namePattern.test(family)) return;
  throw clientFault(
    'family',
    family === '' ? 'Family should not be null or empty.' : `Invalid family: ${family}`,
    'It is 1 to 255 letters, digits, hyphens and underscores.',
  );
}

function checkLength(input: RegisterTaskDefinitionInput): void {
  const bytes = new TextEncoder().encode(JSON.stringify(input)).length;
  if (bytes <= limits.definitionBytes) return;
  throw clientFault('', `Actual length: '${bytes}'. Max allowed length is '${limits.definitionBytes}' bytes.`);
}

function compatibilitiesOf({ requiresCompatibilities = [] }: RegisterTaskDefinitionInput): string[] | undefined {
  const field = 'requiresCompatibilities';
  for (const [index, name] of requiresCompatibilities.entries())
    if (!compatibilityNames.includes(name))
      throw clientFault(
        `${field}[${index}]`,
        `There is no launch type ${name}.`,
        `There are ${compatibilityNames.join(', ')}.`,
      );
  const runsHere = requiresCompatibilities.some((name) => name === 'EC2' || name === 'EXTERNAL');
  if (requiresCompatibilities.length === 0) return undefined;
  if (runsHere) return requiresCompatibilities;
  if (requiresCompatibilities.includes('FARGATE')) throw noFargate(field);
  throw clientFault(field, `${field} must name EC2 or EXTERNAL.`, 'Tasks run on hosts of yours.');
}

function networkModeOf({ networkMode = 'bridge' }: RegisterTaskDefinitionInput): NetworkMode {
  const known = networkModeSchema.safeParse(networkMode);
  if (known.success) return known.data;
  if (networkMode === 'awsvpc')
    throw clientFault(
      'networkMode',
      'networkMode awsvpc is not supported yet.',
      'Use bridge (the default), host or none.',
    );
  throw clientFault('networkMode', `networkMode must be bridge, host or none; it is "${networkMode}".`);
}

function containersOf({ containerDefinitions }: RegisterTaskDefinitionInput, mode: NetworkMode): ContainerDefinition[] {
  const field = 'containerDefinitions';
  if (containerDefinitions.length === 0)
    throw clientFault(field, 'Container list cannot be empty.', 'A task has at least one container.');
  if (containerDefinitions.length > limits.containers[1])
    throw clientFault(field, 'Too many containers.', `A task has at most ${limits.containers[1]}.`);
  const containers = containerDefinitions.map((input, index) => normaliseContainer(input, `${field}[${index}]`, mode));
  checkContainersTogether(containers, field);
  refuseDoubleHostPorts(containers, field);
  return containers;
}

function sizesOf(
  input: RegisterTaskDefinitionInput,
  containers: readonly ContainerDefinition[],
): Pick<TaskDefinition, 'cpu' | 'memory'> {
  const cpu = input.cpu === undefined ? undefined : parseTaskCpu(clientFault, 'cpu', input.cpu);
  const memory = input.memory === undefined ? undefined : parseTaskMemory(clientFault, 'memory', input.memory);
  const paths = { task: '', container: (index: number) => `containerDefinitions[${index}]` };
  const amounts = compact({
    cpuUnits: cpu === undefined ? undefined : Number(cpu),
    memoryMib: memory === undefined ? undefined : Number(memory),
  });
  checkSizes(clientFault, paths, { ...amounts, containers });
  return compact({ cpu, memory });
}

function platformOf({ runtimePlatform }: RegisterTaskDefinitionInput): RuntimePlatform | undefined {
  if (runtimePlatform === undefined) return undefined;
  const known = runtimePlatformSchema.safeParse(runtimePlatform);
  if (known.success) return known.data;
  const member = known.error.issues[0]?.path[0] === 'cpuArchitecture' ? 'cpuArchitecture' : 'operatingSystemFamily';
  const allowed = member === 'cpuArchitecture' ? 'X86_64 or ARM64' : 'LINUX';
  throw clientFault(
    `runtimePlatform.${member}`,
    `runtimePlatform.${member} must be ${allowed}; it is "${runtimePlatform[member] ?? ''}".`,
  );
}

/** A role's name or ARN; tools send an empty text for none. */
function roleOf(field: string, role: string | undefined): string | undefined {
  if (role === undefined || role === '') return undefined;
  if (/^(arn:[\w-]+:iam::\d{12}:role\/)?[\w+=,.@/-]{1,576}$/.test(role)) return role;
  throw clientFault(field, 'Role is not valid.', `${field} is the ARN or the name of an IAM role.`);
}
