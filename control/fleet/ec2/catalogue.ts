/** What can be bought in one region, kept in memory as long as it is likely to hold. Serves the offers of every cluster. */
import type { EC2Client } from '@aws-sdk/client-ec2';
import type { Offer } from '../../../core/model/capacity.ts';
import type { HostSupply } from '../../../core/model/host-supply.ts';
import type { Log } from '../../deps.ts';
import { cached } from './cached.ts';
import { readArchitectures, readSpotPrices, readTypes, readZones } from './instance-types.ts';
import { offersOf } from './offers.ts';
import type { OnDemandPrices } from './prices.ts';
import type { Architecture } from './requests.ts';

const hourMs = 60 * 60_000;
/** New types and prices come every few weeks. */
const typesFreshMs = 6 * hourMs;
/** AWS changes them gradually. */
const spotFreshMs = 5 * 60_000;

export interface CatalogueOptions {
  readonly client: EC2Client;
  readonly prices: OnDemandPrices;
  readonly now: () => number;
  readonly log?: Pick<Log, 'warn'> | undefined;
}

export interface Ec2Catalogue {
  /** Rejects where something was never known. */
  offers(supply: HostSupply): Promise<readonly Offer[]>;
  /** At least of those of the names that exist. */
  architectures(names: readonly string[]): Promise<ReadonlyMap<string, Architecture>>;
}

export function openCatalogue({ client, prices, now, log }: CatalogueOptions): Ec2Catalogue {
  const slowly = { freshMs: typesFreshMs, now, log };
  const types = cached({ ...slowly, what: 'its instance types', read: () => readTypes(client) });
  const zones = cached({ ...slowly, what: 'the zones of its instance types', read: () => readZones(client) });
  const onDemand = cached({ ...slowly, what: 'its prices on demand', read: prices });
  const spot = cached({
    what: 'its spot prices',
    read: () => readSpotPrices(client, now()),
    freshMs: spotFreshMs,
    now,
    log,
  });
  // Never change.
  const architectures = new Map<string, Architecture>();
  return {
    offers: async (supply) => {
      const [known, places, hourly, spotPrices] = await Promise.all([types(), zones(), onDemand(), spot()]);
      for (const { name, architecture } of known) architectures.set(name, architecture);
      return offersOf({ types: known, zones: places, prices: hourly, spotPrices }, supply);
    },
    architectures: async (names) => {
      const strangers = [...new Set(names)].filter((name) => !architectures.has(name));
      if (strangers.length > 0)
        for (const [name, architecture] of await readArchitectures(client, strangers))
          architectures.set(name, architecture);
      return architectures;
    },
  };
}
