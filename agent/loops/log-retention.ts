/**
 * How long logs stay on the host: those of every task in the ledger, and of the last `keptLogs` tasks that left it, so that the output
 * of a stopped task can be read for a while and the disk that it takes is bounded. Knows tasks by their ids only.
 */
import type { Logger } from 'pino';
import type { Ledger } from '../ledger.ts';
import type { Runtime } from '../runtime.ts';
import type { Bell } from './bell.ts';

export const keptLogs = 200;

export interface LogRetentionDeps {
  readonly runtime: Pick<Runtime, 'tasksWithLogs' | 'removeLogs'>;
  readonly ledger: Pick<Ledger, 'get'>;
  /** Rings when a task has left the ledger. */
  readonly bell: Bell;
  readonly log: Logger;
}

export async function logRetentionLoop(
  { runtime, ledger, bell, log }: LogRetentionDeps,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    await bell.rung(signal);
    if (signal.aborted) return;
    try {
      const left = (await runtime.tasksWithLogs()).filter((taskId) => ledger.get(taskId) === undefined);
      for (const taskId of left.slice(0, Math.max(0, left.length - keptLogs))) await runtime.removeLogs(taskId);
    } catch (error) {
      log.warn({ err: error }, 'old logs cannot be removed now'); // The next task that leaves tries again.
    }
  }
}
