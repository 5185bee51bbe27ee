/**
 * A fleet whose offers are remembered in the store: for the functions that plan and explain but cannot ask EC2, and for the next process
 * of this one, because EC2's prices take a while to read. Changes nothing of what the fleet says.
 */
import type { ControlDeps } from '../../control/deps.ts';
import type { Fleet } from '../../control/fleet/fleet.ts';
import { type StoredOffers, storedOffers, storeOffers } from '../../control/store/offers.ts';
import type { Offer } from '../../core/model/capacity.ts';

/** What is younger is good enough to begin with, and not written again for a price that has moved. */
const youngMs = 15 * 60_000;

type Deps = Pick<ControlDeps, 'table' | 'clock' | 'log'>;

export function rememberingOffers(deps: Deps, fleet: Fleet): Fleet {
  /** Clusters whose offers this process has: from then on the fleet itself is asked, which has them in memory. */
  const begun = new Set<string>();
  return {
    launch: (order) => fleet.launch(order),
    list: (cluster) => fleet.list(cluster),
    terminate: (instanceIds) => fleet.terminate(instanceIds),
    async offers(cluster) {
      const stored = await storedOffers(deps.table, cluster);
      const isYoung = stored !== undefined && deps.clock.now() - stored.readAt < youngMs;
      // None means that nobody has said yet how its hosts are launched, which may have changed since.
      if (isYoung && stored.offers.length > 0 && !begun.has(cluster)) {
        begun.add(cluster);
        return stored.offers;
      }
      const readAt = deps.clock.now();
      const offers = await fleet.offers(cluster);
      begun.add(cluster);
      if (!isYoung || !isSameChoice(stored.offers, offers)) await remember(deps, cluster, { offers, readAt });
      return offers;
    },
  };
}

/** Without it nothing is bought wrongly: others know less. */
async function remember({ table, log }: Deps, cluster: string, seen: StoredOffers): Promise<void> {
  try {
    await storeOffers(table, cluster, seen);
  } catch (error) {
    log.warn({ err: error, cluster }, 'what is on offer could not be stored; the next look tries again');
  }
}

const isSameChoice = (a: readonly Offer[], b: readonly Offer[]): boolean => choiceOf(a) === choiceOf(b);

const choiceOf = (offers: readonly Offer[]): string =>
  offers
    .map(({ name, zones, cpuUnits, memoryMib }) => [name, cpuUnits, memoryMib, ...zones.toSorted()].join(' '))
    .toSorted()
    .join('\n');
