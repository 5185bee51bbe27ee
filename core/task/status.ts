/**
 * What a task's three facts (desired, observed, verdict) amount to: ECS' lastStatus, desiredStatus, stop code and reason, times and
 * containers. Derived each time and never stored, so that no writer can contradict another.
 */
import { compact } from '../compact.ts';
import type { ContainerObservation, StopCode, Task, TaskStatus } from '../model/task.ts';

type Facts = Pick<Task, 'desired' | 'observed' | 'verdict' | 'hostId'>;

/** A verdict overrules what is observed; what is observed after it is history. */
export function lastStatus(task: Facts): TaskStatus {
  if (task.verdict !== undefined) return 'STOPPED';
  // Nobody may place it any more, and nothing of it runs.
  if (task.hostId === undefined) return task.desired.status === 'STOPPED' ? 'STOPPED' : 'PROVISIONING';
  return task.observed?.status ?? 'PENDING';
}

/** It was given up, and its host has not said that it is gone: its containers may run on, and what it holds of the host is held. */
export const mayStillRun = (task: Pick<Task, 'verdict' | 'hostId' | 'observed' | 'released'>): boolean =>
  task.verdict !== undefined && task.hostId !== undefined && !task.released && task.observed?.status !== 'STOPPED';

/** RUNNING until it is to stop, whoever decided that: what ListTasks selects by. */
export function desiredStatus(task: Facts): 'RUNNING' | 'STOPPED' {
  const status = lastStatus(task);
  const ending = status === 'STOPPING' || status === 'DEPROVISIONING' || status === 'STOPPED';
  return ending || task.desired.status === 'STOPPED' ? 'STOPPED' : 'RUNNING';
}

export interface StopCause {
  readonly stopCode: StopCode;
  readonly stoppedReason: string;
}

export const defaultStopReason = 'Task stopped by user';

/**
 * Why the task stops or stopped; undefined while nothing stops it. The agent names a cause only where its containers ended, or could
 * not be started, before it was told to stop them: then that cause came first.
 */
export function stopCause(task: Facts): StopCause | undefined {
  if (task.verdict !== undefined) return { stopCode: task.verdict.stopCode, stoppedReason: task.verdict.reason };
  const { stopCode, stoppedReason } = task.observed ?? {};
  if (stopCode !== undefined) return { stopCode, stoppedReason: stoppedReason ?? stopCode };
  if (task.desired.status !== 'STOPPED') return undefined;
  return {
    stopCode: task.desired.stopCode ?? 'UserInitiated',
    stoppedReason: task.desired.reason ?? defaultStopReason,
  };
}

/**
 * As clients are told it, with the container's reason where a task failed to start: some show nothing but this (Airflow), some look in it
 * for what is worth another try (Dagster).
 */
export function toldStopCause(task: Facts): StopCause | undefined {
  const cause = stopCause(task);
  if (cause?.stopCode !== 'TaskFailedToStart') return cause;
  const why = task.observed?.containers.find(({ reason }) => reason !== undefined)?.reason;
  return why === undefined ? cause : { ...cause, stoppedReason: `${cause.stoppedReason}: ${why}` };
}

/** ECS' timestamps (ecs-semantics.md 4.2), epoch milliseconds; absent where the task never came to that point. */
export interface TaskTimes {
  readonly createdAt: number;
  readonly pullStartedAt?: number;
  readonly pullStoppedAt?: number;
  readonly startedAt?: number;
  readonly stoppingAt?: number;
  readonly executionStoppedAt?: number;
  readonly stoppedAt?: number;
}

export function taskTimes(task: Facts & Pick<Task, 'createdAt'>): TaskTimes {
  const { observed, verdict } = task;
  return compact({
    createdAt: task.createdAt,
    pullStartedAt: observed?.pullStartedAt,
    pullStoppedAt: observed?.pullStoppedAt,
    startedAt: observed?.startedAt,
    stoppingAt: observed?.stoppingAt ?? verdict?.at,
    executionStoppedAt: observed?.executionStoppedAt,
    stoppedAt: verdict?.at ?? (task.hostId === undefined ? stoppedUnplacedAt(task) : observed?.stoppedAt),
  });
}

const stoppedUnplacedAt = ({ desired }: Facts): number | undefined =>
  desired.status === 'STOPPED' ? desired.at : undefined;

/** A container as clients may see it: once its task is STOPPED it reads STOPPED, whatever was observed last. */
export type ContainerView = ContainerObservation;

/** One for each name, in that order (the order of the task definition). */
export function containerViews(task: Facts, names: readonly string[]): ContainerView[] {
  const stopped = lastStatus(task) === 'STOPPED';
  return names.map((name) => {
    const seen = task.observed?.containers.find((container) => container.name === name);
    const view: ContainerView = seen ?? { name, status: 'PENDING', networkBindings: [] };
    return stopped && view.status !== 'STOPPED' ? { ...view, status: 'STOPPED' } : view;
  });
}
