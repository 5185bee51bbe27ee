import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HostCapacity } from '../../core/model/host.ts';
import type { PlacementNeeds } from '../../core/model/task.ts';
import { applyReservation, releaseReservation } from '../../core/placement/capacity.ts';
import { place } from '../../core/placement/place.ts';
import { remainderScore } from '../../core/placement/tightest.ts';
import { seededRandom } from '../../core/random.ts';
import { emptyHost, fewTasks, hostArbitrary, hostsArbitrary, needsArbitrary, plainNeeds } from './arbitraries.ts';

/** What the filters are to mean, said a second time. */
function mayTake(host: HostCapacity, needs: PlacementNeeds): boolean {
  const { cpuUnits, memoryMib, ports } = needs.reservation;
  return (
    host.status === 'ACTIVE' &&
    host.epoch === host.reportedEpoch &&
    host.connected &&
    Object.entries(needs.attributes).every(([name, value]) => host.attributes[name] === value) &&
    needs.constraints.every((constraint) => allows(host, needs, constraint)) &&
    host.freeCpuUnits >= cpuUnits &&
    host.freeMemoryMib >= memoryMib &&
    ports.every((port) => !(port in host.ports))
  );
}

function allows(host: HostCapacity, needs: PlacementNeeds, constraint: PlacementNeeds['constraints'][number]): boolean {
  if (constraint.type === 'distinctInstance') return (host.groups[needs.group] ?? 0) === 0;
  if (constraint.expression === fewTasks.expression) return host.taskCount < 3;
  const zone = host.attributes['ecs.availability-zone'];
  return zone !== undefined && /\[(.*)\]/.exec(constraint.expression)?.[1]?.split(', ').includes(zone) === true;
}

function freezeDeeply<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const member of Object.values(value)) freezeDeeply(member);
  return Object.freeze(value);
}

/** Places the assignments one after the other, with a look at each host before. */
function replay(
  hosts: readonly HostCapacity[],
  assignments: readonly HostCapacity[],
  needs: PlacementNeeds,
  before: (host: HostCapacity, all: ReadonlyMap<string, HostCapacity>) => void,
): Map<string, HostCapacity> {
  const state = new Map(hosts.map((host) => [host.hostId, host]));
  for (const [index, { hostId }] of assignments.entries()) {
    const host = state.get(hostId);
    if (host === undefined) throw new Error(`${hostId} is not among the hosts`);
    before(host, state);
    state.set(hostId, applyReservation(host, needs, `task-${index}`));
  }
  return state;
}

const situation = fc.record({
  hosts: hostsArbitrary(150),
  needs: needsArbitrary,
  count: fc.nat(30),
  seed: fc.integer(),
});

describe('place', () => {
  it('places only where every filter lets it, and never over-commits', () => {
    fc.assert(
      fc.property(situation, ({ hosts, needs, count, seed }) => {
        const result = place({ needs, count }, hosts, seededRandom(seed));
        const after = replay(hosts, result.assignments, needs, (host) => expect(mayTake(host, needs)).toBe(true));
        for (const host of after.values()) {
          expect(host.freeCpuUnits).toBeGreaterThanOrEqual(0);
          expect(host.freeMemoryMib).toBeGreaterThanOrEqual(0);
        }
        expect(result.reasons).toHaveLength(result.assignments.length);
        expect(result.assignments.length + result.unplaced).toBe(count);
      }),
    );
  });

  it('refuses only when no host is left that could take one more', () => {
    fc.assert(
      fc.property(situation, ({ hosts, needs, count, seed }) => {
        const result = place({ needs, count }, hosts, seededRandom(seed));
        const after = replay(hosts, result.assignments, needs, () => undefined);
        const room = [...after.values()].some((host) => mayTake(host, needs));
        if (result.unplaced > 0) expect(room).toBe(false);
      }),
    );
  });

  it('explains every refusal, and only refusals', () => {
    fc.assert(
      fc.property(situation, ({ hosts, needs, count, seed }) => {
        const { explanation, unplaced } = place({ needs, count }, hosts, seededRandom(seed));
        expect(explanation !== undefined).toBe(unplaced > 0);
        if (explanation === undefined) return;
        const looked = Math.min(hosts.length, 100);
        expect(explanation.hostsLookedAt).toBe(looked);
        expect(explanation.histogram.reduce((sum, bar) => sum + bar.hosts, 0)).toBe(looked);
        expect(explanation.nearest).toHaveLength(Math.min(hosts.length, 10));
        for (const { lacks } of explanation.nearest) expect(lacks.length).toBeGreaterThan(0);
        for (const { reason } of explanation.histogram)
          expect(explanation.sentence.length * reason.length).toBeGreaterThan(0);
      }),
    );
  });

  it('keeps tasks of one group on different hosts where distinctInstance asks for it', () => {
    const needs = plainNeeds({ constraints: [{ type: 'distinctInstance' }] });
    const hosts = [emptyHost('one'), emptyHost('two'), emptyHost('three', { groups: { 'family:web': 1 } })];
    const result = place({ needs, count: 5 }, hosts, seededRandom(1));
    expect(result.assignments.map(({ name }) => name).sort()).toEqual(['one', 'two']);
    expect(result.unplaced).toBe(3);
    expect(result.explanation?.histogram[0]?.reason).toBe('DistinctInstance placement constraint unsatisfied.');
  });

  it('decides the same from the same seed, and never touches what it was given', () => {
    fc.assert(
      fc.property(situation, ({ hosts, needs, count, seed }) => {
        const frozen = freezeDeeply(hosts);
        const first = place({ needs, count }, frozen, seededRandom(seed));
        expect(place({ needs, count }, frozen, seededRandom(seed))).toEqual(first);
      }),
    );
  });

  it('gives a host back exactly as it was', () => {
    fc.assert(
      fc.property(hostArbitrary, needsArbitrary, (host, needs) => {
        const free = { ...host, ports: {} };
        expect(releaseReservation(applyReservation(free, needs, 'task'), needs, 'task')).toEqual(free);
      }),
    );
  });
});

