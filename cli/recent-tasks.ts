/** Tasks that live and those that stopped since a moment: stopped ones are known for days, and who looks wants those of now. */
import type { Input } from '../core/api/operations.ts';
import type { TaskView } from '../core/api/shapes.ts';
import { compact } from '../core/compact.ts';
import type { CommandContext } from './context.ts';

const recentMs = 3600_000;

/** `all`: also those that stopped more than an hour ago and are still known. */
export async function recentTasks(
  { client, now, signal }: Pick<CommandContext, 'client' | 'now' | 'signal'>,
  filters: Omit<Input<'GetTasks'>, 'nextToken'>,
  all: boolean,
): Promise<TaskView[]> {
  const since = all ? 0 : now() - recentMs;
  const tasks: TaskView[] = [];
  let nextToken: string | undefined;
  do {
    const page = await client().call('GetTasks', compact({ ...filters, nextToken }), signal);
    const wanted = page.tasks.filter((task) => (task.stoppedAt?.getTime() ?? now()) >= since);
    tasks.push(...wanted);
    // Stopped tasks come last, newest first: after one that is too old all are.
    nextToken = wanted.length < page.tasks.length ? undefined : page.nextToken;
  } while (nextToken !== undefined);
  return tasks;
}
