/** StopTask, DescribeTasks, GetTask. Lists are list-tasks.ts, RunTask is run-task.ts. */

import type { Input } from '../../core/api/operations.ts';
import { taskArn } from '../../core/arn.ts';
import { GantryError } from '../../core/errors.ts';
import type { Task } from '../../core/model/task.ts';
import { lastStatus, taskTimes } from '../../core/task/status.ts';
import type { ControlDeps } from '../deps.ts';
import { getTask as readTask, getTasks as readTasks } from '../store/tasks.ts';
import { type StopRequest, stopTask as stop } from '../tasks/stop.ts';
import { refuseTooMany } from './checks.ts';
import type { Handlers } from './context.ts';
import { activeClusterName, idWithin } from './references.ts';
import { taskViews } from './views/task-views.ts';
import { withTags } from './views/with-tags.ts';

export const stopTask: Handlers['StopTask'] = async ({ deps }, input) => {
  const cluster = await activeClusterName(deps, input.cluster);
  const id = idWithin(cluster, 'task', input.task);
  const task = id === undefined ? undefined : await stop(deps, cluster, id, stopWish(input));
  if (task === undefined || isForgotten(deps, task)) {
    throw new GantryError('InvalidParameterException', 'The referenced task was not found.', { field: 'task' });
  }
  return { task: await onlyView(deps, task) };
};

/** What clients that know no `force` may begin their reason with; the rest of it is the reason. */
const forceWord = /^gantry:force(\s+|$)/;

function stopWish({ reason = '', force = forceWord.test(reason) }: Input<'StopTask'>): StopRequest {
  const why = reason.replace(forceWord, '');
  // ECS keeps an empty reason for none.
  return { ...(why !== '' && { reason: why }), force };
}

export const describeTasks: Handlers['DescribeTasks'] = async ({ deps }, input) => {
  const cluster = await activeClusterName(deps, input.cluster);
  if (input.tasks.length === 0) {
    throw new GantryError('InvalidParameterException', 'Tasks cannot be empty.', { field: 'tasks' });
  }
  refuseTooMany('tasks', input.tasks);
  const named = input.tasks.map((reference) => ({ reference, id: idWithin(cluster, 'task', reference) }));
  const read = await readTasks(
    deps.table,
    named.flatMap(({ id }) => id ?? []),
  );
  const found = new Map([...read].filter(([, task]) => task.cluster === cluster && !isForgotten(deps, task)));
  const asked = [...new Set(named.flatMap(({ id }) => found.get(id ?? '') ?? []))];
  const failures = named
    .filter(({ id }) => !found.has(id ?? ''))
    .map(({ reference }) => ({
      arn: reference.startsWith('arn:') ? reference : taskArn(deps.realm, cluster, reference),
      reason: 'MISSING',
    }));
  const views = await taskViews(deps, cluster, asked);
  return { tasks: views.map((view) => withTags(view, input.include)), failures };
};

/** The longest that a gateway lets a request wait. */
const longestWaitSeconds = 25;

export const getTask: Handlers['GetTask'] = async ({ deps }, input) => {
  const cluster = await activeClusterName(deps, input.cluster);
  const id = idWithin(cluster, 'task', input.task);
  const { timeout = longestWaitSeconds } = input;
  if (timeout > longestWaitSeconds) {
    throw new GantryError('InvalidParameterException', `timeout may be at most ${longestWaitSeconds} seconds.`, {
      field: 'timeout',
      hint: 'Ask again to go on waiting.',
    });
  }
  const goal = goalOf(input);
  const read = async (): Promise<Task> => {
    const task = id === undefined ? undefined : await readTask(deps.table, id);
    if (task !== undefined && task.cluster === cluster && !isForgotten(deps, task)) return task;
    throw new GantryError('ResourceNotFoundException', `The cluster ${cluster} has no task ${input.task}.`, {
      field: 'task',
      hint: `Stopped tasks are forgotten after ${deps.settings.retentionSeconds / 86_400} days.`,
    });
  };
  if (goal === undefined || id === undefined) return { task: await onlyView(deps, await read()) };
  const task = await waitFor(deps, id, read, goal, timeout);
  return { task: await onlyView(deps, task), reached: reachedBy(task, goal) };
};

type Goal = 'running' | 'stopped' | { readonly changedSince: number };

function goalOf({ wait, version }: Input<'GetTask'>): Goal | undefined {
  if (wait !== 'changed' && version === undefined) return wait;
  if (wait === 'changed' && version !== undefined) return { changedSince: version };
  throw new GantryError('InvalidParameterException', 'version belongs to wait=changed, which needs it.', {
    field: 'version',
    hint: 'It is the `version` of the task that was answered last.',
  });
}

function reachedBy(task: Task, goal: Goal): 'yes' | 'not-yet' | 'never' {
  const status = lastStatus(task);
  if (typeof goal === 'object') {
    if (task.version !== goal.changedSince) return 'yes';
    return status === 'STOPPED' ? 'never' : 'not-yet';
  }
  if (goal === 'stopped') return status === 'STOPPED' ? 'yes' : 'not-yet';
  if (status === 'RUNNING') return 'yes';
  return status === 'PROVISIONING' || status === 'PENDING' ? 'not-yet' : 'never';
}

/** Reads again at each change that the feed tells of, until the goal is reached or the time is over. */
async function waitFor(
  { feed, sleep }: ControlDeps,
  taskId: string,
  read: () => Promise<Task>,
  goal: Goal,
  timeoutSeconds: number,
): Promise<Task> {
  let changed = Promise.withResolvers<'changed'>();
  // Subscribed before the first read, so that no change falls between the two.
  using _ = feed.subscribe(taskId, (progress) => {
    if (progress === undefined) changed.resolve('changed');
  });
  const over = new AbortController();
  const timeout = sleep(timeoutSeconds * 1000, over.signal).then(() => 'timeout' as const);
  try {
    for (;;) {
      const task = await read();
      if (reachedBy(task, goal) !== 'not-yet') return task;
      if ((await Promise.race([changed.promise, timeout])) === 'timeout') return await read();
      changed = Promise.withResolvers<'changed'>();
    }
  } finally {
    over.abort(); // No timer outlives its wait.
  }
}

/** Its time is over, whether or not the store has deleted it yet. */
export const isForgotten = ({ clock, settings }: ControlDeps, task: Task): boolean => {
  const { stoppedAt } = taskTimes(task);
  return stoppedAt !== undefined && stoppedAt + settings.retentionSeconds * 1000 <= clock.now();
};

async function onlyView(deps: ControlDeps, task: Task) {
  const [view] = await taskViews(deps, task.cluster, [task]);
  if (view === undefined) throw new Error(`task ${task.id} has no view`);
  return view;
}
