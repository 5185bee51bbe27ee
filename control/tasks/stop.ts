/**
 * Ends tasks because someone asked: a waiting one at once, a placed one by telling its host. By force also where the host does not
 * answer: then the task reads STOPPED, and the host gives back what it held once it is heard of again. Idempotent.
 */
import type { StopCode, Task } from '../../core/model/task.ts';
import { lastStatus } from '../../core/task/status.ts';
import { abandon, requestStop } from '../../core/task/transitions.ts';
import { attempt } from '../attempts.ts';
import type { ControlDeps } from '../deps.ts';
import { bumpGeneration } from '../store/host-states.ts';
import { changeHostTask, getHostCapacity } from '../store/hosts.ts';
import type { Change } from '../store/table.ts';
import { getTask, listTask, replaceTask, unlistTask } from '../store/tasks.ts';
import { wakeHosts } from './assign.ts';
import { endWaiting } from './end.ts';

export interface StopRequest {
  readonly reason?: string;
  readonly stopCode?: StopCode;
  /** SIGKILL at once. */
  readonly force?: boolean;
  /** Leaves the task alone where it says so of the task as it is in that moment. */
  readonly spares?: (task: Task) => boolean;
}

/** Answers the task as it is then; undefined where the cluster has no such task. */
export async function stopTask(
  deps: ControlDeps,
  cluster: string,
  taskId: string,
  { spares, ...request }: StopRequest,
): Promise<Task | undefined> {
  const answer = await attempt(deps, { most: 20, what: `task ${taskId}` }, async () => {
    const task = await getTask(deps.table, taskId);
    if (task === undefined || task.cluster !== cluster) return { task: undefined };
    if (spares?.(task) === true) return { task };
    const told = requestStop(task, { at: deps.clock.now(), ...request });
    const stopping = (request.force === true ? await abandoned(deps, told ?? task) : undefined) ?? told;
    if (stopping === undefined) return { task };
    const { outcome } = await deps.table.commit(changesOf(deps, task, stopping));
    return outcome === 'done' ? { task: { ...stopping, version: task.version + 1 }, changed: true } : undefined;
  });
  const { task } = answer;
  if (task !== undefined && 'changed' in answer) {
    deps.feed.changed(task.id);
    await wakeHosts(deps, task.hostId === undefined ? [] : [task.hostId]);
  }
  return task;
}

/** As it is without its host's word, where the host does not answer; undefined where it does, or the task has stopped. */
async function abandoned(deps: ControlDeps, task: Task): Promise<Task | undefined> {
  if (task.hostId === undefined) return undefined;
  const host = await getHostCapacity(deps.table, task.cluster, task.hostId);
  return host?.connected === true ? undefined : abandon(task, deps.clock.now());
}

function changesOf({ settings }: ControlDeps, task: Task, stopping: Task): Change[] {
  if (task.hostId === undefined) return endWaiting(task, stopping, settings.retentionSeconds);
  const isNews = stopping.desired !== task.desired;
  return [
    replaceTask(task, stopping, settings.retentionSeconds),
    lastStatus(stopping) === 'STOPPED' ? unlistTask(stopping) : listTask(stopping),
    ...(isNews
      ? [changeHostTask(task.hostId, task.id, stopping.desired), bumpGeneration(task.cluster, task.hostId)]
      : []),
  ];
}
