/** Passes pull progress on to whoever watches, once the task is known to be the sending host's own. For display only. */
import type { ProgressFrame } from '../../core/host-protocol.ts';
import type { ControlDeps } from '../deps.ts';
import { getTask } from '../store/tasks.ts';

/** Tasks whose host is remembered; the longest known are dropped first. */
const maxKnownTasks = 1000;

export function createProgressGate({
  table,
  feed,
  log,
}: Pick<ControlDeps, 'table' | 'feed' | 'log'>): (hostId: string, frame: ProgressFrame) => void {
  const hostOf = new Map<string, Promise<string | undefined>>();

  function lookUp(taskId: string): Promise<string | undefined> {
    const known = hostOf.get(taskId);
    if (known !== undefined) return known;
    const found = getTask(table, taskId).then((task) => task?.hostId);
    const oldest = hostOf.keys().next().value;
    if (hostOf.size >= maxKnownTasks && oldest !== undefined) hostOf.delete(oldest);
    hostOf.set(taskId, found);
    // Only an answer that stays true is kept: a task that waits may be placed, and a store that fails may recover.
    const forget = (): void => void hostOf.delete(taskId);
    found.then((hostId) => hostId === undefined && forget(), forget);
    return found;
  }

  return (hostId, frame) => {
    lookUp(frame.taskId).then(
      (owner) => {
        if (owner === hostId) feed.progress(frame);
      },
      (error: unknown) => log.debug({ err: error, taskId: frame.taskId }, 'a progress frame was dropped'),
    );
  };
}
