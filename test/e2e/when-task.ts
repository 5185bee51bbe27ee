/** Long polls until a task runs or has stopped, resumed as often as needed: the test's own timeout ends them. */
import type { Client } from '../../client/client.ts';
import type { Output } from '../../core/api/operations.ts';

export type TaskView = Output<'GetTask'>['task'];

export async function whenTask(
  client: Client,
  wait: 'running' | 'stopped',
  task: string,
  cluster = 'default',
): Promise<TaskView> {
  while (true) {
    const answer = await client.call('GetTask', { cluster, task, wait, timeout: 20 });
    if (answer.reached === 'yes') return answer.task;
    if (answer.reached === 'never')
      throw new Error(`${task} is ${answer.task.lastStatus}: ${answer.task.stoppedReason}`);
  }
}
