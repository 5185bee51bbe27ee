/**
 * Tells tasks that their host is going to be taken away, or that it is not after all: on the task itself, where its view, its events and
 * its story have it long before anything is stopped. Stops nothing.
 */
import { isDeepStrictEqual } from 'node:util';
import type { HostGoes, Task } from '../../core/model/task.ts';
import type { ControlDeps } from '../deps.ts';
import { replaceTask } from '../store/tasks.ts';

const tasksPerCommit = 50;

/** Answers the tasks as they are then. Those that somebody else has changed meanwhile do not know it yet: ask again. */
export async function tellTasks(
  deps: ControlDeps,
  tasks: readonly Task[],
  word: Omit<HostGoes, 'toldAt'> | undefined,
): Promise<{ readonly tasks: Task[]; readonly untold: number }> {
  const known = tasks.filter((task) => knows(task, word));
  const others = tasks.filter((task) => !knows(task, word));
  const toldAt = deps.clock.now();
  const told: Task[] = [];
  for (let from = 0; from < others.length; from += tasksPerCommit) {
    const batch = others.slice(from, from + tasksPerCommit).map((task) => {
      const { hostGoes: _, ...rest } = task;
      return { task, next: word === undefined ? rest : { ...rest, hostGoes: { toldAt, ...word } } };
    });
    const { outcome } = await deps.table.commit(
      batch.map(({ task, next }) => replaceTask(task, next, deps.settings.retentionSeconds)),
    );
    if (outcome !== 'done') continue;
    for (const { task, next } of batch) {
      told.push({ ...next, version: task.version + 1 });
      deps.feed.changed(task.id);
    }
  }
  const toldIds = new Set(told.map(({ id }) => id));
  const untold = others.filter(({ id }) => !toldIds.has(id));
  return { tasks: [...known, ...told, ...untold], untold: untold.length };
}

const knows = ({ hostGoes }: Task, word: Omit<HostGoes, 'toldAt'> | undefined): boolean => {
  if (hostGoes === undefined || word === undefined) return hostGoes === word;
  const { toldAt: _, ...known } = hostGoes;
  return isDeepStrictEqual(known, word);
};
