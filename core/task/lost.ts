/**
 * What becomes of the tasks of a host that is lost: nobody has heard of it for longer than its cluster wants to wait. A verdict each, and
 * a successor where the caller wants one although the task may still run.
 */
import type { StopCode, Task } from '../model/task.ts';
import { formatTime } from '../text.ts';
import { defaultStopReason, mayStillRun } from './status.ts';
import { giveVerdict } from './transitions.ts';

export interface Loss {
  readonly at: number;
  /** When the host was last heard of. */
  readonly heardAt: number;
}

/** Undefined where it has stopped. Who asked for its end is still why it stops. */
export function giveUpLost(task: Task, { at, heardAt }: Loss): Task | undefined {
  const { desired, observed, hostName = 'its host' } = task;
  const lost = `HostLost: ${hostName} was last heard of at ${formatTime(heardAt)}`;
  if (desired.status !== 'STOPPED')
    return giveVerdict(task, { at, stopCode: codeOf(observed?.startedAt), reason: lost });
  const reason = `${desired.reason ?? defaultStopReason} (${lost})`;
  return giveVerdict(task, { at, stopCode: desired.stopCode ?? 'UserInitiated', reason });
}

const codeOf = (startedAt: number | undefined): StopCode =>
  startedAt === undefined ? 'TaskFailedToStart' : 'InfrastructureHealth';

/**
 * Whether a task that was given up is to have a successor now. `isHeard`: its host is there again and says what it runs, so that what is
 * replaced can be stopped; without that it takes the caller's word that two copies may run.
 */
export const mayBeReplaced = (task: Task, isHeard: boolean): boolean =>
  mayStillRun(task) &&
  task.desired.status === 'RUNNING' &&
  task.replaceable === true &&
  (isHeard || task.replaceWhenLost === true);
