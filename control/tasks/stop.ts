/** Ends tasks because someone asked: a waiting one at once, a placed one by telling its host. Idempotent. */
import type { StopCode, Task } from '../../core/model/task.ts';
import { requestStop } from '../../core/task/transitions.ts';
import { attempt } from '../attempts.ts';
import type { ControlDeps } from '../deps.ts';
import { bumpGeneration } from '../store/host-capacity.ts';
import { changeHostTask } from '../store/hosts.ts';
import type { Change } from '../store/table.ts';
import { getTask, listTask, replaceTask } from '../store/tasks.ts';
import { wakeHosts } from './assign.ts';
import { endWaiting } from './end.ts';

export interface StopRequest {
  readonly reason?: string;
  readonly stopCode?: StopCode;
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
    const stopping = requestStop(task, { at: deps.clock.now(), ...request });
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

function changesOf({ settings }: ControlDeps, task: Task, stopping: Task): Change[] {
  if (task.hostId === undefined) return endWaiting(task, stopping, settings.retentionSeconds);
  return [
    replaceTask(task, stopping, settings.retentionSeconds),
    listTask(stopping),
    changeHostTask(task.hostId, task.id, stopping.desired),
    bumpGeneration(task.cluster, task.hostId),
  ];
}
