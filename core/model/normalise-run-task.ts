/**
 * A RunTask request with every default resolved and every rule checked against the revision that it runs. Throws on the first thing
 * wrong, naming the member. Knows neither store nor hosts.
 */
import type { RunTaskInput } from '../api/tasks.ts';
import { compact } from '../compact.ts';
import { strategyProblem } from '../placement/strategies.ts';
import { needsOf } from '../task/create.ts';
import { replaceabilityOf } from '../task/replaceable.ts';
import { normaliseStrategy } from './capacity-strategy.ts';
import type { Cluster, StrategyItem, Tag } from './cluster.ts';
import { checkLength, checkRange, noFargate, parameterFault } from './faults.ts';
import { fieldWarnings, refuseFields } from './field-rules.ts';
import { normaliseConstraints } from './normalise-constraints.ts';
import { normaliseOverrides } from './normalise-overrides.ts';
import type { PlacementConstraint } from './placement-constraint.ts';
import { runTaskFields } from './run-task-fields.ts';
import { checkTags } from './tag-rules.ts';
import {
  launchTypeSchema,
  type PlacementStrategy,
  placementStrategySchema,
  type Task,
  type TaskOverrides,
} from './task.ts';
import type { TaskDefinition } from './task-definition.ts';
import { placementTimeoutOf, type TaskLimits, taskLimitsOf } from './task-limits.ts';

export interface NormalisedRunTask extends TaskLimits {
  readonly count: number;
  /** Absent where the caller named none: then what does not fit waits. */
  readonly launchType?: Exclude<Task['launchType'], undefined>;
  /** `family:<family>` where the caller named none. */
  readonly group: string;
  readonly startedBy?: string;
  readonly referenceId?: string;
  /** Task-level sizes are decimal strings of CPU units and MiB. */
  readonly overrides: TaskOverrides;
  readonly constraints: PlacementConstraint[];
  readonly strategies: PlacementStrategy[];
  /** The caller's, then what propagateTags and enableECSManagedTags add. */
  readonly tags: Tag[];
  readonly replaceable?: boolean;
  readonly replaceWhenLost?: boolean;
  /** The caller's, or the cluster's where the caller names no launch type either; empty: tasks go where they fit. */
  readonly strategy: StrategyItem[];
  /** Absent where neither caller nor revision names one: the control plane's own setting holds. */
  readonly placementTimeoutSeconds?: number;
}

export interface RunTaskSubject {
  readonly cluster: Pick<Cluster, 'name' | 'capacityProviders' | 'defaultStrategy'>;
  readonly definition: TaskDefinition;
  /** Of the revision. */
  readonly definitionTags: readonly Tag[];
}

/** All but which revision it is. */
type RunTaskWish = Omit<RunTaskInput, 'taskDefinition'>;

/** ECS has 10. Somewhere a slip of the hand must end. */
const mostTasks = 100_000;

/** Throws GantryError with ECS' code and the path of the member at fault. */
export function normaliseRunTask(input: RunTaskWish, subject: RunTaskSubject): NormalisedRunTask {
  const { count = 1 } = input;
  const launchType = launchTypeOf(input, subject.definition);
  refuseFields(runTaskFields, input);
  checkRange(parameterFault, 'count', count, [1, mostTasks]);
  checkTexts(input);
  const overrides = normaliseOverrides(input.overrides ?? {}, subject.definition);
  const tags = tagsOf(input, subject);
  return compact({
    count,
    launchType,
    group: input.group ?? `family:${subject.definition.family}`,
    startedBy: input.startedBy,
    referenceId: input.referenceId,
    overrides,
    constraints: normaliseConstraints(parameterFault, input.placementConstraints ?? []),
    strategies: strategiesOf(input),
    strategy: strategyOf(input, subject.cluster),
    tags,
    ...replaceabilityOf(input.tags ?? [], subject.definitionTags),
    placementTimeoutSeconds: placementTimeoutOf(input, subject.definitionTags),
    ...taskLimitsOf(input, subject.definitionTags, needsOf(subject.definition, overrides, {}).reservation.cpuUnits),
  });
}

