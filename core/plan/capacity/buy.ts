/**
 * What is to be bought for tasks that fit on no host that is there: first onto what is on order, then onto new hosts. The same is
 * computed again from the orders once they are written down, so it must come out alike: tasks are put onto what is bought in an order
 * that depends on the hosts alone, and hosts are added until all that can be held is.
 */
import { fits } from '../../placement/filters.ts';
import { Bin, fillInOrder } from './bin.ts';
import { type Budget, costOf } from './budget.ts';
import type { Candidate, Market } from './market.ts';
import { type Aim, pack } from './pack.ts';
import { type Lot, remaining, tasksIn } from './shapes.ts';

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

/** Adding hosts nearly always holds the rest at once; where it never does, the next plan goes on. */
const mostRounds = 12;

/** As cheaply as can be; on few hosts where the limits let fewer tasks run otherwise. */
export function buy(demand: Demand): Bought {
  const cheap = buyWith(demand, 'cost');
  if (cheap.left.length === 0) return cheap;
  const few = buyWith(demand, 'few');
  return tasksIn(few.left) < tasksIn(cheap.left) ? few : cheap;
}

function buyWith({ lots, markets, budget, floor }: Demand, aim: Aim): Bought {
  let hosts: NewHost[] = [];
  for (let round = 0; ; round += 1) {
    const packed = filled(hosts, lots);
    const used = packed.hosts.filter(({ bin }) => bin.held.length > 0);
    const purse = budget.copy();
    for (const { candidate } of used) purse.spend(costOf(candidate));
    const more = round < mostRounds ? buyMore(remaining(packed.left), markets, purse, aim) : [];
    if (more.length > 0) {
      hosts = [...used, ...more.map(newHost)];
      continue;
    }
    const kept = keepFloor(floor - used.length, markets, purse).map(newHost);
    return { ...filled([...used, ...kept], lots), budget: purse };
  }
}

/** The hosts with what they hold, as the next plan will find it. */
function filled(hosts: readonly NewHost[], lots: readonly Lot[]): Pick<Bought, 'hosts' | 'left'> {
  const rest = remaining(lots);
  const sorted = hosts.map(renewed).sort(byKind);
  fillInOrder(
    sorted.map(({ bin }) => bin),
    rest,
  );
  return { hosts: sorted, left: remaining(rest) };
}

function buyMore(lots: Lot[], markets: readonly Market[], purse: Budget, aim: Aim): Candidate[] {
  let left = lots;
  return markets.flatMap(({ candidates }) => {
    if (left.length === 0) return [];
    const more = pack(left, candidates, purse, aim);
    // A market is asked only for what no market before it has: not for what there was no money for.
    left = remaining(left).filter(({ shape }) => !candidates.some(({ host }) => fits(host, shape.needs)));
    return more;
  });
}

function keepFloor(missing: number, markets: readonly Market[], purse: Budget): Candidate[] {
  const cheapest = markets
    .flatMap(({ candidates }) => candidates)
    .reduce<Candidate | undefined>(
      (best, each) => (best === undefined || each.hourlyUsd < best.hourlyUsd ? each : best),
      undefined,
    );
  if (cheapest === undefined || missing <= 0) return [];
  const count = Math.min(missing, purse.times(cheapest));
  const { cpuUnits, hourlyUsd } = costOf(cheapest);
  purse.spend({ hosts: count, cpuUnits: cpuUnits * count, hourlyUsd: hourlyUsd * count });
  return Array.from({ length: count }, () => cheapest);
}

const newHost = (candidate: Candidate): NewHost => ({ candidate, bin: new Bin(candidate.host, candidate.kinds) });
const renewed = ({ candidate, bin }: NewHost): NewHost => ({ candidate, bin: bin.emptied() });

const byKind = (a: NewHost, b: NewHost): number => compareHosts(a.bin, b.bin);

/** Larger first. Equal hosts are one to packing, whatever their names. */
export function compareHosts({ host: a }: Bin, { host: b }: Bin): number {
  return b.freeMemoryMib - a.freeMemoryMib || b.freeCpuUnits - a.freeCpuUnits || compareTexts(kindOf(a), kindOf(b));
}

const kindOf = ({ attributes, ports }: Bin['host']): string =>
  JSON.stringify([Object.entries(attributes).sort(([a], [b]) => compareTexts(a, b)), Object.keys(ports).sort()]);

const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
