/**
 * Which tasks may be stopped once a successor runs, and what a successor is: the same task again, under another id, that waits for a
 * host. Whoever makes one writes both at once, so that a task has one successor however often it is asked for.
 */
import type { Tag } from '../model/cluster.ts';
import type { Task } from '../model/task.ts';
import { lastStatus, mayStillRun } from './status.ts';

const replaceableTag = 'gantry:replaceable';

export const hasReplaceableTag = (tags: readonly Tag[]): boolean => tags.some(({ key }) => key === replaceableTag);

/** What the tag `gantry:replaceable` says: any value but `false` that it may be; `always`, also while nobody can know whether it runs. */
export type Replaceability = Pick<Task, 'replaceable' | 'replaceWhenLost'>;

/** A tag of the task counts before one of its revision. */
export function replaceabilityOf(taskTags: readonly Tag[], definitionTags: readonly Tag[]): Replaceability {
  const tag = [...taskTags, ...definitionTags].find(({ key }) => key === replaceableTag);
  const value = tag?.value?.toLowerCase();
  if (tag === undefined || value === 'false') return {};
  return value === 'always' ? { replaceable: true, replaceWhenLost: true } : { replaceable: true };
}

export interface Succession {
  /** The task as it names its successor. */
  readonly replaced: Task;
  readonly successor: Task;
}

/**
 * Undefined where the task may not be replaced, or is to stop already. Whether it has a successor, and whether it may have one beside what
 * may still run of it, is for the caller to know.
 */
export function succeed(task: Task, successorId: string, now: number): Succession | undefined {
  const isOver = task.desired.status === 'STOPPED' || (lastStatus(task) === 'STOPPED' && !mayStillRun(task));
  if (task.replaceable !== true || isOver) return undefined;
  const {
    hostId: _hostId,
    hostName: _hostName,
    placedAt: _placedAt,
    placementReason: _placementReason,
    hostGoes: _hostGoes,
    protectedUntil: _protectedUntil,
    explanation: _explanation,
    capacityNote: _capacityNote,
    quotaOf: _quotaOf,
    observed: _observed,
    verdict: _verdict,
    replacedBy: _replacedBy,
    ...same
  } = task;
  const successor: Task = {
    ...same,
    id: successorId,
    replaces: task.id,
    createdAt: now,
    placementDeadline: now + (task.placementDeadline - task.createdAt),
    desired: { status: 'RUNNING', version: 1, at: now },
    released: false,
    version: 1,
  };
  return { replaced: { ...task, replacedBy: successorId }, successor };
}

/** It has ended without ever having run: then its predecessor may have another. Of one whose host is lost nobody knows that. */
export const neverRan = (task: Task): boolean =>
  lastStatus(task) === 'STOPPED' && task.observed?.startedAt === undefined && !mayStillRun(task);
