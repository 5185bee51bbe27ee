/**
 * Takes away stopped tasks whose retention is over and which the store has not deleted by itself: DynamoDB does so late, and only
 * where the table was told to. Readers have treated them as gone since their time was over.
 */
import type { ControlDeps } from '../deps.ts';
import { maxChangesPerCommit } from '../store/table.ts';
import { deleteTask, stoppedTasks } from '../store/tasks.ts';
import type { ClusterLoop, LoopResult } from './loop.ts';

/** The oldest; where there are more, the next activation comes soon. */
const tasksPerActivation = 1000;
const goOnMs = 1000;

export const collectGarbage: ClusterLoop = {
  name: 'collect-garbage',
  scope: 'cluster',
  periodSeconds: () => 3600,
  activate,
};

async function activate({ table, clock }: ControlDeps, cluster: string): Promise<LoopResult> {
  const now = clock.now();
  const expired: string[] = [];
  for await (const { entry } of stoppedTasks(table, cluster, { pageSize: 100 })) {
    // In the order of their ends, and all with the same retention: the rest is younger.
    if ((entry.expiresAt ?? Infinity) * 1000 > now || expired.length === tasksPerActivation) break;
    expired.push(entry.task.id);
  }
  for (let from = 0; from < expired.length; from += maxChangesPerCommit) {
    await table.commit(expired.slice(from, from + maxChangesPerCommit).map(deleteTask));
  }
  const changed = expired.length;
  return changed === tasksPerActivation ? { changed, againAt: now + goOnMs } : { changed };
}
