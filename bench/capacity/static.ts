/** All pods at once into an empty cluster: what is bought, beside the least that could be. */
import { capacityPolicySchema, type Offer } from '../../core/model/capacity.ts';
import { planCapacity } from '../../core/plan/capacity/plan.ts';
import { type Random, shuffledIndexes } from '../../core/random.ts';
import { amountOf, hourlyBound } from './bound.ts';
import { needsOfPod } from './cluster.ts';
import { manyOffers, oneOffer } from './offers.ts';
import { type Pod, podsThatFit } from './trace.ts';

export interface Packing {
  readonly name: string;
  readonly pods: number;
  readonly hosts: number;
  readonly hourlyUsd: number;
  readonly boundUsd: number;
}

export function packStatically(pods: readonly Pod[], random: Random): Packing[] {
  return [
    packOnto('1 instance type, 32 vCPU and 128 GiB', pods, { offers: [oneOffer], random }),
    packOnto('27 instance types (c7i, m7i and r7i, 2 to 192 vCPU)', pods, { offers: manyOffers, random }),
  ];
}

function packOnto(
  name: string,
  all: readonly Pod[],
  { offers, random }: { readonly offers: readonly Offer[]; readonly random: Random },
): Packing {
  const pods = podsThatFit(all, offers);
  // In any order, as the order is none of the plan's business.
  const order = [...shuffledIndexes(pods.length, random)].flatMap((index) => pods[index] ?? []);
  const { launches, unmet } = planCapacity({
    now: 0,
    cluster: 'bench',
    provider: 'bench',
    offers,
    limits: { minHosts: 0, maxHosts: 1_000_000 },
    policy: capacityPolicySchema.parse({}),
    waiting: order.map((pod) => ({ taskId: pod.id, createdAt: 0, needs: needsOfPod(pod) })),
    hosts: [],
    otherHosts: [],
    purchases: [],
    blames: [],
  });
  if (unmet.length > 0) throw new Error(`pods that fit were refused: ${unmet[0]?.why ?? ''}`);
  return {
    name,
    pods: pods.length,
    hosts: launches.reduce((sum, { order: { count } }) => sum + count, 0),
    hourlyUsd: launches.reduce((sum, { hourlyUsd }) => sum + hourlyUsd, 0),
    boundUsd: hourlyBound(offers, amountOf(pods)),
  };
}
