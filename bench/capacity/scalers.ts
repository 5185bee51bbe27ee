/** Who scales the simulated cluster: the product's plan, or a metric and an alarm as ECS' capacity provider has them. */
import type { CapacityPolicy, Offer, Purchase } from '../../core/model/capacity.ts';
import { planCapacity } from '../../core/plan/capacity/plan.ts';
import type { CapacityInput } from '../../core/plan/capacity/types.ts';
import { type Cluster, needsOfPod, type Scaler } from './cluster.ts';

const policy: CapacityPolicy = {
  market: 'on-demand',
  idleSeconds: 120,
  joinSeconds: 300,
  drainSeconds: 3600,
  consolidation: 'empty',
  maxDraining: 1,
};

/** Each plan is carried out in the second in which it is made. */
export class PlanScaler implements Scaler {
  readonly #offers: readonly Offer[];
  readonly #byName: ReadonlyMap<string, Offer>;
  readonly #policy: CapacityPolicy;
  #purchases: Purchase[] = [];
  #orders = 0;

  constructor(offers: readonly Offer[], changes: Partial<CapacityPolicy> = {}) {
    this.#offers = offers;
    this.#byName = new Map(offers.map((offer) => [offer.name, offer]));
    this.#policy = { ...policy, ...changes };
  }

  decide(cluster: Cluster): void {
    const plan = planCapacity(this.#input(cluster));
    for (const { order, covers, why } of plan.launches) {
      const offer = this.#byName.get(order.offers[0]?.name ?? '');
      if (offer === undefined) throw new Error(`${order.offers[0]?.name ?? 'nothing'} was ordered`);
      this.#orders += 1;
      const id = `order-${this.#orders}`;
      const instances = Array.from({ length: order.count }, () => ({
        instanceId: cluster.launch(offer, id),
        offer: offer.name,
        zone: offer.zones[0] ?? '',
        hourlyUsd: offer.hourlyUsd,
        launchedAt: cluster.now * 1000,
      }));
      const purchase = {
        order: { ...order, id },
        state: 'LAUNCHED' as const,
        orderedAt: cluster.now * 1000,
        covers: [...covers],
        why,
        instances,
        version: 1,
      };
      this.#purchases.push(purchase);
    }
    for (const { instanceId } of plan.terminations) cluster.end(instanceId);
    for (const { hostId } of plan.drains) cluster.drain(hostId);
    if (plan.againAt !== undefined) cluster.lookAt(Math.ceil(plan.againAt / 1000));
  }

  #input(cluster: Cluster): CapacityInput {
    const joined = [...cluster.hosts.values()].filter(({ joinedAt }) => joinedAt !== undefined);
    this.#purchases = this.#purchases.filter(({ instances }) =>
      instances.some(
        ({ instanceId }) => cluster.hosts.get(instanceId)?.joinedAt === undefined && cluster.hosts.has(instanceId),
      ),
    );
    return {
      now: cluster.now * 1000,
      cluster: 'bench',
      provider: 'bench',
      offers: this.#offers,
      limits: { minHosts: 0, maxHosts: 100_000 },
      policy: this.#policy,
      waiting: cluster.waiting.map(({ pod, since }) => ({
        taskId: pod.id,
        createdAt: since * 1000,
        needs: needsOfPod(pod),
      })),
      hosts: joined.map((host) => ({
        host: host.capacity,
        instanceId: host.capacity.hostId,
        offer: host.offer.name,
        zone: host.offer.zones[0] ?? '',
        hourlyUsd: host.offer.hourlyUsd,
        joinedAt: (host.joinedAt ?? 0) * 1000,
        emptySince: host.emptySince === undefined ? undefined : Math.max(host.emptySince, host.joinedAt ?? 0) * 1000,
        tasks: [...host.pods.values()].map((pod) => ({
          taskId: pod.id,
          needs: needsOfPod(pod),
          replaceable: this.#policy.consolidation === 'replace',
        })),
      })),
      otherHosts: [],
      purchases: this.#purchases,
      blames: [],
    };
  }
}

const minuteSeconds = 60;
/** Data points under the target before anything is taken away. */
const pointsIn = 15;
/** Of the group, at one point (AWS' blog "Faster Scaling-in for Amazon ECS Cluster Auto Scaling"). */
const mostIn = 0.5;

/**
 * ECS' CapacityProviderReservation (ecs-semantics.md 6.4): once a minute, hosts needed over hosts there, target 100 %. More at the first
 * point above it, from none always two; less after fifteen points below it, and only hosts without tasks. Kinder than the original:
 * hosts that boot count as there at once, the metric is not late, and scaling in goes on at every point.
 */
export class AlarmScaler implements Scaler {
  readonly #offer: Offer;
  #below = 0;
  #next = 0;

  constructor(offer: Offer) {
    this.#offer = offer;
  }

  decide(cluster: Cluster): void {
    if (cluster.now < this.#next) return;
    this.#next = cluster.now - (cluster.now % minuteSeconds) + minuteSeconds;
    cluster.lookAt(this.#next);
    const hosts = [...cluster.hosts.values()];
    const busy = hosts.filter(({ pods }) => pods.size > 0).length;
    const needed = busy + this.#hostsFor(cluster);
    this.#below = needed < hosts.length ? this.#below + 1 : 0;
    if (needed > hosts.length) {
      const missing = hosts.length === 0 ? 2 : needed - hosts.length;
      for (let copy = 0; copy < missing; copy += 1) cluster.launch(this.#offer, 'group');
    } else if (this.#below >= pointsIn) {
      const idle = hosts.filter(({ pods, joinedAt }) => joinedAt !== undefined && pods.size === 0);
      const most = Math.min(hosts.length - needed, Math.ceil(hosts.length * mostIn));
      for (const { capacity } of idle.slice(0, most)) cluster.end(capacity.hostId);
    }
  }

  /** How many more hosts what waits would fill: first fit decreasing. */
  #hostsFor(cluster: Cluster): number {
    const bins: { cpuUnits: number; memoryMib: number }[] = [];
    for (const { pod } of cluster.waiting.toSorted((a, b) => b.pod.cpuUnits - a.pod.cpuUnits)) {
      let bin = bins.find(({ cpuUnits, memoryMib }) => cpuUnits >= pod.cpuUnits && memoryMib >= pod.memoryMib);
      if (bin === undefined) {
        bin = { cpuUnits: this.#offer.cpuUnits, memoryMib: this.#offer.memoryMib };
        bins.push(bin);
      }
      bin.cpuUnits -= pod.cpuUnits;
      bin.memoryMib -= pod.memoryMib;
    }
    return bins.length;
  }
}
