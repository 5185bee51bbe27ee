/** Waits until hosts that take no more tasks have none left, and tells how many there still are whenever that changes. */
import { setTimeout as delay } from 'node:timers/promises';
import type { ContainerInstanceView } from '../core/api/shapes.ts';
import { plural } from '../core/text.ts';
import type { CommandContext } from './context.ts';

const pollMs = 1000;

export const tasksOn = ({ runningTasksCount, pendingTasksCount }: ContainerInstanceView): number =>
  runningTasksCount + pendingTasksCount;

/** Resolves with the hosts as they are then. Rejects when the signal fires. */
export async function waitUntilEmpty(
  { client, cluster, out }: CommandContext,
  hosts: readonly ContainerInstanceView[],
  signal: AbortSignal,
): Promise<ContainerInstanceView[]> {
  let views = [...hosts];
  for (let told = ''; ; ) {
    const left = views.filter((host) => tasksOn(host) > 0);
    const now = left.map((host) => `${plural(tasksOn(host), 'task')} left on ${host.hostName}`).join(', ');
    if (now !== told && now !== '') out.note(now);
    if (left.length === 0) return views;
    told = now;
    await delay(pollMs, undefined, { signal });
    views = await Promise.all(
      views.map(async (host) => {
        if (tasksOn(host) === 0) return host;
        return (await client().call('GetHost', { cluster, host: host.containerInstanceArn }, signal)).host;
      }),
    );
  }
}
