/**
 * Takes away stopped tasks whose retention is over and which the store has not deleted by itself: DynamoDB does so late, and only
 * where the table was told to. Readers have treated them as gone since their time was over.
 */
import type { ControlDeps } from '../deps.ts';
import { allShards } from '../store/keys.ts';
import { deleteTask, stoppedTasksPage } from '../store/tasks.ts';
import type { ClusterLoop, LoopResult } from './loop.ts';

/** A shard's oldest; the next activation goes on. */
const tasksPerShard = 100;

export const collectGarbage: ClusterLoop = {
  name: 'collect-garbage',
  scope: 'cluster',
  periodSeconds: () => 3600,
  activate,
};

async function activate(deps: ControlDeps, cluster: string): Promise<LoopResult> {
  const counts = await Promise.all(allShards.map((shard) => collectShard(deps, cluster, shard)));
  return { changed: counts.reduce((sum, count) => sum + count, 0) };
}

async function collectShard({ table, clock }: ControlDeps, cluster: string, shard: number): Promise<number> {
  const now = clock.now();
  const { entries } = await stoppedTasksPage(table, cluster, shard, { limit: tasksPerShard });
  const expired = entries.filter(({ entry }) => (entry.expiresAt ?? Infinity) * 1000 <= now);
  if (expired.length === 0) return 0;
  const { outcome } = await table.commit(expired.map(({ entry }) => deleteTask(entry.task.id)));
  return outcome === 'done' ? expired.length : 0;
}
