/** How long one plan takes: many tasks that wait, many hosts that have little room. */
import { capacityPolicySchema, type Offer } from '../../core/model/capacity.ts';
import type { HostCapacity } from '../../core/model/host.ts';
import { applyReservation } from '../../core/placement/capacity.ts';
import { fits } from '../../core/placement/filters.ts';
import { planCapacity } from '../../core/plan/capacity/plan.ts';
import type { CapacityInput, HostTaskFacts, OwnedHost } from '../../core/plan/capacity/types.ts';
import { seededRandom } from '../../core/random.ts';
import { hostOf, needsOfPod } from './cluster.ts';
import { manyOffers, oneOffer } from './offers.ts';
import { type Pod, podsThatFit } from './trace.ts';

const hostCount = 1000;
const taskCount = 10_000;

export interface PlanTimes {
  readonly name: string;
  readonly milliseconds: readonly number[];
  readonly bought: number;
}

/** The pods over and over, some with sizes of their own; the hosts are as full as the pods make them. */
export function measurePlans(pods: readonly Pod[], rounds: number): PlanTimes[] {
  const random = seededRandom(7);
  const fitting = podsThatFit(pods, [oneOffer]);
  const drawn = Array.from({ length: taskCount }, () => fitting[Math.floor(random() * fitting.length)] ?? anyPod);
  const odd = drawn.map((pod) => ({
    ...pod,
    cpuUnits: Math.max(1, Math.floor(pod.cpuUnits * (0.5 + random() / 2))),
    memoryMib: Math.max(1, Math.floor(pod.memoryMib * (0.5 + random() / 2))),
  }));
  const hosts = fullHosts(fitting, random);
  return [
    measure('shapes of the trace, 27 instance types', input(drawn, hosts, manyOffers), rounds),
    measure('each task of a shape of its own, 1 instance type', input(odd, hosts, [oneOffer]), rounds),
    measure('each task of a shape of its own, 27 instance types', input(odd, hosts, manyOffers), rounds),
  ];
}

const anyPod: Pod = { id: 'any', cpuUnits: 1024, memoryMib: 1024, arrivesAt: 0, lifeSeconds: 1 };

function measure(name: string, given: CapacityInput, rounds: number): PlanTimes {
  let bought = 0;
  const milliseconds = Array.from({ length: rounds }, () => {
    const before = performance.now();
    const { launches } = planCapacity(given);
    const took = performance.now() - before;
    bought = launches.reduce((sum, { order }) => sum + order.count, 0);
    return took;
  });
  return { name, milliseconds, bought };
}

function fullHosts(pods: readonly Pod[], random: () => number): OwnedHost[] {
  return Array.from({ length: hostCount }, (_, index) => {
    let host: HostCapacity = hostOf(`i-${index}`, oneOffer);
    const tasks: HostTaskFacts[] = [];
    for (let tries = 0; tries < 10; tries += 1) {
      const needs = needsOfPod(pods[Math.floor(random() * pods.length)] ?? anyPod);
      if (!fits(host, needs)) continue;
      const taskId = `running-${index}-${tries}`;
      host = applyReservation(host, needs, taskId);
      tasks.push({ taskId, needs, replaceable: false });
    }
    const { name: offer, hourlyUsd } = oneOffer;
    return { host, instanceId: host.hostId, offer, zone: '', hourlyUsd, joinedAt: 0, emptySince: undefined, tasks };
  });
}

const input = (pods: readonly Pod[], hosts: readonly OwnedHost[], offers: readonly Offer[]): CapacityInput => ({
  now: 1_000_000,
  cluster: 'bench',
  provider: 'bench',
  offers,
  limits: { minHosts: 0, maxHosts: 100_000 },
  policy: capacityPolicySchema.parse({}),
  waiting: pods.map((pod, index) => ({ taskId: `task-${index}`, createdAt: index, needs: needsOfPod(pod) })),
  hosts,
  otherHosts: [],
  purchases: [],
  blames: [],
});
