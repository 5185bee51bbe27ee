/** DescribeTasks, and what is common to operations on one task. Lists are list-tasks.ts, RunTask is run-task.ts. */
import { GantryError } from '../../core/errors.ts';
import type { Task } from '../../core/model/task.ts';
import { mayStillRun, taskTimes } from '../../core/task/status.ts';
import type { ControlDeps } from '../deps.ts';
import { getTasks as readTasks } from '../store/tasks.ts';
import { refuseTooMany } from './checks.ts';
import type { Handlers } from './context.ts';
import { activeClusterName, missingOf, tasksMeant } from './references.ts';
import { taskViews } from './views/task-views.ts';
import { withTags } from './views/with-tags.ts';

export const describeTasks: Handlers['DescribeTasks'] = async ({ deps }, input) => {
  const cluster = await activeClusterName(deps, input.cluster);
  if (input.tasks.length === 0) {
    throw new GantryError('InvalidParameterException', 'Tasks cannot be empty.', { field: 'tasks' });
  }
  refuseTooMany('tasks', input.tasks);
  const named = tasksMeant(deps, cluster, input.tasks);
  const read = await readTasks(
    deps.table,
    named.flatMap(({ id }) => id ?? []),
  );
  const found = new Map([...read].filter(([, task]) => task.cluster === cluster && !isForgotten(deps, task)));
  const asked = [...new Set(named.flatMap(({ id }) => found.get(id ?? '') ?? []))];
  const failures = missingOf(deps, 'task', cluster, named, (id) => found.has(id));
  const views = await taskViews(deps, cluster, asked);
  return { tasks: views.map((view) => withTags(view, input.include)), failures };
};

/** Its time is over, whether or not the store has deleted it yet. What may still run is kept. */
export const isForgotten = ({ clock, settings }: ControlDeps, task: Task): boolean => {
  const stoppedAt = mayStillRun(task) ? undefined : taskTimes(task).stoppedAt;
  return stoppedAt !== undefined && stoppedAt + settings.retentionSeconds * 1000 <= clock.now();
};

export async function onlyView(deps: ControlDeps, task: Task) {
  const [view] = await taskViews(deps, task.cluster, [task]);
  if (view === undefined) throw new Error(`task ${task.id} has no view`);
  return view;
}
