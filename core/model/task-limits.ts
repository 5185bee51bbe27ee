/**
 * Limits of a task that ECS does not know: how long it may wait for a host and how long it may run, and how much CPU it may use apart from
 * what it reserves. They come by a member of the request, or by tags that any client can send, on the request or on the revision; the first
 * of these that names one counts. What they are is settled when a task is made, so tags that change later are of the tasks that follow.
 */
import { compact } from '../compact.ts';
import { formatCpu } from '../text.ts';
import type { Tag } from './cluster.ts';
import { checkRange, parameterFault } from './faults.ts';
import { limits } from './limits.ts';
import { parseTaskCpu } from './sizes.ts';

/** A limit in seconds, by its member and by its tag; both ends of its range are in it. */
interface SecondsLimit {
  readonly member: 'timeoutSeconds' | 'placementTimeoutSeconds';
  readonly tag: string;
  readonly range: readonly [least: number, most: number];
}

const run: SecondsLimit = { member: 'timeoutSeconds', tag: 'gantry:timeout-seconds', range: limits.runSeconds };
const wait: SecondsLimit = {
  member: 'placementTimeoutSeconds',
  tag: 'gantry:placement-timeout-seconds',
  range: limits.waitSeconds,
};
const cpuLimitTag = 'gantry:cpu-limit';

export interface TaskLimits {
  readonly timeoutSeconds?: number;
  readonly cpuLimitUnits?: number;
}

interface Wish {
  readonly timeoutSeconds?: number | undefined;
  readonly placementTimeoutSeconds?: number | undefined;
  /** As a task's `cpu` is written. */
  readonly cpuLimit?: string | undefined;
  readonly tags?: readonly Tag[] | undefined;
}

/** A value and where it was written. */
interface Written<T> {
  readonly value: T;
  readonly field: string;
}

/** Throws InvalidParameterException, naming the member or the tag. `reservedCpuUnits`: of the task with its overrides. */
export function taskLimitsOf(wish: Wish, definitionTags: readonly Tag[], reservedCpuUnits: number): TaskLimits {
  const { cpuLimit, tags = [] } = wish;
  const cpu =
    cpuLimit === undefined ? tagged(cpuLimitTag, tags, definitionTags) : { value: cpuLimit, field: 'cpuLimit' };
  return compact({
    timeoutSeconds: secondsOf(run, wish, definitionTags),
    cpuLimitUnits: cpuOf(cpu, reservedCpuUnits),
  });
}

/** How long the tasks may wait for a host. Throws InvalidParameterException, naming the member or the tag. */
export const placementTimeoutOf = (wish: Wish, definitionTags: readonly Tag[]): number | undefined =>
  secondsOf(wait, wish, definitionTags);

/** Throws where one of our tags is among them with a value that means nothing. */
export function checkLimitTags(tags: readonly Tag[]): void {
  for (const limit of [run, wait]) secondsOf(limit, { tags }, []);
  cpuOf(tagged(cpuLimitTag, tags, []), 0);
}

/** A task that exists keeps the limits that it was made with: throws where other tags would seem to change them. */
export function refuseLimitChange(seen: readonly Tag[], next: readonly Tag[]): void {
  const changed = [run.tag, wait.tag, cpuLimitTag].find((key) => tagValue(seen, key) !== tagValue(next, key));
  if (changed === undefined) return;
  throw parameterFault(
    'tags',
    `${changed} is settled when a task is made; this task exists.`,
    'Give the tag to RunTask or to the task definition.',
  );
}

/** When it will have run for as long as it may: from the start of its first container; undefined where none runs, or without a timeout. */
export function runEndsAt(
  timeoutSeconds: number | undefined,
  containers: readonly { readonly startedAt?: number | undefined }[],
): number | undefined {
  const starts = containers.flatMap(({ startedAt }) => startedAt ?? []);
  return timeoutSeconds === undefined || starts.length === 0 ? undefined : Math.min(...starts) + timeoutSeconds * 1000;
}

const tagValue = (tags: readonly Tag[], wanted: string): string | undefined =>
  tags.find(({ key }) => key === wanted)?.value;

function tagged(key: string, tags: readonly Tag[], definitionTags: readonly Tag[]): Written<string> | undefined {
  const index = tags.findIndex((tag) => tag.key === key);
  if (index !== -1) return { value: tags[index]?.value ?? '', field: `tags[${index}].value` };
  const value = tagValue(definitionTags, key);
  return value === undefined ? undefined : { value, field: 'taskDefinition' };
}

function secondsOf(
  { member, tag, range }: SecondsLimit,
  wish: Wish,
  definitionTags: readonly Tag[],
): number | undefined {
  checkRange(parameterFault, member, wish[member], range);
  const written = wish[member] === undefined ? tagged(tag, wish.tags ?? [], definitionTags) : undefined;
  if (written === undefined) return wish[member];
  const { value, field } = written;
  const [least, most] = range;
  const seconds = /^\d{1,9}$/.test(value) ? Number(value) : undefined;
  if (seconds !== undefined && seconds >= least && seconds <= most) return seconds;
  throw parameterFault(field, `The tag ${tag} must be ${least} to ${most} seconds; it is "${value}".`);
}

/** A limit below what is reserved would keep the task from what is held for it. */
function cpuOf(written: Written<string> | undefined, reservedCpuUnits: number): number | undefined {
  if (written === undefined) return undefined;
  const { value, field } = written;
  const what = field === 'cpuLimit' ? 'cpuLimit' : `The tag ${cpuLimitTag}`;
  const units = Number(
    parseTaskCpu(
      (_, __, hint) => parameterFault(field, `${what} is no amount of CPU: "${value}".`, hint),
      field,
      value,
    ),
  );
  if (units >= reservedCpuUnits) return units;
  throw parameterFault(
    field,
    `${what} is ${formatCpu(units)}, less than the ${formatCpu(reservedCpuUnits)} that the task reserves.`,
    "Raise it, or lower the task's cpu.",
  );
}
