/** A RunTask request from the options of `gantry run`. Whether it makes sense is the control plane's to say; here only what flags mean. */
import type { Input } from '../core/api/operations.ts';
import type { TaskDefinitionView } from '../core/api/shapes.ts';
import { compact } from '../core/compact.ts';
import type { ArgumentSpec, OptionSpec, OptionValues } from './command.ts';
import { pairOf } from './pair.ts';
import { usage } from './parse.ts';

export const taskArgument: ArgumentSpec = {
  name: 'task',
  summary: 'FAMILY (its latest revision), FAMILY:REVISION, ARN, or a JSON or YAML file',
  required: true,
  completes: ['revision', 'file'],
};

/** A family has no dot and no slash; an ARN has a slash. */
export const taskIsFile = (named: string): boolean =>
  named === '-' || (/[./]/.test(named) && !named.startsWith('arn:'));

/** What may differ from the revision. */
export const overrideOptions = {
  container: {
    type: 'string',
    value: 'NAME',
    summary: 'The container that is overridden and whose exit code counts (of several)',
  },
  env: { type: 'string', short: 'e', value: 'NAME=VALUE', multiple: true, summary: 'Set a variable of the container' },
  cpu: { type: 'integer', value: 'UNITS', min: 1, summary: 'CPU units: 1024 are a vCPU' },
  memory: { type: 'integer', value: 'MIB', min: 1, summary: 'Memory limit in MiB' },
} as const satisfies Record<string, OptionSpec>;

/** How and where it is to run. */
export const requestOptions = {
  count: { type: 'integer', short: 'n', value: 'N', min: 1, summary: 'How many (default: 1)' },
  group: { type: 'string', value: 'NAME', summary: 'The group of the tasks (default: family:FAMILY)' },
  'started-by': { type: 'string', value: 'NAME', summary: 'Who started them; `gantry ps --started-by` finds them' },
  'launch-type': {
    type: 'string',
    choices: ['EC2'],
    summary: 'With EC2, what does not fit is refused instead of waiting',
  },
  'capacity-provider': {
    type: 'string',
    value: 'NAME[:WEIGHT[:BASE]]',
    multiple: true,
    summary: 'On hosts of this capacity provider, bought where there are none (of several, by weight)',
  },
  strategy: {
    type: 'string',
    value: 'TYPE[:FIELD]',
    multiple: true,
    summary: 'spread:instanceId, spread:attribute:NAME, binpack:cpu|memory, random',
  },
  constraint: {
    type: 'string',
    value: 'TYPE',
    multiple: true,
    summary: 'distinctInstance: a host for each; memberOf:EXPR: hosts of which it is true',
  },
  tag: { type: 'string', value: 'KEY=VALUE', multiple: true, summary: 'Tag the tasks' },
  'placement-timeout': {
    type: 'integer',
    value: 'SECONDS',
    min: 1,
    summary: 'Give up waiting for a host (default: what the definition says, or 600)',
  },
  'task-timeout': {
    type: 'integer',
    value: 'SECONDS',
    min: 1,
    summary: 'How long each may run: then its host stops it, whoever is away',
  },
  'cpu-limit': {
    type: 'string',
    value: 'CPU',
    summary: 'CPU units ("1536") or vCPU ("1.5 vCPU") that each may use, where that is more than it reserves',
  },
} as const satisfies Record<string, OptionSpec>;

type RunTaskInput = Input<'RunTask'>;
type Overrides = NonNullable<RunTaskInput['overrides']>;
type OverrideValues = OptionValues<typeof overrideOptions>;

const command = { name: 'run' };

/** Also where a container is only named: then somebody must look whether there is one. */
export const changesContainer = ({ container, env, cpu, memory }: OverrideValues, rest: readonly string[]): boolean =>
  rest.length > 0 || container !== undefined || env !== undefined || cpu !== undefined || memory !== undefined;

