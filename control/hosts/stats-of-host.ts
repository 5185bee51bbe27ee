/** What a host says of its containers, with what the store knows of their tasks: a host is believed of its own tasks only. */
import type { HostContainerStats } from '../../core/model/container-stats.ts';
import type { ControlDeps } from '../deps.ts';
import { type HostTask, hostTasks } from '../store/hosts.ts';

export interface ContainerOfHost extends Pick<HostContainerStats, 'container' | 'stats'> {
  readonly task: Pick<HostTask, 'taskId' | 'cluster' | 'family' | 'revision'>;
}

/** Throws ServiceUnavailableException where it is not connected or does not answer in time. */
export async function statsOfHost(
  { table, hostStats }: Pick<ControlDeps, 'table' | 'hostStats'>,
  hostId: string,
  signal: AbortSignal,
): Promise<ContainerOfHost[]> {
  const [said, tasks] = await Promise.all([hostStats.stats(hostId, signal), hostTasks(table, hostId)]);
  const own = new Map(tasks.map((task) => [task.taskId, task]));
  return said.flatMap(({ taskId, container, stats }) => {
    const task = own.get(taskId);
    return task === undefined ? [] : [{ task, container, stats }];
  });
}
