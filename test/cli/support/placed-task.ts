/** A task as the control plane shows it once it is placed: what tests of single renderings change to their needs. */
import type { TaskView } from '../../../core/api/shapes.ts';
import { openDesk } from './desk.ts';

export async function placedTask(): Promise<TaskView> {
  await using desk = await openDesk();
  await desk.world.host();
  await desk.world.register('job');
  const { tasks } = await desk.world.call('RunTask', { taskDefinition: 'job' });
  if (tasks[0] === undefined) throw new Error('a task was asked for');
  return tasks[0];
}
