import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fits } from '../../core/placement/filters.ts';
import { planCapacity } from '../../core/plan/capacity/plan.ts';
import type { CapacityInput, CapacityPlan, OwnedHost } from '../../core/plan/capacity/types.ts';
import { inputArbitrary, now, offersArbitrary, waitingArbitrary } from './capacity-arbitraries.ts';
import {
  covered,
  freshHost,
  holdAll,
  joinedHost,
  launched,
  needsOf,
  noted,
  offerOf,
  onOrder,
  refused,
  wantsZone,
} from './capacity-checks.ts';

const check = (law: (input: CapacityInput, plan: CapacityPlan) => void): void => {
  fc.assert(
    fc.property(inputArbitrary, (input) => law(input, planCapacity(input))),
    { numRuns: 1500 },
  );
};

describe('a plan of capacity', () => {
  it('has each waiting task in one place, and says why where it buys nothing', () => {
    check((input, plan) => {
      const told = [...covered(plan), ...refused(plan), ...plan.awaited.keys()];
      expect(new Set(told).size).toBe(told.length);
      const rest = input.waiting.map(({ taskId }) => taskId).filter((id) => !told.includes(id));
      const room = [...input.hosts.map(({ host }) => host), ...input.otherHosts];
      expect(holdAll(room, needsOf(input, rest))).toBe(true);
      expect(told.length + rest.length).toBe(input.waiting.length);
      for (const { taskIds, why } of plan.unmet) {
        expect(taskIds.length).toBeGreaterThan(0);
        expect(why).not.toBe('');
      }
    });
  });

  it('buys what holds the tasks it is bought for, whichever of its offers comes', () => {
    check((input, { launches }) => {
      for (const { order, covers } of launches) {
        for (const { name, zones } of order.offers) {
          for (const zone of zones) {
            const hosts = Array.from({ length: order.count }, (_, index) =>
              freshHost(offerOf(input, name), [zone], index),
            );
            expect(holdAll(hosts, needsOf(input, covers))).toBe(true);
          }
        }
      }
    });
  });

  it('buys only what is offered in that market and zone and is not blamed', () => {
    check((input, { launches }) => {
      for (const { order } of launches) {
        expect(input.policy.market === 'spot-first' || input.policy.market === order.market).toBe(true);
        for (const { name, zones } of order.offers) {
          const offer = offerOf(input, name);
          if (order.market === 'spot') expect(offer.spotHourlyUsd).toBeDefined();
          expect(offer.zones).toEqual(expect.arrayContaining(zones));
          const blames = input.blames.filter(
            (blame) =>
              blame.offer === name && blame.market === order.market && blame.until > now && zones.includes(blame.zone),
          );
          expect(blames).toEqual([]);
        }
      }
    });
  });

  it('keeps within the limits, counting what is there and on order', () => {
    check((input, { launches }) => {
      const before = onOrder(input, input.purchases);
      const after = onOrder(input, [...input.purchases, ...noted(launches, now + 1)]);
      const { maxHosts, maxCpuUnits = Infinity, maxHourlyUsd = Infinity } = input.limits;
      if (after.hosts > before.hosts) expect(after.hosts).toBeLessThanOrEqual(maxHosts);
      if (after.cpuUnits > before.cpuUnits) expect(after.cpuUnits).toBeLessThanOrEqual(maxCpuUnits);
      if (after.usd > before.usd) expect(after.usd).toBeLessThanOrEqual(maxHourlyUsd + 1e-6);
    });
  });

  it('lets no idle host go, and drains none, that the floor wants', () => {
    check((input, plan) => {
      const ending = new Set(plan.terminations.map(({ instanceId }) => instanceId));
      const active = input.hosts.filter(({ host }) => host.status === 'ACTIVE');
      const staying = active.filter(({ instanceId }) => !ending.has(instanceId)).length - plan.drains.length;
      const asked = active.filter(({ host, instanceId }) => host.reportedEpoch > 0 && ending.has(instanceId)).length;
      if (asked + plan.drains.length > 0) expect(staying).toBeGreaterThanOrEqual(input.limits.minHosts);
    });
  });

  it('buys the floor where nothing else is in the way', () => {
    fc.assert(
      fc.property(inputArbitrary, fc.integer({ min: 0, max: 4 }), (drawn, minHosts) => {
        const input: CapacityInput = { ...drawn, limits: { minHosts, maxHosts: 1000 }, blames: [] };
        fc.pre(input.policy.market !== 'spot' && input.offers.length > 0);
        const plan = planCapacity(input);
        const active = input.hosts.filter(({ host }) => host.status === 'ACTIVE').length;
        const bought = plan.launches.reduce((sum, { order }) => sum + order.count, 0);
        const ended = plan.terminations.filter(({ hostId }) => hostId === undefined).length;
        const ordered = onOrder({ ...input, hosts: [] }, input.purchases).hosts - ended;
        expect(active + ordered + bought).toBeGreaterThanOrEqual(minHosts);
      }),
      { numRuns: 500 },
    );
  });

  it('buys nothing twice: once its launches are written down it wants no more', () => {
    check((input, plan) => {
      const next = { ...input, purchases: [...input.purchases, ...noted(plan.launches, now + 1)] };
      const again = planCapacity(next);
      expect(again.launches).toEqual([]);
      expect(refused(again).sort()).toEqual(refused(plan).sort());
      expect([...again.awaited.keys()].sort()).toEqual([...covered(plan), ...plan.awaited.keys()].sort());
    });
  });

  it('buys nothing more for the same tasks as what it bought is launched, joins and reports', () => {
    check((input, plan) => {
      const bought = noted(plan.launches, now + 1).map((purchase) => launched(input, purchase));
      const purchases = [...input.purchases, ...bought];
      const joined = bought.flatMap(({ instances }) => instances.map((instance) => joinedHost(input, instance)));
      const starting = joined.map((owned) => ({
        ...owned,
        host: { ...owned.host, reportedEpoch: 0, connected: false },
      }));
      expect(planCapacity({ ...input, purchases }).launches).toEqual([]);
      // A host turns out to be in a zone, and the tasks that want that zone may be nearer to it than those that it was bought for.
      if (input.waiting.some(({ needs }) => wantsZone(needs))) return;
      for (const hosts of [
        starting,
        joined,
        joined.map((owned, n) => (n % 2 === 0 ? owned : (starting[n] ?? owned))),
      ]) {
        expect(planCapacity({ ...input, purchases, hosts: [...input.hosts, ...hosts] }).launches).toEqual([]);
      }
    });
  });

  it('refuses no task that an offer holds where limits and blames leave it free', () => {
    fc.assert(
      fc.property(offersArbitrary, waitingArbitrary(8), inputArbitrary, (offers, waiting, { policy }) => {
        const input: CapacityInput = {
          now,
          cluster: 'default',
          provider: 'p',
          offers,
          waiting,
          blames: [],
          limits: { minHosts: 0, maxHosts: 10_000 },
          policy: { ...policy, market: 'on-demand' },
          hosts: [],
          otherHosts: [],
          purchases: [],
        };
        for (const needs of needsOf(input, refused(planCapacity(input)))) {
          const hosts = offers.flatMap((offer) => offer.zones.map((zone) => freshHost(offer, [zone], 0)));
          expect(hosts.filter((host) => fits(host, needs))).toEqual([]);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('ends no host that has a task or is about to get one', () => {
    check((input, plan) => {
      const told = new Set([...covered(plan), ...refused(plan), ...plan.awaited.keys()]);
      const rest = input.waiting.filter(({ taskId }) => !told.has(taskId));
      const ending = new Set(plan.terminations.map(({ instanceId }) => instanceId));
      for (const { instanceId, tasks, host } of input.hosts) {
        if (ending.has(instanceId) && host.status !== 'INACTIVE') expect(tasks).toEqual([]);
      }
      const room = input.hosts.filter(({ instanceId }) => !ending.has(instanceId)).map(({ host }) => host);
      expect(
        holdAll(
          [...room, ...input.otherHosts],
          rest.map(({ needs }) => needs),
        ),
      ).toBe(true);
    });
  });

  it('drains no host with a task that may not be replaced, and none while anything waits or is on order', () => {
    check((input, plan) => {
      const draining = input.hosts.filter(({ host, tasks }) => host.status === 'DRAINING' && tasks.length > 0).length;
      if (plan.drains.length > 0) expect(plan.drains.length + draining).toBeLessThanOrEqual(input.policy.maxDraining);
      for (const { hostId, deadline } of plan.drains) {
        const owned = input.hosts.find(({ host }) => host.hostId === hostId);
        expect(owned?.tasks.every(({ replaceable }) => replaceable)).toBe(true);
        expect(deadline).toBeUndefined();
        expect(input.waiting).toEqual([]);
        expect(plan.launches).toEqual([]);
      }
    });
  });

  it('lets no host go before it was there and empty for the idle time', () => {
    check((input, plan) => {
      const known = new Map<string, OwnedHost>(input.hosts.map((owned) => [owned.instanceId, owned]));
      const young = (at: number | undefined): boolean => at === undefined || at + input.policy.idleSeconds * 1000 > now;
      for (const { instanceId, hostId, why } of plan.terminations) {
        expect(why).not.toBe('');
        const owned = known.get(instanceId);
        expect(owned?.host.hostId).toBe(hostId);
        if (owned?.host.status === 'ACTIVE' && owned.host.reportedEpoch > 0)
          expect(young(owned.emptySince)).toBe(false);
      }
      for (const { instanceId } of plan.drains) expect(young(known.get(instanceId)?.joinedAt)).toBe(false);
    });
  });

  it('is the same until the time that it names', () => {
    check((input, plan) => {
      const { againAt = now + 1e9 } = plan;
      expect(againAt).toBeGreaterThan(now);
      const justBefore = planCapacity({ ...input, now: againAt - 1 });
      expect({ ...justBefore, againAt: plan.againAt }).toEqual(plan);
    });
  });

  it('is the same for the same input, which it leaves as it is', () => {
    check((input, plan) => {
      const copy = structuredClone(input);
      expect(planCapacity(copy)).toEqual(plan);
      expect(copy).toEqual(input);
    });
  });
});
