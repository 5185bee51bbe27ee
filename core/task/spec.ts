/** The task spec that an agent gets: a revision with its overrides applied and every default resolved. Adds only what is true. */
import { compact } from '../compact.ts';
import { logTargetOf } from '../model/log-options.ts';
import { credentialsNameOf, type RegistryCredentials } from '../model/registry-credentials.ts';
import type { TaskOverrides } from '../model/task.ts';
import type { ContainerDefinition, KeyValue, TaskDefinition } from '../model/task-definition.ts';
import type { TaskLimits } from '../model/task-limits.ts';
import type { ContainerSpec, TaskSpec } from '../model/task-spec.ts';
import { effectivePorts, overrideContainer, taskSizes } from './effective.ts';

const defaultStopTimeoutSeconds = 30;

export interface SpecContext extends TaskLimits {
  readonly taskId: string;
  readonly taskArn: string;
  readonly cluster: string;
  readonly region: string;
  /** What the cluster has for private registries. */
  readonly registryCredentials?: readonly Pick<RegistryCredentials, 'name'>[];
}

export function resolveSpec(definition: TaskDefinition, overrides: TaskOverrides, context: SpecContext): TaskSpec {
  return {
    taskId: context.taskId,
    taskArn: context.taskArn,
    cluster: context.cluster,
    family: definition.family,
    revision: definition.revision,
    networkMode: definition.networkMode,
    ...taskSizes(definition, overrides),
    ...compact({ timeoutSeconds: context.timeoutSeconds, cpuLimitUnits: context.cpuLimitUnits }),
    containers: definition.containerDefinitions.map((container) =>
      resolveContainer(overrideContainer(container, overrides), definition, context),
    ),
  };
}

function resolveContainer(
  container: ContainerDefinition,
  definition: TaskDefinition,
  context: SpecContext,
): ContainerSpec {
  return compact({
    name: container.name,
    image: container.image,
    registryCredentials: credentialsNameOf(
      { image: container.image, ...container.repositoryCredentials },
      context.registryCredentials ?? [],
    ),
    essential: container.essential,
    cpuUnits: container.cpu,
    memoryMib: container.memory,
    memoryReservationMib: container.memoryReservation,
    entryPoint: container.entryPoint,
    command: container.command,
    environment: withRegion(container.environment, context.region),
    portMappings: [...effectivePorts(definition.networkMode, container.portMappings)],
    ulimits: container.ulimits ?? [],
    user: container.user,
    workingDirectory: container.workingDirectory,
    readonlyRootFilesystem: container.readonlyRootFilesystem ?? false,
    hostname: container.hostname,
    labels: { ...container.dockerLabels, ...identityLabels(container.name, definition, context) },
    dependsOn: container.dependsOn ?? [],
    startTimeoutSeconds: container.startTimeout,
    stopTimeoutSeconds: container.stopTimeout ?? defaultStopTimeoutSeconds,
    log: logTargetOf(container.logConfiguration, { ...context, container: container.name }),
  });
}

/** As ECS' agent does it: AWS clients in the container find their region, unless the definition chose one. */
function withRegion(environment: readonly KeyValue[], region: string): KeyValue[] {
  const added = ['AWS_REGION', 'AWS_DEFAULT_REGION']
    .filter((name) => !environment.some((variable) => variable.name === name))
    .map((name) => ({ name, value: region }));
  return [...environment, ...added];
}

const identityLabels = (
  name: string,
  definition: TaskDefinition,
  context: SpecContext,
): Readonly<Record<string, string>> => ({
  'com.amazonaws.ecs.cluster': context.cluster,
  'com.amazonaws.ecs.container-name': name,
  'com.amazonaws.ecs.task-arn': context.taskArn,
  'com.amazonaws.ecs.task-definition-family': definition.family,
  'com.amazonaws.ecs.task-definition-version': String(definition.revision),
});
