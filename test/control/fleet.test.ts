/** The fake passes what every fleet passes, so that what is tested on it is tested. */
import { seededRandom } from '../../core/random.ts';
import { describeFleet } from './fleet-conformance.ts';
import { FakeFleet } from './support/fake-fleet.ts';

describeFleet('the fake', async () => {
  let now = Date.UTC(2100, 0, 1);
  const fleet = new FakeFleet({
    now: () => now,
    random: seededRandom(1),
    visibleAfterMs: 30_000,
    bootMs: { least: 10_000, most: 60_000 },
    mostInstances: 5,
  });
  return {
    fleet,
    clusters: ['default', 'other'],
    most: 5,
    another: async () => fleet,
    until: async (holds) => {
      for (let second = 0; !(await holds()); second += 1) {
        if (second === 120) throw new Error('two minutes later it still did not hold');
        now += 1000;
      }
    },
    exhaust: async (offer, zone) => void fleet.exhausted.add(`${offer}/${zone}`),
    [Symbol.asyncDispose]: async () => {},
  };
});