/** What of the request is recorded or ignored, and why: a sentence each. */
export const runTaskWarnings = (input: RunTaskWish): string[] => fieldWarnings(runTaskFields, input);

function launchTypeOf(
  { launchType, capacityProviderStrategy }: RunTaskWish,
  { requiresCompatibilities }: TaskDefinition,
): NormalisedRunTask['launchType'] {
  if (launchType === 'FARGATE') throw noFargate('launchType');
  if (capacityProviderStrategy !== undefined && capacityProviderStrategy.length > 0 && launchType !== undefined)
    throw parameterFault(
      'capacityProviderStrategy',
      'Specify either Launch Type or Capacity Provider Strategy, but not both.',
    );
  if (launchType === undefined) return undefined;
  const known = launchTypeSchema.safeParse(launchType);
  if (!known.success)
    throw parameterFault(
      'launchType',
      `launchType must be EC2 or EXTERNAL; it is "${launchType}".`,
      'Or leave it out.',
    );
  if (requiresCompatibilities !== undefined && !requiresCompatibilities.includes(launchType))
    throw parameterFault(
      'launchType',
      `Task definition does not support launch_type ${launchType}.`,
      `The revision requires ${requiresCompatibilities.join(', ')}.`,
    );
  return known.data;
}

function strategyOf(
  { launchType, capacityProviderStrategy = [] }: RunTaskWish,
  { capacityProviders, defaultStrategy }: RunTaskSubject['cluster'],
): StrategyItem[] {
  if (capacityProviderStrategy.length > 0)
    return normaliseStrategy('capacityProviderStrategy', capacityProviderStrategy, capacityProviders);
  return launchType === undefined ? defaultStrategy : [];
}

function checkTexts({ group, startedBy, referenceId }: RunTaskWish): void {
  checkLength(parameterFault, 'group', group, [1, 255]);
  checkLength(parameterFault, 'referenceId', referenceId, [0, 1024]);
  // Of any characters: ecs-deploy says `ECS Deploy`, Airflow the name of a DAG's owner.
  checkLength(parameterFault, 'startedBy', startedBy, [1, 128]);
}

/** ECS' limit of one call. */
const mostStrategies = 5;

function strategiesOf({ placementStrategy = [] }: RunTaskWish): PlacementStrategy[] {
  checkLength(parameterFault, 'placementStrategy', placementStrategy, [0, mostStrategies]);
  return placementStrategy.map(({ type, field }, index) => {
    const path = `placementStrategy[${index}]`;
    const known = placementStrategySchema.safeParse(compact({ type, field: field === '' ? undefined : field }));
    if (!known.success)
      throw parameterFault(`${path}.type`, `${path}.type must be spread, binpack or random; it is "${type ?? ''}".`);
    const problem = strategyProblem(known.data);
    if (problem !== undefined) throw parameterFault(`${path}.field`, `${path}: ${problem}.`);
    return known.data;
  });
}

function tagsOf(input: RunTaskWish, { cluster, definitionTags }: RunTaskSubject): Tag[] {
  const { tags = [], propagateTags = 'NONE', enableECSManagedTags = false } = input;
  checkTags(tags);
  const propagated = propagates(propagateTags) ? definitionTags : [];
  const merged = [...tags, ...propagated.filter(({ key }) => !tags.some((own) => own.key === key))];
  checkTags(merged);
  return enableECSManagedTags ? [...merged, { key: 'aws:ecs:clusterName', value: cluster.name }] : merged;
}

function propagates(propagateTags: string): boolean {
  if (propagateTags === 'NONE' || propagateTags === 'TASK_DEFINITION') return propagateTags === 'TASK_DEFINITION';
  throw parameterFault(
    'propagateTags',
    `propagateTags must be TASK_DEFINITION or NONE; it is "${propagateTags}".`,
    'Only a service has tags of a service.',
  );
}
