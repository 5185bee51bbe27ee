/** DescribeContainerInstances, ListContainerInstances, GetHosts, GetHost. */
import { z } from 'zod';
import type { ContainerInstanceView } from '../../core/api/shapes.ts';
import { containerInstanceArn } from '../../core/arn.ts';
import { GantryError } from '../../core/errors.ts';
import { namePattern } from '../../core/model/cluster.ts';
import { parameterFault } from '../../core/model/faults.ts';
import {
  type HostCapacity,
  type ShownHostStatus,
  shownHostStatus,
  shownHostStatusSchema,
} from '../../core/model/host.ts';
import type { TaskStatus } from '../../core/model/task.ts';
import { checkedQuery } from '../../core/query/host-query.ts';
import type { ControlDeps } from '../deps.ts';
import { getHostCapacities, getHostIdentities, hostsInOrder, hostTasks } from '../store/hosts.ts';
import type { Table } from '../store/table.ts';
import { getLiveTasks } from '../store/tasks.ts';
import { refuseTooMany } from './checks.ts';
import type { Handlers } from './context.ts';
import { hostIdMeant, hostsMeant } from './host-references.ts';
import { decodeToken, nextTokenOf, pageSize, takePage } from './paging.ts';
import { activeClusterName, missingOf } from './references.ts';
import { describedHost } from './views/described-host.ts';
import { hostView } from './views/host-view.ts';

export const describeContainerInstances: Handlers['DescribeContainerInstances'] = async ({ deps }, input) => {
  const cluster = await activeClusterName(deps, input.cluster);
  const references = input.containerInstances;
  if (references.length === 0) {
    throw new GantryError('InvalidParameterException', 'Container Instances cannot be empty.', {
      field: 'containerInstances',
    });
  }
  refuseTooMany('containerInstances', references);
  const named = await hostsMeant(deps, cluster, references);
  const found = new Map(
    (
      await hostViews(
        deps,
        cluster,
        named.flatMap(({ id }) => id ?? []),
      )
    ).map((view) => [view.id, view.view]),
  );
  const failures = missingOf(deps, 'container-instance', cluster, named, (id) => found.has(id));
  const { include } = input;
  const shown = [...found.values()].map((view) => describedHost(view, include));
  return { containerInstances: shown, failures };
};

export const listContainerInstances: Handlers['ListContainerInstances'] = async ({ deps }, input) => {
  const cluster = await activeClusterName(deps, input.cluster);
  const status = input.status === undefined ? undefined : parsedStatus(input.status);
  const size = pageSize(input.maxResults, 'maxResults');
  const isListed = (host: HostCapacity): boolean =>
    status === undefined ? host.status !== 'INACTIVE' : shownHostStatus(host) === status;
  const hosts = matchingHosts(deps, cluster, input, isListed);
  const { taken, resumeAfter } = await takePage(hosts, size);
  return {
    containerInstanceArns: taken.map(({ hostId }) => containerInstanceArn(deps.realm, cluster, hostId)),
    ...nextTokenOf(resumeAfter),
  };
};

function parsedStatus(status: string): ShownHostStatus {
  const parsed = shownHostStatusSchema.safeParse(status);
  if (parsed.success) return parsed.data;
  const message = `Container instance status should be one of [${shownHostStatusSchema.options.join(', ')}]`;
  throw new GantryError('InvalidParameterException', message, { field: 'status' });
}

export const getHosts: Handlers['GetHosts'] = async ({ deps }, input) => {
  const cluster = await activeClusterName(deps, input.cluster);
  const size = pageSize(input.limit, 'limit');
  const hosts = matchingHosts(deps, cluster, input, ({ status }) => status !== 'INACTIVE');
  const { taken, resumeAfter } = await takePage(hosts, size);
  const views = await hostViews(
    deps,
    cluster,
    taken.map(({ hostId }) => hostId),
  );
  return { hosts: views.map(({ view }) => view), ...nextTokenOf(resumeAfter) };
};

export const getHost: Handlers['GetHost'] = async ({ deps }, input) => {
  const cluster = await activeClusterName(deps, input.cluster);
  const id = await hostIdMeant(deps, cluster, input.host, 'host');
  const [found] = id === undefined ? [] : await hostViews(deps, cluster, [id]);
  if (found === undefined) {
    throw new GantryError('ResourceNotFoundException', `The cluster ${cluster} has no host ${input.host}.`, {
      field: 'host',
      hint: '`gantry hosts` lists them.',
    });
  }
  return { host: found.view };
};

async function* matchingHosts(
  { table }: ControlDeps,
  cluster: string,
  { filter, nextToken }: { readonly filter?: string | undefined; readonly nextToken?: string | undefined },
  isListed: (host: HostCapacity) => boolean,
): AsyncGenerator<{ position: string; entry: HostCapacity }, undefined> {
  const query = filter === undefined || filter === '' ? undefined : checkedQuery(parameterFault, 'filter', filter);
  const passes = async (host: HostCapacity): Promise<boolean> => {
    if (query === undefined) return true;
    if (!query.countsTasks) return query.matches(host);
    const statuses = await taskStatuses(table, host);
    return query.matches({ ...host, taskCount: statuses.filter((status) => status === 'RUNNING').length });
  };
  const after = nextToken === undefined ? {} : { after: decodeToken(z.string().regex(namePattern), nextToken) };
  for await (const host of hostsInOrder(table, cluster, { ...after, pageSize: 100 })) {
    if (isListed(host.entry) && (await passes(host.entry))) yield host;
  }
}

/** In the order given; those that do not exist are left out. */
export async function hostViews(
  { table, realm }: ControlDeps,
  cluster: string,
  hostIds: readonly string[],
): Promise<{ id: string; view: ContainerInstanceView }[]> {
  const [identities, capacities] = await Promise.all([
    getHostIdentities(table, hostIds),
    getHostCapacities(table, cluster, hostIds),
  ]);
  const identityOf = new Map(identities.map((identity) => [identity.hostId, identity]));
  const capacityOf = new Map(capacities.map((capacity) => [capacity.hostId, capacity]));
  const views = hostIds.map(async (id) => {
    const [identity, capacity] = [identityOf.get(id), capacityOf.get(id)];
    if (identity === undefined || capacity === undefined) return [];
    return [{ id, view: hostView(realm, identity, capacity, await taskStatuses(table, capacity)) }];
  });
  return (await Promise.all(views)).flat();
}

/** Of the tasks of its desired set. */
async function taskStatuses(table: Table, { cluster, hostId }: HostCapacity): Promise<TaskStatus[]> {
  const entries = await hostTasks(table, hostId);
  const ids = entries.map(({ taskId }) => taskId);
  return [...(await getLiveTasks(table, cluster, ids)).values()].map(({ lastStatus }) => lastStatus);
}
