/** One container of a RegisterTaskDefinition request: its own rules, and ECS' defaults. What concerns several is container-rules.ts. */
import type { RegisterTaskDefinitionInput } from '../api/task-definitions.ts';
import { compact } from '../compact.ts';
import { namePattern } from './cluster.ts';
import { checkEnvironment } from './environment-rules.ts';
import { checkLength, checkRange, clientFault, firstDouble, refuseNul } from './faults.ts';
import { limits, ulimitNames } from './limits.ts';
import { normaliseLogConfiguration } from './log-options.ts';
import { normalisePorts } from './normalise-ports.ts';
import { registryCredentialLimits } from './registry-credentials.ts';
import {
  type ContainerDefinition,
  type ContainerDependency,
  dependencyConditionSchema,
  type NetworkMode,
  type RepositoryCredentials,
  type Ulimit,
} from './task-definition.ts';

export type ContainerInput = RegisterTaskDefinitionInput['containerDefinitions'][number];

/** Throws ClientException with the path below `path`, for example `containerDefinitions[0]`. */
export function normaliseContainer(input: ContainerInput, path: string, networkMode: NetworkMode): ContainerDefinition {
  const { name, image } = identityOf(input, path);
  checkTexts(input, path);
  checkRange(clientFault, `${path}.startTimeout`, input.startTimeout, limits.timeoutSeconds);
  checkRange(clientFault, `${path}.stopTimeout`, input.stopTimeout, limits.timeoutSeconds);
  const { environment = [], ulimits } = input;
  checkEnvironment(environment, `${path}.environment`);
  checkUlimits(ulimits ?? [], `${path}.ulimits`);
  return compact({
    name,
    image,
    repositoryCredentials: credentialsOf(input, path),
    cpu: input.cpu ?? 0,
    memory: input.memory,
    memoryReservation: input.memoryReservation,
    essential: input.essential ?? true,
    entryPoint: input.entryPoint,
    command: input.command,
    environment,
    portMappings: normalisePorts(input.portMappings ?? [], `${path}.portMappings`, networkMode),
    ulimits,
    user: blankless(input.user),
    workingDirectory: blankless(input.workingDirectory),
    readonlyRootFilesystem: input.readonlyRootFilesystem,
    hostname: blankless(input.hostname),
    dockerLabels: input.dockerLabels,
    dependsOn: dependenciesOf(input, path),
    startTimeout: input.startTimeout,
    stopTimeout: input.stopTimeout,
    logConfiguration: normaliseLogConfiguration(input.logConfiguration, `${path}.logConfiguration`),
  });
}

/** Tools write an empty text for what nobody set. */
const blankless = (text: string | undefined): string | undefined => (text === '' ? undefined : text);

const imagePattern = /^[A-Za-z0-9][\w.\-:/#]*(@[A-Za-z0-9+._-]+:[0-9a-fA-F]{32,128})?$/;

function identityOf({ name, image }: ContainerInput, path: string): { name: string; image: string } {
  if (name === undefined || name === '')
    throw clientFault(`${path}.name`, 'Container.name should not be null or empty.');
  if (!namePattern.test(name))
    throw clientFault(
      `${path}.name`,
      `Container.name contains invalid characters or is too long: ${name}`,
      'It is 1 to 255 letters, digits, hyphens and underscores.',
    );
  if (image === undefined || image === '')
    throw clientFault(`${path}.image`, 'Container.image should not be null or empty.');
  const withoutDigest = image.split('@', 1)[0] ?? '';
  if (!imagePattern.test(image) || withoutDigest.length > 255)
    throw clientFault(
      `${path}.image`,
      `Container.image contains invalid characters or is too long: ${image}`,
      'It is repository[:tag] or repository@digest of at most 255 characters without the digest.',
    );
  return { name, image };
}

/** ECS takes the ARN of a secret here; it is the name of credentials of the cluster. */
function credentialsOf({ repositoryCredentials }: ContainerInput, path: string): RepositoryCredentials | undefined {
  if (repositoryCredentials === undefined) return undefined;
  const field = `${path}.repositoryCredentials.credentialsParameter`;
  const { credentialsParameter } = repositoryCredentials;
  checkLength(clientFault, field, credentialsParameter, registryCredentialLimits.name);
  return { credentialsParameter };
}

const hostnamePattern = /^[A-Za-z0-9]([A-Za-z0-9.-]{0,62}[A-Za-z0-9])?$/;
const userPattern = /^[^\s:\0]+(:[^\s:\0]+)?$/;

function checkTexts(input: ContainerInput, path: string): void {
  const { user = '', hostname = '', workingDirectory = '', entryPoint = [], command = [], dockerLabels = {} } = input;
  if (user !== '' && !userPattern.test(user))
    throw clientFault(`${path}.user`, `${path}.user must be user, uid, user:group or uid:gid; it is "${user}".`);
  // The kernel takes no host name longer than 64 bytes.
  if (hostname !== '' && !hostnamePattern.test(hostname))
    throw clientFault(
      `${path}.hostname`,
      `${path}.hostname must be 1 to 64 letters, digits, hyphens and dots; it is "${hostname}".`,
    );
  refuseNul(clientFault, `${path}.workingDirectory`, workingDirectory);
  for (const [index, part] of entryPoint.entries()) refuseNul(clientFault, `${path}.entryPoint[${index}]`, part);
  for (const [index, part] of command.entries()) refuseNul(clientFault, `${path}.command[${index}]`, part);
  if (Object.hasOwn(dockerLabels, ''))
    throw clientFault(`${path}.dockerLabels`, `${path}.dockerLabels has a label without a name.`);
}

function checkUlimits(ulimits: readonly Ulimit[], path: string): void {
  for (const [index, { name, softLimit, hardLimit }] of ulimits.entries()) {
    const field = `${path}[${index}]`;
    if (!ulimitNames.includes(name))
      throw clientFault(`${field}.name`, `There is no ulimit ${name}.`, `There are ${ulimitNames.join(', ')}.`);
    checkRange(clientFault, `${field}.softLimit`, softLimit, limits.ulimit);
    checkRange(clientFault, `${field}.hardLimit`, hardLimit, limits.ulimit);
    const unlimitedOverLimited = softLimit === -1 && hardLimit !== -1;
    if (unlimitedOverLimited || (hardLimit !== -1 && softLimit > hardLimit))
      throw clientFault(
        `${field}.softLimit`,
        `The soft limit of ${name} (${softLimit}) exceeds its hard limit (${hardLimit}).`,
      );
  }
  const double = firstDouble(ulimits, ({ name }) => name);
  if (double !== undefined)
    throw clientFault(`${path}[${double.index}].name`, `The ulimit ${double.item.name} is given twice.`);
}

function dependenciesOf({ dependsOn }: ContainerInput, path: string): ContainerDependency[] | undefined {
  return dependsOn?.map(({ containerName, condition }, index) => {
    const known = dependencyConditionSchema.safeParse(condition);
    if (known.success) return { containerName, condition: known.data };
    const field = `${path}.dependsOn[${index}].condition`;
    if (condition === 'HEALTHY')
      throw clientFault(field, `${field} HEALTHY is not supported yet.`, 'Use START, COMPLETE or SUCCESS.');
    throw clientFault(field, `${field} must be START, COMPLETE or SUCCESS; it is "${condition}".`);
  });
}