/** Members of the request that do not depend on what is in the revision. */
export function requestMembers(options: OptionValues<typeof requestOptions>): Omit<RunTaskInput, 'taskDefinition'> {
  return compact({
    count: options.count,
    group: options.group,
    startedBy: options['started-by'],
    launchType: options['launch-type'],
    capacityProviderStrategy: options['capacity-provider']?.map(strategyItemOf),
    placementTimeoutSeconds: options['placement-timeout'],
    timeoutSeconds: options['task-timeout'],
    cpuLimit: options['cpu-limit'],
    placementStrategy: options.strategy?.map(strategyOf),
    placementConstraints: options.constraint?.map(constraintOf),
    tags: options.tag?.map((text) => {
      const { name: key, value } = pairOf(command, '--tag', text);
      return { key, value };
    }),
  });
}

function strategyItemOf(text: string): NonNullable<RunTaskInput['capacityProviderStrategy']>[number] {
  const [capacityProvider = '', ...numbers] = text.split(':');
  if (capacityProvider === '' || numbers.length > 2 || numbers.some((number) => !/^\d+$/.test(number)))
    throw usage(command, `--capacity-provider takes a name, a weight and a base, as web:3:1, not '${text}'`);
  const [weight = 1, base = 0] = numbers.map(Number);
  return { capacityProvider, weight, base };
}

function constraintOf(text: string): { type: string; expression?: string } {
  const colon = text.indexOf(':');
  return colon === -1 ? { type: text } : { type: text.slice(0, colon), expression: text.slice(colon + 1) };
}

function strategyOf(text: string): { type: string; field?: string } {
  const colon = text.indexOf(':');
  return colon === -1 ? { type: text } : { type: text.slice(0, colon), field: text.slice(colon + 1) };
}

/**
 * The command after `--`, --env and the sizes as overrides. Sizes are those of the named container; where none is named, also those of
 * the task, so that `--memory 128` gives a task of one container 128 MiB wherever its limit is set.
 */
export function overridesOf(
  definition: TaskDefinitionView,
  options: OverrideValues,
  rest: readonly string[],
): Overrides {
  const { containerDefinitions } = definition;
  const only = containerDefinitions.length === 1 ? containerDefinitions[0] : undefined;
  const container = options.container === undefined ? only : containerNamed(definition, options.container);
  const ofTask = options.container === undefined || only !== undefined;
  const needsContainer = rest.length > 0 || options.env !== undefined || !taskHasSizes(definition, options);
  if (container === undefined && needsContainer)
    throw usage(
      command,
      `${definition.family} has ${containerDefinitions.length} containers; name one with --container`,
    );
  const containerOverride = container && {
    name: container.name,
    ...compact({
      command: rest.length > 0 ? [...rest] : undefined,
      environment: options.env?.map((text) => pairOf(command, '--env', text)),
      cpu: container.cpu > 0 || definition.cpu === undefined ? options.cpu : undefined,
      memory: container.memory !== undefined || definition.memory === undefined ? options.memory : undefined,
    }),
  };
  return {
    ...(containerOverride !== undefined && { containerOverrides: [containerOverride] }),
    ...(ofTask &&
      compact({ cpu: sizeOf(definition.cpu, options.cpu), memory: sizeOf(definition.memory, options.memory) })),
  };
}

/** Whether every size that is overridden is one that the task sets. */
const taskHasSizes = ({ cpu, memory }: TaskDefinitionView, options: OverrideValues): boolean =>
  (options.cpu === undefined || cpu !== undefined) && (options.memory === undefined || memory !== undefined);

/** As ECS writes it; only where the revision sets one. */
const sizeOf = (set: string | undefined, wanted: number | undefined): string | undefined =>
  set === undefined || wanted === undefined ? undefined : String(wanted);

function containerNamed({ family, containerDefinitions }: TaskDefinitionView, name: string) {
  const found = containerDefinitions.find((container) => container.name === name);
  if (found !== undefined) return found;
  const known = containerDefinitions.map((container) => container.name).join(', ');
  throw usage(command, `${family} has no container ${name}; it has ${known}`);
}
