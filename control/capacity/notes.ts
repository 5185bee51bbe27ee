/**
 * Tells each waiting task what is bought for it, or why nothing is. A member of its own: why no host takes it is told by placement, and
 * neither overwrites the other.
 */
import type { CapacityPlan } from '../../core/plan/capacity/types.ts';
import { lastStatus } from '../../core/task/status.ts';
import type { ControlDeps } from '../deps.ts';
import { getTasks, replaceTask } from '../store/tasks.ts';
import { listWaiting, type WaitingTask } from '../store/waiting-tasks.ts';

/** Two items a task. */
const notesPerCommit = 50;
/** Of one round; the next goes on. */
const notesPerRound = 500;

/** By task. What is bought only now is told by the next plan, which knows it as ordered. */
export function notesOf(plan: CapacityPlan): Map<string, string> {
  const notes = new Map(plan.awaited);
  for (const { taskIds, why } of plan.unmet) for (const taskId of taskIds) notes.set(taskId, why);
  return notes;
}

/** Answers how many were written. Where somebody else writes a task in this moment, the next round does it. */
export async function writeNotes(
  deps: ControlDeps,
  waiting: readonly WaitingTask[],
  notes: ReadonlyMap<string, string>,
): Promise<number> {
  const outdated = waiting.filter(({ taskId, capacityNote }) => {
    const note = notes.get(taskId);
    return note !== undefined && note !== capacityNote;
  });
  let written = 0;
  for (let from = 0; from < Math.min(outdated.length, notesPerRound); from += notesPerCommit)
    written += await writeSome(deps, outdated.slice(from, from + notesPerCommit), notes);
  return written;
}

async function writeSome(
  deps: ControlDeps,
  outdated: readonly WaitingTask[],
  notes: ReadonlyMap<string, string>,
): Promise<number> {
  const tasks = await getTasks(
    deps.table,
    outdated.map(({ taskId }) => taskId),
  );
  const noted = [...tasks.values()].flatMap((task) => {
    const capacityNote = notes.get(task.id);
    const isWaiting = lastStatus(task) === 'PROVISIONING';
    return capacityNote === undefined || !isWaiting ? [] : [{ task, next: { ...task, capacityNote } }];
  });
  if (noted.length === 0) return 0;
  const { outcome } = await deps.table.commit(
    noted.flatMap(({ task, next }) => [replaceTask(task, next, deps.settings.retentionSeconds), listWaiting(next)]),
  );
  if (outcome !== 'done') return 0;
  for (const { task } of noted) deps.feed.changed(task.id);
  return noted.length;
}
