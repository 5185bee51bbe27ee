/**
 * Which tasks may be stopped once a successor runs, and what a successor is: the same task again, under another id, that waits for a
 * host. Whoever makes one writes both at once, so that a task has one successor however often it is asked for.
 */
import type { Tag } from '../model/cluster.ts';
import type { Task } from '../model/task.ts';
import { lastStatus } from './status.ts';

const replaceableTag = 'gantry:replaceable';

export const hasReplaceableTag = (tags: readonly Tag[]): boolean => tags.some(({ key }) => key === replaceableTag);

/** A tag of the task counts before one of its revision; any value but `false` says yes. */
export function isReplaceable(taskTags: readonly Tag[], definitionTags: readonly Tag[]): boolean {
  const tag = [...taskTags, ...definitionTags].find(({ key }) => key === replaceableTag);
  return tag !== undefined && tag.value?.toLowerCase() !== 'false';
}

export interface Succession {
  /** The task as it names its successor. */
  readonly replaced: Task;
  readonly successor: Task;
}

/** Undefined where the task may not be replaced, or is to stop already. Whether it has a successor is for the caller to know. */
export function succeed(task: Task, successorId: string, now: number): Succession | undefined {
  const isOver = task.desired.status === 'STOPPED' || lastStatus(task) === 'STOPPED';
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

/** It has ended without ever having run: then its predecessor may have another. */
export const neverRan = (task: Task): boolean =>
  lastStatus(task) === 'STOPPED' && task.observed?.startedAt === undefined;
