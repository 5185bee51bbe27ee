/** A cluster at one moment, by as few requests however much is in it. */
import type { CapacityView } from '../../core/api/capacity.ts';
import type { EventView } from '../../core/api/events.ts';
import type { ContainerInstanceView } from '../../core/api/shapes.ts';
import { GantryError } from '../../core/errors.ts';
import { allHosts } from '../all-pages.ts';
import type { CommandContext } from '../context.ts';

/** More than a terminal has lines for. */
const lastEvents = 50;

export interface HostLoad {
  readonly name: string;
  readonly status: ContainerInstanceView['status'];
  readonly connected: boolean;
  readonly cpuUnits: Amount;
  readonly memoryMib: Amount;
  readonly running: number;
  readonly pending: number;
}

export interface Amount {
  readonly used: number;
  readonly total: number;
}

export interface Snapshot {
  readonly at: Date;
  readonly cluster: string;
  readonly hosts: readonly HostLoad[];
  readonly cpuUnits: Amount;
  readonly memoryMib: Amount;
  /** `pending` has those that wait for a host among it. */
  readonly tasks: { readonly running: number; readonly pending: number; readonly waiting: number };
  readonly waiting: CapacityView['waiting'];
  readonly onOrder: readonly OnOrder[];
  readonly hourlyUsd: number;
  /** The newest first. */
  readonly events: readonly Pick<EventView, 'time' | 'kind' | 'headline'>[];
}

export interface OnOrder {
  readonly capacityProvider: string;
  readonly hosts: number;
  readonly state: string;
  readonly orderedAt: Date;
  readonly why: string;
  readonly failure?: string | undefined;
}

export async function takeSnapshot(context: CommandContext): Promise<Snapshot> {
  const { client, cluster, signal } = context;
  const [capacity, views, described, events] = await Promise.all([
    client().call('GetCapacity', { cluster }, signal),
    allHosts(context),
    client().call('DescribeClusters', { clusters: [cluster] }, signal),
    newestEvents(context),
  ]);
  const hosts = views.map(loadOf);
  const [counted] = described.clusters;
  return {
    at: new Date(context.now()),
    cluster,
    hosts,
    cpuUnits: sumOf(hosts.map(({ cpuUnits }) => cpuUnits)),
    memoryMib: sumOf(hosts.map(({ memoryMib }) => memoryMib)),
    tasks: {
      running: counted?.runningTasksCount ?? 0,
      pending: counted?.pendingTasksCount ?? 0,
      waiting: capacity.waiting.reduce((sum, { tasks }) => sum + tasks, 0),
    },
    waiting: capacity.waiting,
    onOrder: capacity.providers.flatMap(ordersOf),
    hourlyUsd: capacity.hourlyUsd,
    events: events.map(({ time, kind, headline }) => ({ time, kind, headline })),
  };
}

/** None where the control plane keeps none: the rest is worth seeing. */
async function newestEvents({ client, cluster, signal }: CommandContext): Promise<EventView[]> {
  try {
    return (await client().call('ListEvents', { cluster, order: 'newest', limit: lastEvents }, signal)).events;
  } catch (error) {
    if (error instanceof GantryError && error.code === 'UnsupportedFeatureException') return [];
    throw error;
  }
}

const ordersOf = ({ name, onOrder }: CapacityView['providers'][number]): OnOrder[] =>
  onOrder.map(({ hosts, state, orderedAt, why, failure }) => ({
    capacityProvider: name,
    hosts,
    state,
    orderedAt,
    why,
    ...(failure !== undefined && { failure }),
  }));

const loadOf = (host: ContainerInstanceView): HostLoad => ({
  name: host.hostName,
  status: host.status,
  connected: host.agentConnected,
  cpuUnits: amountOf(host, 'CPU'),
  memoryMib: amountOf(host, 'MEMORY'),
  running: host.runningTasksCount,
  pending: host.pendingTasksCount,
});

function amountOf({ registeredResources, remainingResources }: ContainerInstanceView, name: string): Amount {
  const of = (resources: ContainerInstanceView['remainingResources']): number =>
    resources.find((resource) => resource.name === name)?.integerValue ?? 0;
  return { used: of(registeredResources) - of(remainingResources), total: of(registeredResources) };
}

const sumOf = (amounts: readonly Amount[]): Amount => ({
  used: amounts.reduce((sum, { used }) => sum + used, 0),
  total: amounts.reduce((sum, { total }) => sum + total, 0),
});
