/**
 * Starts successors of tasks whose host goes: each task names its successor in the commit that makes it, so that it has one, whoever
 * asks and however often. One that ended without ever running gives its place to another. Stops nothing.
 */
import type { Task } from '../../core/model/task.ts';
import { neverRan, succeed } from '../../core/task/replaceable.ts';
import type { ControlDeps } from '../deps.ts';
import { addTask, getTasks, listTask, replaceTask } from '../store/tasks.ts';
import { listWaiting } from '../store/waiting-tasks.ts';

/** Four items a task. */
const tasksPerCommit = 25;

export interface Successors {
  /** By the id of the task that they replace. */
  readonly known: ReadonlyMap<string, Task>;
  readonly started: number;
}

/** Of those of the tasks that may be replaced. Where somebody else was quicker, some have none yet: ask again. */
export async function startSuccessors(deps: ControlDeps, tasks: readonly Task[]): Promise<Successors> {
  const named = tasks.flatMap(({ replacedBy }) => replacedBy ?? []);
  const byId = named.length === 0 ? new Map<string, Task>() : await getTasks(deps.table, named);
  const known = new Map<string, Task>();
  for (const { id, replacedBy = '' } of tasks) {
    const successor = byId.get(replacedBy);
    if (successor !== undefined && !neverRan(successor)) known.set(id, successor);
  }
  const now = deps.clock.now();
  const begun = tasks.flatMap((task) => {
    const made = known.has(task.id) ? undefined : succeed(task, deps.newId(), now);
    return made === undefined ? [] : [{ task, ...made }];
  });
  let started = 0;
  for (let from = 0; from < begun.length; from += tasksPerCommit) {
    const batch = begun.slice(from, from + tasksPerCommit);
    const { outcome } = await deps.table.commit(
      batch.flatMap(({ task, replaced, successor }) => [
        replaceTask(task, replaced, deps.settings.retentionSeconds),
        addTask(successor),
        listTask(successor),
        listWaiting(successor),
      ]),
    );
    if (outcome !== 'done') continue;
    started += batch.length;
    for (const { task, successor } of batch) {
      known.set(task.id, successor);
      for (const { id } of [task, successor]) deps.feed.changed(id);
    }
  }
  const cluster = tasks[0]?.cluster;
  if (started > 0 && cluster !== undefined)
    for (const loop of ['place-pending', 'expire-waiting', 'buy-capacity'] as const) deps.activate(loop, cluster);
  return { known, started };
}
