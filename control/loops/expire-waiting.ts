/**
 * Ends tasks that have waited for a host until their deadline, by a verdict that says what was lacking; in a cluster that was deleted,
 * all that wait.
 */
import type { Task } from '../../core/model/task.ts';
import { giveVerdict } from '../../core/task/transitions.ts';
import type { ControlDeps } from '../deps.ts';
import { getCluster } from '../store/clusters.ts';
import { getTasks } from '../store/tasks.ts';
import { type WaitingTask, waitingTasks } from '../store/waiting-tasks.ts';
import { endWaiting } from '../tasks/end.ts';
import type { ClusterLoop, LoopResult } from './loop.ts';

/** Three items a task. */
const tasksPerCommit = 33;
const retrySoonMs = 1000;

export const expireWaiting: ClusterLoop = {
  name: 'expire-waiting',
  scope: 'cluster',
  periodSeconds: (deps) => deps.settings.heartbeatSeconds,
  activate,
};

async function activate(deps: ControlDeps, cluster: string): Promise<LoopResult> {
  const now = deps.clock.now();
  const waiting = await waitingTasks(deps.table, cluster);
  if (waiting.length === 0) return { changed: 0 };
  const isDeleted = (await getCluster(deps.table, cluster))?.status !== 'ACTIVE';
  const isOver = (task: WaitingTask): boolean => isDeleted || task.placementDeadline <= now;
  const expired = waiting.filter(isOver).map(({ taskId }) => taskId);
  let changed = 0;
  for (let from = 0; from < expired.length; from += tasksPerCommit) {
    const reasonOf = isDeleted ? () => clusterDeleted : notPlaced;
    changed += await expire(deps, expired.slice(from, from + tasksPerCommit), reasonOf);
  }
  if (changed > 0 && !isDeleted) deps.metrics.count('PlacementTimedOut', changed, { cluster });
  const nextDeadline = Math.min(
    ...waiting.filter((task) => !isOver(task)).map((task) => task.placementDeadline),
    changed < expired.length ? now + retrySoonMs : Infinity,
  );
  return Number.isFinite(nextDeadline) ? { changed, againAt: nextDeadline } : { changed };
}

async function expire(
  deps: ControlDeps,
  taskIds: readonly string[],
  reasonOf: (task: Task) => string,
): Promise<number> {
  const at = deps.clock.now();
  const tasks = [...(await getTasks(deps.table, taskIds)).values()];
  const ended = tasks.flatMap((task) => {
    const next = giveVerdict(task, { at, stopCode: 'TaskFailedToStart', reason: reasonOf(task) });
    // Placed or stopped since the list was read: then it has left the list.
    return next === undefined || task.hostId !== undefined ? [] : [{ task, next }];
  });
  if (ended.length === 0) return 0;
  const { outcome } = await deps.table.commit(
    ended.flatMap(({ task, next }) => endWaiting(task, next, deps.settings.retentionSeconds)),
  );
  if (outcome !== 'done') return 0;
  for (const { task } of ended) deps.feed.changed(task.id);
  return ended.length;
}

const clusterDeleted = 'TaskFailedToStart: the cluster was deleted';

/** Begins as ECS' text does, because clients look for `RESOURCE:MEMORY` and the like; then how long it waited, and for what. */
function notPlaced({ explanation, capacityNote, createdAt, placementDeadline }: Task): string {
  const reason = explanation?.histogram[0]?.reason ?? 'NO ACTIVE INSTANCES';
  const seconds = Math.round((placementDeadline - createdAt) / 1000);
  const why = explanation?.sentence ?? 'nothing is known of what was lacking';
  const bought = capacityNote === undefined ? '' : `; ${capacityNote}`;
  return `TaskFailedToStart: ${reason}: no host could take the task within ${seconds} s: ${why}${bought}`;
}
