/**
 * A cluster that is simulated second by second: pods come, wait, are placed by the product's own placement, and end; hosts are launched
 * by whoever scales it, join after their boot time and cost from their launch to their end.
 */

import { planWaiting, type Queued, queuedOf } from '../../control/tasks/plan-waiting.ts';
import { Heap } from '../../core/heap.ts';
import type { Offer } from '../../core/model/capacity.ts';
import type { HostCapacity } from '../../core/model/host.ts';
import type { PlacementNeeds } from '../../core/model/task.ts';
import { applyReservation, releaseReservation } from '../../core/placement/capacity.ts';
import { type Random, seededRandom } from '../../core/random.ts';
import type { Pod } from './trace.ts';

/** Decides what to launch and what to end; called at every second in which something happened, and when it asked to be. */
export interface Scaler {
  decide(cluster: Cluster): void;
}

export interface SimulatedHost {
  capacity: HostCapacity;
  readonly offer: Offer;
  readonly orderId: string;
  readonly launchedAt: number;
  joinedAt: number | undefined;
  /** Seconds; while it has no pod, also before it has joined. */
  emptySince: number | undefined;
  readonly pods: Map<string, Pod>;
}

type Event =
  | { readonly at: number; readonly kind: 'arrive'; readonly pod: Pod }
  | { readonly at: number; readonly kind: 'end'; readonly pod: Pod }
  | { readonly at: number; readonly kind: 'left'; readonly pod: Pod; readonly hostId: string }
  | { readonly at: number; readonly kind: 'join'; readonly hostId: string }
  | { readonly at: number; readonly kind: 'look' };

/** From when a successor is placed until the one that it replaces is gone. */
const moveSeconds = 10;

export const needsOfPod = (pod: Pod, strategies: PlacementNeeds['strategies'] = []): PlacementNeeds => ({
  reservation: { cpuUnits: pod.cpuUnits, memoryMib: pod.memoryMib, ports: [] },
  attributes: {},
  group: 'family:pod',
  constraints: [],
  strategies,
});

export class Cluster {
  now = 0;
  readonly hosts = new Map<string, SimulatedHost>();
  readonly waits: number[] = [];
  paidUsd = 0;
  paidHours = 0;
  /** Of the paid hours: while a host booted or had no pod. */
  emptyHours = 0;
  mostHosts = 0;
  readonly #events = new Heap<Event>((a, b) => a.at - b.at);
  readonly #waiting = new Map<string, { readonly pod: Pod; readonly queued: Queued; readonly since: number }>();
  readonly #bootSeconds: number;
  readonly #random: Random = seededRandom(1);
  readonly #placedOn = new Map<string, string>();
  #launches = 0;
  /** Pods that were moved from one host to another. */
  moves = 0;

  readonly #strategies: PlacementNeeds['strategies'];

  constructor(pods: readonly Pod[], bootSeconds: number, strategies: PlacementNeeds['strategies'] = []) {
    this.#bootSeconds = bootSeconds;
    this.#strategies = strategies;
    for (const pod of pods) this.#events.push({ at: pod.arrivesAt, kind: 'arrive', pod });
  }

