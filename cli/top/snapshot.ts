/** A cluster at one moment, by as few requests however much is in it: one for what the containers of each host use, and a few besides. */
import type { CapacityView } from '../../core/api/capacity.ts';
import type { EventView } from '../../core/api/events.ts';
import type { ContainerInstanceView } from '../../core/api/shapes.ts';
import { GantryError } from '../../core/errors.ts';
import { allHosts } from '../all-pages.ts';
import type { CommandContext } from '../context.ts';
import type { Measured, Meter } from './meter.ts';
import { inOrder, type SortKey } from './use.ts';

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
  /** What runs uses, in order, and of which hosts that is not known. */
  readonly use: Measured;
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

/** What is looked at, and how. */
export interface Look {
  readonly meter: Meter;
  readonly sort: SortKey;
  /** Only what is on this host (name, id or ARN). */
  readonly host?: string | undefined;
  /** Only what this task uses, which is on that host. */
  readonly taskArn?: string | undefined;
}

export async function takeSnapshot(context: CommandContext, look: Look): Promise<Snapshot> {
  const { client, cluster, signal } = context;
  const [capacity, { views, use }, described, events] = await Promise.all([
    client().call('GetCapacity', { cluster }, signal),
    hostsAndUse(context, look),
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
    use,
    events: events.map(({ time, kind, headline }) => ({ time, kind, headline })),
  };
}

async function hostsAndUse(
  context: CommandContext,
  { meter, sort, host, taskArn }: Look,
): Promise<{ views: readonly ContainerInstanceView[]; use: Measured }> {
  const { client, cluster, signal } = context;
  const views =
    host === undefined ? await allHosts(context) : [(await client().call('GetHost', { cluster, host }, signal)).host];
  const { containers, silent } = await meter.measure(views, taskArn);
  return { views, use: { containers: inOrder(containers, sort), silent } };
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
