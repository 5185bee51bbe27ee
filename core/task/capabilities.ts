/**
 * What may be done with a task now, or the sentence that says why not: API, command line and console refuse the same things with the
 * same words. A refusal here is about the task's state; rights are checked elsewhere.
 */
import type { Task } from '../model/task.ts';
import { lastStatus } from './status.ts';
import { requestStop } from './transitions.ts';

export type Capability = { readonly can: true } | { readonly can: false; readonly why: string };

const yes: Capability = { can: true };
const no = (why: string): Capability => ({ can: false, why });

export const taskCan = {
  /**
   * The API answers a stop that is not needed like one that is, as ECS does; people are told. A task that was given up may still be
   * told to stop what runs of it.
   */
  stop(task: Task): Capability {
    if (requestStop(task, { at: 0 }) !== undefined) return yes;
    return no(lastStatus(task) === 'STOPPED' ? 'The task has stopped already.' : 'The task is stopping already.');
  },

  readLogs(task: Task): Capability {
    if (task.hostId === undefined) {
      return lastStatus(task) === 'STOPPED'
        ? no('The task was never placed on a host, so it has written nothing.')
        : no('The task waits for a host, so it has written nothing yet.');
    }
    const ran = task.observed?.containers.some(({ startedAt }) => startedAt !== undefined) ?? false;
    if (ran) return yes;
    return lastStatus(task) === 'STOPPED'
      ? no("None of the task's containers ever started, so it has written nothing.")
      : no("None of the task's containers has started yet.");
  },
} as const;