  get waiting(): readonly { readonly pod: Pod; readonly since: number }[] {
    return [...this.#waiting.values()];
  }

  run(scaler: Scaler, horizonSeconds: number): void {
    this.lookAt(0);
    for (;;) {
      const next = this.#events.peek();
      if (next === undefined || next.at > horizonSeconds) break;
      this.now = next.at;
      this.#happen();
      scaler.decide(this);
      this.mostHosts = Math.max(this.mostHosts, this.hosts.size);
    }
    this.now = horizonSeconds;
    for (const hostId of this.hosts.keys()) this.end(hostId);
  }

  lookAt(at: number): void {
    this.#events.push({ at, kind: 'look' });
  }

  /** Answers the name of the host that it becomes. */
  launch(offer: Offer, orderId: string): string {
    this.#launches += 1;
    const hostId = `i-${String(this.#launches).padStart(6, '0')}`;
    this.hosts.set(hostId, {
      capacity: hostOf(hostId, offer),
      offer,
      orderId,
      launchedAt: this.now,
      joinedAt: undefined,
      emptySince: this.now,
      pods: new Map(),
    });
    this.#events.push({ at: this.now + this.#bootSeconds, kind: 'join', hostId });
    return hostId;
  }

  end(hostId: string): void {
    const host = this.hosts.get(hostId);
    if (host === undefined) return;
    const hours = (this.now - host.launchedAt) / 3600;
    this.paidHours += hours;
    this.#countEmpty(host);
    this.paidUsd += hours * host.offer.hourlyUsd;
    this.hosts.delete(hostId);
  }

  /** Its pods get successors, which wait like any other; each goes on where it was until its successor is there. */
  drain(hostId: string): void {
    const host = this.hosts.get(hostId);
    if (host === undefined) return;
    host.capacity = { ...host.capacity, status: 'DRAINING' };
    const queue = [...host.pods.values()].map((pod) => this.#wait(pod));
    this.#place(queue, this.#ready());
  }

  #ready(): HostCapacity[] {
    return [...this.hosts.values()].flatMap(({ capacity, joinedAt }) => (joinedAt === undefined ? [] : capacity));
  }

  #wait(pod: Pod): Queued {
    const needs = needsOfPod(pod, this.#strategies);
    const queued = queuedOf({
      taskId: pod.id,
      createdAt: this.now,
      placementDeadline: Number.MAX_SAFE_INTEGER,
      needs,
    });
    this.#waiting.set(pod.id, { pod, queued, since: this.now });
    return queued;
  }

  /** All that is due in this second; then what is new is placed on all hosts, and what waits on hosts that have grown. */
  #happen(): void {
    const come: Queued[] = [];
    const grown = new Set<string>();
    for (let event = this.#events.peek(); event?.at === this.now; event = this.#events.peek()) {
      this.#events.pop();
      if (event.kind === 'arrive') {
        come.push(this.#wait(event.pod));
      } else if (event.kind === 'end') {
        grown.add(this.#endPod(event.pod));
      } else if (event.kind === 'left') {
        this.#leave(event.pod, event.hostId);
      } else if (event.kind === 'join' && this.#join(event.hostId)) grown.add(event.hostId);
    }
    const grownHosts = [...grown].flatMap((hostId) => this.hosts.get(hostId)?.capacity ?? []);
    if (grownHosts.length > 0 && this.#waiting.size > 0)
      this.#place(
        [...this.#waiting.values()].map(({ queued }) => queued),
        grownHosts,
      );
    const left = come.filter(({ task }) => this.#waiting.has(task.taskId));
    if (left.length > 0) this.#place(left, this.#ready());
  }

  #join(hostId: string): boolean {
    const host = this.hosts.get(hostId);
    if (host !== undefined) host.joinedAt = this.now;
    return host !== undefined;
  }

  #countEmpty({ emptySince }: SimulatedHost): void {
    if (emptySince !== undefined) this.emptyHours += (this.now - emptySince) / 3600;
  }

  /** Answers which host it was on. */
  #endPod(pod: Pod): string {
    this.#waiting.delete(pod.id);
    const hostId = this.#placedOn.get(pod.id) ?? '';
    this.#placedOn.delete(pod.id);
    this.#leave(pod, hostId);
    return hostId;
  }

  #leave(pod: Pod, hostId: string): void {
    const host = this.hosts.get(hostId);
    if (host === undefined || !host.pods.delete(pod.id)) return;
    host.capacity = releaseReservation(host.capacity, needsOfPod(pod), pod.id);
    if (host.pods.size === 0) host.emptySince = this.now;
  }

  #place(queue: readonly Queued[], hosts: readonly HostCapacity[]): void {
    const { choices } = planWaiting(queue, hosts, {
      most: Number.POSITIVE_INFINITY,
      known: new Map(),
      random: this.#random,
    });
    for (const { queued, host: chosen } of choices) {
      const { taskId, needs } = queued.task;
      const [host, entry] = [this.hosts.get(chosen.hostId), this.#waiting.get(taskId)];
      if (host === undefined || entry === undefined) throw new Error(`${taskId} was placed on what is not there`);
      this.#waiting.delete(taskId);
      const before = this.#placedOn.get(taskId);
      this.#placedOn.set(taskId, chosen.hostId);
      if (before === undefined) {
        this.waits.push(this.now - entry.since);
        this.#events.push({ at: this.now + Math.max(1, entry.pod.lifeSeconds), kind: 'end', pod: entry.pod });
      } else {
        this.moves += 1;
        this.#events.push({ at: this.now + moveSeconds, kind: 'left', pod: entry.pod, hostId: before });
      }
      host.capacity = applyReservation(host.capacity, needs, taskId);
      host.pods.set(taskId, entry.pod);
      this.#countEmpty(host);
      host.emptySince = undefined;
    }
  }
}

export const hostOf = (hostId: string, offer: Offer): HostCapacity => ({
  hostId,
  cluster: 'bench',
  name: hostId,
  status: 'ACTIVE',
  epoch: 1,
  reportedEpoch: 1,
  connected: true,
  connectedChangedAt: 0,
  generation: 1,
  totalCpuUnits: offer.cpuUnits,
  totalMemoryMib: offer.memoryMib,
  freeCpuUnits: offer.cpuUnits,
  freeMemoryMib: offer.memoryMib,
  ports: {},
  groups: {},
  taskCount: 0,
  attributes: { 'ecs.os-type': 'linux', 'ecs.cpu-architecture': offer.architecture },
});
