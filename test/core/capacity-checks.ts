/** What a plan of capacity is held against: the tasks placed for real, and the limits counted a second time. */
import { expect } from 'vitest';
import type { Offer, Order, Purchase } from '../../core/model/capacity.ts';
import type { HostCapacity } from '../../core/model/host.ts';
import type { PlacementNeeds } from '../../core/model/task.ts';
import { applyReservation } from '../../core/placement/capacity.ts';
import { fits } from '../../core/placement/filters.ts';
import { looksAtTasks } from '../../core/placement/member-of.ts';
import { remainderScore } from '../../core/placement/tightest.ts';
import type { CapacityInput, CapacityPlan, Launch, OwnedHost } from '../../core/plan/capacity/types.ts';
import { emptyHost } from './arbitraries.ts';
import { now } from './capacity-arbitraries.ts';

/**
 * Whether all of them fit at once, by trying: the choosy and the large first, on the tightest first, and back where that fails. Where
 * one asks for the tasks of a host, its order among them decides, so that nothing can be said.
 */
export function holdAll(hosts: readonly HostCapacity[], all: readonly PlacementNeeds[]): boolean {
  if (all.some(looksAtTasks)) return true;
  let tries = 20_000;
  const weight = ({ reservation, attributes, constraints }: PlacementNeeds): number =>
    constraints.length * 1000 +
    Object.keys(attributes).length * 100 +
    reservation.cpuUnits / 1024 +
    reservation.memoryMib / 2048;
  const queue = all.toSorted((a, b) => weight(b) - weight(a));
  const place = (at: number, state: readonly HostCapacity[]): boolean => {
    const needs = queue[at];
    if (needs === undefined) return true;
    const options = [...state.entries()]
      .filter(([, host]) => fits(host, needs))
      .sort(([, a], [, b]) => remainderScore(a, needs.reservation) - remainderScore(b, needs.reservation));
    for (const [index, host] of options) {
      tries -= 1;
      if (tries < 0) throw new Error('not decided in so many tries');
      if (place(at + 1, state.with(index, applyReservation(host, needs, `t${at}`)))) return true;
    }
    return false;
  };
  return place(0, hosts);
}

export const wantsZone = ({ attributes, constraints }: PlacementNeeds): boolean =>
  'ecs.availability-zone' in attributes || JSON.stringify(constraints).includes('ecs.availability-zone');

export function freshHost(offer: Offer, zones: readonly string[], index: number): HostCapacity {
  return emptyHost(`new-${index}`, {
    totalCpuUnits: offer.cpuUnits,
    totalMemoryMib: offer.memoryMib,
    freeCpuUnits: offer.cpuUnits,
    freeMemoryMib: offer.memoryMib,
    attributes: {
      'ecs.os-type': 'linux',
      'ecs.cpu-architecture': offer.architecture,
      ...(zones.length === 1 && { 'ecs.availability-zone': zones[0] ?? '' }),
    },
  });
}

export const offerOf = (input: CapacityInput, name: string): Offer => {
  const offer = input.offers.find((each) => each.name === name);
  if (offer === undefined) throw new Error(`there is no offer ${name}`);
  return offer;
};

export const needsOf = (input: CapacityInput, ids: readonly string[]): PlacementNeeds[] => {
  const needs = new Map(input.waiting.map((task) => [task.taskId, task.needs]));
  return ids.map((id) => needs.get(id) ?? expect.fail(`${id} does not wait`));
};

export const covered = ({ launches }: CapacityPlan): string[] => launches.flatMap(({ covers }) => covers);
export const refused = ({ unmet }: CapacityPlan): string[] => unmet.flatMap(({ taskIds }) => taskIds);

/** Each launch once it is written down. */
export const noted = (launches: readonly Launch[], at: number): Purchase[] =>
  launches.map(({ order, covers, why }, index) => ({
    order: { ...order, id: `bought-${index}` },
    state: 'OPEN',
    orderedAt: at,
    covers: [...covers],
    why,
    instances: [],
    version: 1,
  }));

/** With the first offer in its first zone, as it was asked for. */
export function launched(input: CapacityInput, purchase: Purchase): Purchase {
  const { id, offers, count, market } = purchase.order;
  const [{ name, zones } = { name: '', zones: [] }] = offers;
  const zone = zones[0] ?? '';
  const hourlyUsd = priceOf(offerOf(input, name), market);
  const instances = Array.from({ length: count }, (_, n) => ({
    instanceId: `i-${id}-${n}`,
    offer: name,
    zone,
    hourlyUsd,
    launchedAt: now,
  }));
  return { ...purchase, state: 'LAUNCHED', instances };
}

export const joinedHost = (
  input: CapacityInput,
  { instanceId, offer, zone, hourlyUsd }: Purchase['instances'][number],
): OwnedHost => ({
  host: { ...freshHost(offerOf(input, offer), [zone], 0), hostId: instanceId, name: instanceId },
  instanceId,
  offer,
  zone,
  hourlyUsd,
  joinedAt: now,
  emptySince: now,
  tasks: [],
});

const priceOf = (offer: Offer, market: Order['market']): number =>
  market === 'spot' ? (offer.spotHourlyUsd ?? offer.hourlyUsd) : offer.hourlyUsd;

/** As dear and as large as it may come. */
export function onOrder(input: CapacityInput, purchases: readonly Purchase[]) {
  const parts = purchases.flatMap(({ state, order, instances }) =>
    state === 'CLOSED'
      ? []
      : state === 'OPEN'
        ? Array.from({ length: order.count }, () => {
            const all = order.offers.map(({ name }) => offerOf(input, name));
            return {
              cpuUnits: Math.max(...all.map(({ cpuUnits }) => cpuUnits)),
              usd: Math.max(...all.map((offer) => priceOf(offer, order.market))),
            };
          })
        : instances
            .filter(({ endingAt, endedAt }) => endingAt === undefined && endedAt === undefined)
            .map(({ offer, hourlyUsd }) => ({ cpuUnits: offerOf(input, offer).cpuUnits, usd: hourlyUsd })),
  );
  const there = input.hosts.map(({ host, hourlyUsd }) => ({ cpuUnits: host.totalCpuUnits, usd: hourlyUsd }));
  const all = [...parts, ...there];
  return {
    hosts: all.length,
    cpuUnits: all.reduce((sum, { cpuUnits }) => sum + cpuUnits, 0),
    usd: all.reduce((sum, { usd }) => sum + usd, 0),
  };
}
