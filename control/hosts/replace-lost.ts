/**
 * Successors of tasks that were given up with their host: for those whose caller wants it although they may still run, and, once the host
 * is heard again, for all that may be replaced. What is replaced is stopped once its successor runs, as in a drain; nothing else is.
 */
import type { Task } from '../../core/model/task.ts';
import { mayBeReplaced } from '../../core/task/lost.ts';
import { lastStatus } from '../../core/task/status.ts';
import type { ControlDeps } from '../deps.ts';
import { hostTasks } from '../store/hosts.ts';
import type { LostHost } from '../store/lost-hosts.ts';
import { getTasks } from '../store/tasks.ts';
import { stopTask } from '../tasks/stop.ts';
import { startSuccessors } from '../tasks/successors.ts';

export interface Replacement {
  readonly changed: number;
  /** Tasks that are not stopped yet: their successors do not run. */
  readonly left: number;
}

/** `isHeard`: the host is there again, and has reported everything. */
export async function replaceLost(deps: ControlDeps, lost: LostHost, isHeard: boolean): Promise<Replacement> {
  const entries = await hostTasks(deps.table, lost.hostId);
  const ids = entries.flatMap(({ taskId, desired }) => (desired.status === 'RUNNING' ? [taskId] : []));
  const tasks = [...(await getTasks(deps.table, ids)).values()].filter((task) => mayBeReplaced(task, isHeard));
  if (tasks.length === 0) return { changed: 0, left: 0 };
  const { known, started } = await startSuccessors(deps, tasks);
  let stopped = 0;
  for (const task of tasks) {
    const successor = known.get(task.id);
    if (successor === undefined || lastStatus(successor) !== 'RUNNING') continue;
    await stopReplaced(deps, task, successor);
    stopped += 1;
  }
  return { changed: started + stopped, left: tasks.length - stopped };
}

const stopReplaced = (deps: ControlDeps, { cluster, id }: Task, successor: Task): Promise<Task | undefined> =>
  stopTask(deps, cluster, id, {
    stopCode: 'InfrastructureHealth',
    reason: `Its host was lost; the task ${successor.id} runs instead.`,
  });
