/** What a cluster may buy of what EC2 has, from what is known of types, zones and prices. Pure. */
import type { Offer } from '../../../core/model/capacity.ts';
import { defaultReserveMib } from '../../../core/model/host-reserve.ts';
import type { HostSupply } from '../../../core/model/host-supply.ts';
import type { SpotPrices, TypeFacts } from './instance-types.ts';

export interface Market {
  readonly types: readonly TypeFacts[];
  readonly zones: ReadonlyMap<string, ReadonlySet<string>>;
  /** Dollars an hour by type. */
  readonly prices: ReadonlyMap<string, number>;
  readonly spotPrices: SpotPrices;
}

export const offersOf = (market: Market, supply: HostSupply): Offer[] =>
  market.types.flatMap((type) => offerOf(type, market, supply) ?? []);

function offerOf(type: TypeFacts, { zones, prices, spotPrices }: Market, supply: HostSupply): Offer | undefined {
  const { name, architecture, vcpus, memoryMib: nominalMib } = type;
  const hourlyUsd = prices.get(name);
  const places = Object.keys(supply.subnets)
    .filter((zone) => zones.get(name)?.has(zone))
    .sort();
  const memoryMib = taskMemoryMib(nominalMib, supply.reservedMemoryMib);
  if (supply.launchTemplates[architecture] === undefined || hourlyUsd === undefined) return undefined;
  if (places.length === 0 || memoryMib <= 0) return undefined;
  const spotHourlyUsd = type.isSpot ? spotPriceOf(spotPrices.get(name), places) : undefined;
  return {
    name,
    cpuUnits: vcpus * 1024,
    memoryMib,
    nominal: { vcpus, memoryMib: nominalMib },
    architecture,
    zones: places,
    hourlyUsd,
    ...(spotHourlyUsd !== undefined && { spotHourlyUsd }),
    // As its agent will say of itself (agent/ec2/host.ts).
    attributes: { 'ecs.instance-type': name, 'ecs.cpu-architecture': architecture, 'ecs.os-type': 'linux' },
  };
}

/** The dearest of the zones, so that no limit on what is spent is overstepped wherever EC2 launches it. */
function spotPriceOf(prices: ReadonlyMap<string, number> | undefined, zones: readonly string[]): number | undefined {
  const known = zones.flatMap((zone) => prices?.get(zone) ?? []);
  return known.length === 0 ? undefined : Math.max(...known);
}

/**
 * What the kernel sees is less than what EC2 says: the hypervisor's and the firmware's part, and what the kernel takes to keep its books.
 * The bound is on the safe side of what Karpenter's maintainers measured of some 500 types (the tightest line of this form above them:
 * 10.6 % of a c5.large's 4 GiB, 6.8 % of an m5.large's 8, 3.6 % of an r6a.48xlarge's 1536, 17 % of a t3.nano's half): a host that turns
 * out smaller than what it was bought for would be bought again and again, one that turns out larger only has room left.
 */
const unseenMib = (memoryMib: number): number => Math.ceil(Math.min(memoryMib * 0.18, 240 + memoryMib * 0.0475));

/** What a host of that type has for tasks, at least. */
export function taskMemoryMib(nominalMib: number, reservedMib: number | undefined): number {
  const seenMib = nominalMib - unseenMib(nominalMib);
  return seenMib - (reservedMib ?? defaultReserveMib(seenMib));
}
