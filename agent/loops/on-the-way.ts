/**
 * News of tasks on their way. What is learned of one on its way to RUNNING (image digest, container id) or to STOPPED (it is asked to end,
 * its containers have ended, its network is being removed) changes nothing that anybody waits for: it may wait a while for the news that
 * ends the way, and does not go with the news of other tasks before. A warm start then costs one report, not four, and an end one, not four.
 */
import type { LedgerTask } from '../../core/plan/ledger.ts';
import { observationOf } from '../../core/plan/observation.ts';
import type { Clock } from '../clock.ts';

const patienceMs = 1000;

export interface OnTheWay {
  /** The task has news. Rings when they are due: at once where nothing is to be waited for. */
  changed(task: LedgerTask): void;
  /** Its news is not due yet. */
  waits(taskId: string): boolean;
}

export function createOnTheWay(clock: Clock, ring: () => void): OnTheWay {
  /** Epoch milliseconds at which the oldest news came, by task; the oldest first. */
  const waiting = new Map<string, number>();
  let isTimed = false;

  const leftMs = (since: number): number => {
    const left = since + patienceMs - clock.now();
    return left > patienceMs ? 0 : left; // The clock was set back.
  };
  const untilNoneWaits = async (): Promise<void> => {
    isTimed = true;
    for (;;) {
      const [oldest] = waiting.values();
      if (oldest === undefined) break;
      await clock.sleep(Math.max(1, leftMs(oldest)));
      let isAnyDue = false;
      for (const [taskId, since] of waiting) {
        if (leftMs(since) > 0) break;
        isAnyDue = waiting.delete(taskId);
      }
      if (isAnyDue) ring();
    }
    isTimed = false;
  };

  return {
    changed(task) {
      const { taskId } = task;
      if (!isOnItsWay(task)) {
        waiting.delete(taskId);
        return ring();
      }
      if (!waiting.has(taskId)) waiting.set(taskId, clock.now());
      if (!isTimed) void untilNoneWaits();
    },
    waits: (taskId) => waiting.has(taskId),
  };
}

function isOnItsWay(task: LedgerTask): boolean {
  const { status } = observationOf(task);
  return status === 'RUNNING' ? task.desired.status === 'STOPPED' : status !== 'STOPPED';
}
