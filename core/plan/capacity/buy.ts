/** What is to be bought for tasks that fit on no host that is there or on order, within the limits, and for the least number of hosts. */
import { fits } from '../../placement/filters.ts';
import { Bin } from './bin.ts';
import { type Budget, costOf } from './budget.ts';
import type { Candidate, Market } from './market.ts';
import { type Aim, pack, type Supply } from './pack.ts';
import { pricesFor } from './prices.ts';
import { type Lot, remaining, tasksIn } from './shapes.ts';
import { fillStock } from './stock.ts';

export interface NewHost {
  readonly candidate: Candidate;
  readonly bin: Bin;
}

export interface Bought {
  readonly hosts: readonly NewHost[];
  readonly left: readonly Lot[];
  readonly budget: Budget;
}

export interface Demand {
  readonly lots: readonly Lot[];
  readonly markets: readonly Market[];
  readonly budget: Budget;
  /** Hosts that must be bought even with nothing to do. */
  readonly floor: number;
}

/** Once what is bought is known, all of it nearly always finds its place again at once; where it never does, the next plan goes on. */
const mostRounds = 12;

/** As cheaply as can be; on few hosts where the limits let fewer tasks run otherwise. */
export function buy(demand: Demand): Bought {
  const cheap = buyWith(demand, 'cost');
  if (cheap.left.length === 0) return cheap;
  const few = buyWith(demand, 'few');
  return tasksIn(few.left) < tasksIn(cheap.left) ? few : cheap;
}

function buyWith({ lots, markets, budget, floor }: Demand, aim: Aim): Bought {
  let chosen: readonly Candidate[] = [];
  for (let round = 0; ; round += 1) {
    const packed = asFoundNext(chosen, lots, markets);
    const used = packed.hosts.filter(({ bin }) => bin.held.length > 0).map(({ candidate }) => candidate);
    const purse = budget.copy();
    for (const candidate of used) purse.spend(costOf(candidate));
    const more = round < mostRounds ? buyMore(packed.left, markets, { purse, aim }) : [];
    if (more.length === 0) {
      const kept = keepFloor(floor - used.length, markets, purse);
      return { ...asFoundNext([...used, ...kept], lots, markets), budget: purse };
    }
    chosen = [...used, ...more];
  }
}

/** The hosts with what they hold, as the next plan will find it once they are on order. */
function asFoundNext(
  chosen: readonly Candidate[],
  lots: readonly Lot[],
  markets: readonly Market[],
): Omit<Bought, 'budget'> {
  const rest = remaining(lots);
  const hosts = chosen.map((candidate) => ({ candidate, bin: new Bin(candidate.host, candidate.accepted) }));
  const stock = hosts.map(({ bin, candidate: { hourlyUsd, market } }) => ({ bin, hourlyUsd, market, orderedAt: 0 }));
  fillStock(stock, rest, markets);
  return { hosts, left: remaining(rest) };
}

function buyMore(
  lots: readonly Lot[],
  markets: readonly Market[],
  { purse, aim }: { readonly purse: Budget; readonly aim: Aim },
): Candidate[] {
  const offered = markets.flatMap(({ best }) => best);
  let left = remaining(lots);
  return markets.flatMap(({ candidates, best }) => {
    const bought: Candidate[] = [];
    for (const kinds of [best, candidates]) {
      if (left.length === 0 || kinds.length === 0) continue;
      const picks = pack(left, supplyOf(kinds, purse), pricesFor(offered, left), aim);
      for (const { kind, count } of picks) for (let copy = 0; copy < count; copy += 1) bought.push(kind);
      left = remaining(left);
    }
    // A market is asked only for what no market before it has: not for what there was no money for.
    left = left.filter(({ shape }) => !candidates.some(({ host }) => fits(host, shape.needs)));
    return bought;
  });
}

const supplyOf = (kinds: readonly Candidate[], purse: Budget): Supply<Candidate> => ({
  kinds,
  left: (candidate) => purse.times(candidate),
  take: (candidate, count) => spendOn(purse, candidate, count),
});

function keepFloor(missing: number, markets: readonly Market[], purse: Budget): Candidate[] {
  const [cheapest] = markets.flatMap(({ candidates }) => candidates).sort((a, b) => a.hourlyUsd - b.hourlyUsd);
  if (cheapest === undefined || missing <= 0) return [];
  const count = Math.min(missing, purse.times(cheapest));
  spendOn(purse, cheapest, count);
  return Array.from({ length: count }, () => cheapest);
}

function spendOn(purse: Budget, candidate: Candidate, count: number): void {
  const { cpuUnits, hourlyUsd } = costOf(candidate);
  purse.spend({ hosts: count, cpuUnits: cpuUnits * count, hourlyUsd: hourlyUsd * count });
}
