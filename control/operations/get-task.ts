/** GetTask: one task whole, on wish once it has reached a status or changed. */
import type { Input } from '../../core/api/operations.ts';
import { GantryError } from '../../core/errors.ts';
import type { Task } from '../../core/model/task.ts';
import { lastStatus } from '../../core/task/status.ts';
import { getTask as readTask } from '../store/tasks.ts';
import type { Handlers } from './context.ts';
import { activeClusterName, taskIdMeant } from './references.ts';
import { isForgotten, onlyView } from './tasks.ts';
import { readUntil, waitSeconds } from './waiting.ts';

export const getTask: Handlers['GetTask'] = async ({ deps }, input) => {
  const cluster = await activeClusterName(deps, input.cluster);
  const id = taskIdMeant(deps, cluster, input.task);
  const timeout = waitSeconds(input.timeout);
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
  const wait = { topic: id, seconds: timeout, isReached: (seen: Task) => reachedBy(seen, goal) !== 'not-yet' };
  const task = await readUntil(deps, wait, read);
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
