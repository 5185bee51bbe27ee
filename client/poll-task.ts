/**
 * Follows a task where the platform streams nothing: long polls, each of which answers at the next change or says that there was none.
 * Knows nothing of connections that break: who follows for long takes it up again (client/resume.ts).
 */
import type { TaskView } from '../core/api/shapes.ts';
import type { Client } from './client.ts';

/** The task now and at each change, until it has stopped. */
export async function* pollTask(
  call: Client['call'],
  named: { readonly cluster: string; readonly task: string },
  signal?: AbortSignal,
): AsyncGenerator<TaskView> {
  let { task } = await call('GetTask', named, signal);
  yield task;
  while (task.lastStatus !== 'STOPPED') {
    const answer = await call('GetTask', { ...named, wait: 'changed', version: task.version }, signal);
    // A gateway ends the wait before there was a change.
    if (answer.reached === 'yes') yield answer.task;
    task = answer.task;
  }
}