describe('the default choice', () => {
  it('takes a host that is left nearly as full as the fullest possible', () => {
    fc.assert(
      fc.property(hostsArbitrary(60), needsArbitrary, fc.integer(), (hosts, anyNeeds, seed) => {
        const needs = { ...anyNeeds, strategies: [] };
        const { assignments } = place({ needs, count: 10 }, hosts, seededRandom(seed));
        replay(hosts, assignments, needs, (host, all) => {
          const scores = [...all.values()]
            .filter((other) => mayTake(other, needs))
            .map((other) => remainderScore(other, needs.reservation));
          expect(remainderScore(host, needs.reservation)).toBeLessThanOrEqual(Math.min(...scores) + 0.05);
        });
      }),
    );
  });

  it('spreads callers who decide on the same snapshot over the best few hosts', () => {
    const hosts = Array.from({ length: 20 }, (_, index) =>
      emptyHost(`host-${index}`, { freeMemoryMib: 4096 - 8 * index }),
    );
    const chosen = Array.from({ length: 80 }, (_, seed) => {
      const { assignments } = place({ needs: plainNeeds(), count: 1 }, hosts, seededRandom(seed));
      return assignments[0]?.name;
    });
    expect(new Set(chosen)).toEqual(new Set(hosts.slice(-8).map(({ name }) => name)));
  });

  it('keeps the tasks of one call together while hosts are equally good', () => {
    const hosts = Array.from({ length: 20 }, (_, index) => emptyHost(`host-${index}`));
    const { assignments } = place({ needs: plainNeeds(), count: 4 }, hosts, seededRandom(7));
    expect(new Set(assignments.map(({ name }) => name)).size).toBe(1);
  });

  const large = (free: (index: number) => number): { hosts: HostCapacity[]; looks: () => number } => {
    let looks = 0;
    const hosts = Array.from({ length: 10_000 }, (_, index) =>
      emptyHost(`host-${index}`, { freeMemoryMib: free(index) }),
    );
    const watched = new Proxy(hosts, {
      get(target, member, receiver) {
        if (typeof member === 'string' && /^\d+$/.test(member)) looks += 1;
        return Reflect.get(target, member, receiver);
      },
    });
    return { hosts: watched, looks: () => looks };
  };

  it('looks at a sample of a large cluster', () => {
    const { hosts, looks } = large((index) => (index % 3 === 0 ? 4096 : 100));
    expect(place({ needs: plainNeeds(), count: 10 }, hosts, seededRandom(3)).unplaced).toBe(0);
    expect(looks()).toBeLessThan(600);
  });

  it('looks at more of a large cluster where few hosts fit, and not at all of it', () => {
    const { hosts, looks } = large((index) => (index % 40 === 0 ? 4096 : 100));
    expect(place({ needs: plainNeeds(), count: 1 }, hosts, seededRandom(3)).unplaced).toBe(0);
    expect(looks()).toBeLessThan(2000);
  });

  it('finds the one host of a large cluster that fits', () => {
    const { hosts } = large((index) => (index === 6789 ? 4096 : 100));
    const { assignments, reasons } = place({ needs: plainNeeds(), count: 1 }, hosts, seededRandom(3));
    expect(assignments.map(({ name }) => name)).toEqual(['host-6789']);
    expect(reasons).toEqual(['the only host that fits, 1.75 vCPU and 3.5 GiB left']);
  });
});

