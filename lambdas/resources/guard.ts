/**
 * `Custom::GantryGuard`: stands before the deletion of a control plane. Refuses while a host is connected or a task is live, because
 * both would be left without anyone to ask.
 */
import { z } from 'zod';
import type { ControlDeps } from '../../control/deps.ts';
import { livelyClusterNames } from '../../control/store/clusters.ts';
import { clusterHosts } from '../../control/store/hosts.ts';
import { liveTasks } from '../../control/store/tasks.ts';
import { GantryError } from '../../core/errors.ts';
import { formatList, plural } from '../../core/text.ts';
import type { ResourceKind } from './kind.ts';

const made = { id: 'gantry-guard' };
const mostNamed = 5;

export const guardKind: ResourceKind<object> = {
  properties: z.object({}),
  create: () => Promise.resolve(made),
  update: () => Promise.resolve(made),
  async delete({ deps }) {
    const inUse: string[] = [];
    for (const cluster of await livelyClusterNames(deps.table, deps.clock.now())) {
      inUse.push(...(await hostsOf(deps, cluster)), ...(await tasksOf(deps, cluster)));
    }
    if (inUse.length === 0) return;
    throw new GantryError('ClientException', `The control plane is in use: ${inUse.join('; ')}.`, {
      hint: 'Stop the tasks and end the hosts (or delete the stacks that they are of), then delete it again.',
    });
  },
};

async function hostsOf({ table }: ControlDeps, cluster: string): Promise<string[]> {
  const hosts = (await clusterHosts(table, cluster)).filter(
    ({ status, connected }) => status !== 'INACTIVE' && connected,
  );
  return sentence(
    cluster,
    'connected host',
    hosts.length,
    hosts.slice(0, mostNamed).map(({ name }) => name),
  );
}

async function tasksOf({ table }: ControlDeps, cluster: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const { entry } of liveTasks(table, cluster, { pageSize: 1000 })) ids.push(entry.taskId);
  return sentence(cluster, 'live task', ids.length, ids.slice(0, mostNamed));
}

const sentence = (cluster: string, noun: string, count: number, some: readonly string[]): string[] =>
  count === 0
    ? []
    : [`cluster ${cluster} has ${plural(count, noun)} (${formatList(some)}${count > some.length ? ', …' : ''})`];
