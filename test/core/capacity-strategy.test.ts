/** How a strategy divides tasks, and what a wish for offers leaves. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normaliseStrategy, sharesOf } from '../../core/model/capacity-strategy.ts';
import { allowedOffers } from '../../core/plan/capacity/allowed-offers.ts';
import { matches } from '../../core/wildcard.ts';

const strategies = fc
  .array(fc.record({ weight: fc.integer({ min: 0, max: 1000 }) }), { minLength: 1, maxLength: 20 })
  .chain((items) =>
    fc.tuple(fc.constant(items), fc.integer({ min: 0, max: items.length - 1 }), fc.integer({ min: 0, max: 200 })),
  )
  .map(([items, based, base]) =>
    items.map(({ weight }, index) => ({ capacityProvider: `p${index}`, weight, base: index === based ? base : 0 })),
  )
  .filter((items) => items.length === 1 || items.some(({ weight }) => weight > 0));
const counts = fc.integer({ min: 1, max: 500 });
const offsets = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('a strategy', () => {
  it('gives every task away, the base at least, and to each its share of the rest but for less than one', () => {
    fc.assert(
      fc.property(strategies, counts, offsets, (strategy, count, offset) => {
        const shares = sharesOf(strategy, count, offset);
        expect(shares.reduce((sum, share) => sum + share.count, 0)).toBe(count);
        const base = Math.min(count, Math.max(...strategy.map((item) => item.base)));
        const total = strategy.length === 1 ? 1 : strategy.reduce((sum, { weight }) => sum + weight, 0);
        for (const item of strategy) {
          const got = shares.find(({ capacityProvider }) => capacityProvider === item.capacityProvider)?.count ?? 0;
          const own = Math.min(item.base, count);
          const weight = strategy.length === 1 ? 1 : item.weight;
          expect(Math.abs(got - own - ((count - base) * weight) / total)).toBeLessThan(1);
        }
      }),
    );
  });

  it('comes out at the weights over many calls for one task each', () => {
    const strategy = [
      { capacityProvider: 'a', weight: 1, base: 0 },
      { capacityProvider: 'b', weight: 3, base: 0 },
    ];
    const calls = Array.from({ length: 1000 }, (_, index) => sharesOf(strategy, 1, index / 1000)[0]?.capacityProvider);
    expect(calls.filter((name) => name === 'a')).toHaveLength(250);
  });

  it('has no base and no weight where none is given', () => {
    expect(normaliseStrategy('s', [{ capacityProvider: 'a' }], ['a'])).toEqual([
      { capacityProvider: 'a', weight: 0, base: 0 },
    ]);
  });
});

describe('a wish for offers', () => {
  const offer = (name: string, vcpus: number, gib: number) => ({
    name,
    // What the host keeps for itself is taken off.
    cpuUnits: vcpus * 1024 - 100,
    memoryMib: gib * 1024 - 500,
    nominal: { vcpus, memoryMib: gib * 1024 },
    architecture: 'arm64' as const,
    zones: ['a'],
    hourlyUsd: 1,
    attributes: { disk: 'ssd' },
  });
  const offers = [
    offer('m7g.large', 2, 8),
    offer('m7g.xlarge', 4, 16),
    offer('c7g.large', 2, 4),
    offer('r7g.large', 2, 16),
  ];
  const names = (wish: Parameters<typeof allowedOffers>[0]['offers']) =>
    allowedOffers({ name: 'pool', offers: wish }, offers).map(({ name }) => name);

  it('is of everything where it says nothing, and of what the whole machine has', () => {
    expect(names({})).toHaveLength(4);
    expect(names({ memoryMib: { min: 8192, max: 8192 } })).toEqual(['m7g.large']);
    expect(names({ vcpus: { min: 4 } })).toEqual(['m7g.xlarge']);
    expect(names({ memoryGibPerVcpu: { max: 2 } })).toEqual(['c7g.large']);
    expect(names({ names: ['*.large'], exceptNames: ['c*', 'r7g.large'] })).toEqual(['m7g.large']);
    expect(names({ names: [] })).toEqual([]);
  });

  it('gives hosts the attribute by which tasks find them, beside their own', () => {
    expect(allowedOffers({ name: 'pool', offers: {} }, offers)[0]?.attributes).toEqual({
      disk: 'ssd',
      'gantry.capacity-provider': 'pool',
    });
  });

  it('has stars that stand for any text, also for none', () => {
    const text = fc.stringMatching(/^[a-c.]{0,6}$/);
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 4 }), text, (parts, name) => {
        const expression = new RegExp(`^${parts.map((part) => part.replaceAll('.', '\\.')).join('.*')}$`);
        expect(matches(parts.join('*'), name)).toBe(expression.test(name));
      }),
    );
  });
});