describe('named strategies', () => {
  const zones = (count: number): HostCapacity[] =>
    Array.from({ length: count }, (_, index) =>
      emptyHost(`host-${index}`, { attributes: { 'ecs.availability-zone': ['a', 'b', 'c'][index % 3] ?? '' } }),
    );
  const tally = (hosts: readonly HostCapacity[], key: (host: HostCapacity) => string): number[] =>
    Object.values(Object.groupBy(hosts, key)).map((group) => group?.length ?? 0);

  it('spread: over the values of an attribute, what runs there already counted', () => {
    const hosts = zones(9).map((host, index) => (index === 0 ? { ...host, groups: { 'family:web': 2 } } : host));
    const needs = plainNeeds({ strategies: [{ type: 'spread', field: 'attribute:ecs.availability-zone' }] });
    const { assignments } = place({ needs, count: 7 }, hosts, seededRandom(2));
    const byZone = Object.groupBy(assignments, ({ attributes }) => attributes['ecs.availability-zone'] ?? '');
    expect([byZone.a?.length, byZone.b?.length, byZone.c?.length]).toEqual([1, 3, 3]);
  });

  it('spread: over hosts', () => {
    const needs = plainNeeds({ strategies: [{ type: 'spread', field: 'instanceId' }] });
    const { assignments } = place({ needs, count: 8 }, zones(4), seededRandom(2));
    expect(tally(assignments, ({ name }) => name)).toEqual([2, 2, 2, 2]);
  });

  it('binpack: fills the host with the least left, whatever the case of the field', () => {
    const hosts = [
      emptyHost('empty'),
      emptyHost('half', { freeMemoryMib: 2048 }),
      emptyHost('full', { freeMemoryMib: 100 }),
    ];
    const needs = plainNeeds({ strategies: [{ type: 'binpack', field: 'MEMORY' }] });
    const { assignments } = place({ needs, count: 5 }, hosts, seededRandom(2));
    expect(assignments.map(({ name }) => name)).toEqual(['half', 'half', 'half', 'half', 'empty']);
  });

  it('chains: spread over zones first, then binpack inside the zone', () => {
    const hosts = zones(6).map((host, index) => (index >= 3 ? { ...host, freeMemoryMib: 1024 } : host));
    const needs = plainNeeds({
      strategies: [
        { type: 'spread', field: 'attribute:ecs.availability-zone' },
        { type: 'binpack', field: 'memory' },
      ],
    });
    const { assignments, reasons } = place({ needs, count: 3 }, hosts, seededRandom(2));
    expect(assignments.map(({ name }) => name).sort()).toEqual(['host-3', 'host-4', 'host-5']);
    expect(reasons[0]).toMatch(
      /^spread over ecs.availability-zone \(now 1 task of the group in [abc]\); binpack by memory/,
    );
  });

  it('every link of a chain is honoured before the next, by an exhaustive comparison', () => {
    fc.assert(
      fc.property(hostsArbitrary(25), needsArbitrary, fc.integer(), (hosts, needs, seed) => {
        if (needs.strategies.length === 0) return;
        const { assignments } = place({ needs, count: 12 }, hosts, seededRandom(seed));
        replay(hosts, assignments, needs, (host, all) => {
          const rivals = [...all.values()].filter((other) => mayTake(other, needs));
          const rank = (other: HostCapacity): number[] => keysOf(other, needs, [...all.values()]);
          for (const rival of rivals) expect(compareKeys(rank(host), rank(rival))).toBeLessThanOrEqual(0);
        });
      }),
    );
  });
});

function keysOf(host: HostCapacity, needs: PlacementNeeds, all: readonly HostCapacity[]): number[] {
  const keys: number[] = [];
  for (const { type, field } of needs.strategies) {
    if (type === 'random') break;
    if (type === 'binpack') keys.push(field === 'cpu' ? host.freeCpuUnits : host.freeMemoryMib);
    else if (field === 'instanceId') keys.push(host.groups[needs.group] ?? 0);
    else {
      const zone = host.attributes['ecs.availability-zone'];
      const alike = all.filter(({ attributes }) => attributes['ecs.availability-zone'] === zone);
      keys.push(alike.reduce((sum, { groups }) => sum + (groups[needs.group] ?? 0), 0));
    }
  }
  return keys;
}

function compareKeys(a: readonly number[], b: readonly number[]): number {
  for (const [index, key] of a.entries()) {
    const difference = key - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
