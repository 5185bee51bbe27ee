/**
 * What is decided about capacity, as events: what is bought, what becomes of it, and hosts that are emptied. ECS has none of these; their
 * names for things are ECS'. Pure: the same change gives the same events whenever it is told.
 */
import { capacityProviderArn, clusterArn, containerInstanceArn, type Realm, taskArn } from '../../../core/arn.ts';
import type { Purchase, PurchasedInstance } from '../../../core/model/capacity.ts';
import { plural } from '../../../core/text.ts';
import type { Drain } from '../../store/drains.ts';
import type { StateEvent } from './events.ts';

/** Both where it was changed; the one that there is where it was made or taken away. */
export interface Changed<T> {
  readonly before: T | undefined;
  readonly after: T | undefined;
}

type CapacityChange = 'ordered' | 'launched' | 'failed' | 'joined' | 'ending' | 'ended' | 'closed';

interface Told {
  readonly change: CapacityChange;
  /** Those that it happened to. */
  readonly instances?: readonly PurchasedInstance[];
}

/** One that is taken away has moved into history: its last instances have ended with that. */
export function purchaseEvents(
  realm: Realm,
  { before, after }: Changed<Purchase>,
  at: number | undefined,
): StateEvent[] {
  if (after !== undefined) return changesOf(before, after).map((told) => capacityEvent(realm, after, told, at));
  if (before === undefined) return [];
  const ended = before.instances.filter(({ endedAt }) => endedAt === undefined);
  if (ended.length === 0) return [];
  const next = { ...before, state: 'CLOSED' as const, version: before.version + 1 };
  return [capacityEvent(realm, next, { change: 'ended', instances: ended }, at)];
}

/** Of a purchase that has come into history: everything else was told before, unless nothing was ever launched. */
export function pastPurchaseEvents(realm: Realm, purchase: Purchase, at: number | undefined): StateEvent[] {
  const changes: readonly CapacityChange[] = purchase.instances.length === 0 ? ['failed', 'closed'] : ['closed'];
  return changes.map((change) => capacityEvent(realm, purchase, { change }, at));
}

function changesOf(before: Purchase | undefined, after: Purchase): Told[] {
  const told: Told[] = [];
  // One that was found as a host was never ordered.
  if (before === undefined && after.state === 'OPEN') told.push({ change: 'ordered' });
  const seen = new Map(before?.instances.map((instance) => [instance.instanceId, instance]));
  const newly = (change: CapacityChange, has: (instance: PurchasedInstance) => boolean): void => {
    const instances = after.instances.filter((instance) => {
      const earlier = seen.get(instance.instanceId);
      return has(instance) && (earlier === undefined || !has(earlier));
    });
    if (instances.length > 0) told.push({ change, instances });
  };
  newly('launched', () => true);
  if (after.failure !== undefined && before?.failure === undefined) told.push({ change: 'failed' });
  newly('joined', ({ joinedAt }) => joinedAt !== undefined);
  newly('ending', ({ endingAt }) => endingAt !== undefined);
  newly('ended', ({ endedAt }) => endedAt !== undefined);
  return told;
}

function capacityEvent(
  realm: Realm,
  { order, state, why, failure, covers, orderedAt, version }: Purchase,
  { change, instances }: Told,
  at: number | undefined,
): StateEvent {
  const cluster = clusterArn(realm, order.cluster);
  const provider = capacityProviderArn(realm, order.provider);
  const detail = {
    clusterArn: cluster,
    capacityProviderArn: provider,
    orderId: order.id,
    change,
    state,
    market: order.market,
    count: order.count,
    instanceTypes: order.offers.map(({ name }) => name),
    why,
    ...(change === 'ordered' && { taskArns: covers.map((taskId) => taskArn(realm, order.cluster, taskId)) }),
    ...(change === 'failed' && { reason: failure ?? 'nothing was launched' }),
    ...(instances !== undefined && { instances: instances.map((instance) => instanceView(instance, change)) }),
    orderedAt: new Date(orderedAt),
    version,
    updatedAt: at === undefined ? undefined : new Date(at),
  };
  const hosts = plural(instances?.length ?? order.count, 'host');
  const reason = change === 'failed' ? detail.reason : why;
  return {
    detailType: 'Gantry Capacity Change',
    cluster: order.cluster,
    subject: order.id,
    headline: `${order.provider}: ${hosts} ${change}${reason === '' ? '' : `: ${reason}`}`,
    resources: [cluster, provider],
    detail: JSON.stringify(detail),
  };
}

const instanceView = (
  { instanceId, offer, zone, hourlyUsd, endReason }: PurchasedInstance,
  change: CapacityChange,
): object => ({
  ec2InstanceId: instanceId,
  instanceType: offer,
  availabilityZone: zone,
  hourlyUsd,
  ...((change === 'ending' || change === 'ended') && { reason: endReason }),
});

/** A drain has no version: when it began, what it is and until when are what tells it from others. */
export function drainEvents(realm: Realm, { before, after }: Changed<Drain>, at: number | undefined): StateEvent[] {
  const drain = after ?? before;
  if (drain === undefined || (before !== undefined && after !== undefined && told(before) === told(after))) return [];
  const { cluster, hostId, purpose, reason, stopCode, deadline, giveUpAt, startedAt } = drain;
  const host = containerInstanceArn(realm, cluster, hostId);
  const change = after === undefined ? 'ended' : before === undefined ? 'begun' : 'changed';
  const detail = {
    clusterArn: clusterArn(realm, cluster),
    containerInstanceArn: host,
    change,
    purpose,
    reason,
    stopCode,
    ...(deadline !== undefined && { deadline: new Date(deadline) }),
    ...(giveUpAt !== undefined && { givesUpAt: new Date(giveUpAt) }),
    startedAt: new Date(startedAt),
    updatedAt: at === undefined ? undefined : new Date(at),
  };
  return [
    {
      detailType: 'Gantry Host Drain',
      cluster,
      subject: hostId,
      headline: `its drain has ${change}: ${reason}`,
      resources: [host],
      detail: JSON.stringify(detail),
    },
  ];
}

const told = ({ purpose, reason, stopCode, deadline, giveUpAt, startedAt }: Drain): string =>
  JSON.stringify([purpose, reason, stopCode, deadline, giveUpAt, startedAt]);
