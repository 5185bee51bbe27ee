/**
 * Protection of a task: for as long as it lasts, nothing moves the task for the sake of something else (consolidation, a replacement, a
 * rebalance). Whoever asks for its end still gets it, and when its machine goes it goes too.
 */
import type { Task } from '../model/task.ts';

export const isProtected = ({ protectedUntil }: Pick<Task, 'protectedUntil'>, now: number): boolean =>
  protectedUntil !== undefined && now < protectedUntil;

/** Undefined in place of a time: no more. */
export function protect(task: Task, until: number | undefined): Task {
  const { protectedUntil: _, ...rest } = task;
  return until === undefined ? rest : { ...rest, protectedUntil: until };
}
