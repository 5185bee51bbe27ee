/**
 * Hosts that have no task yet, bought but perhaps not there: what waits is put onto them as it was when they were bought. They are
 * chosen one kind after the other by the same rule as then, so that the same tasks find the same hosts and nothing is bought twice.
 */
import type { Order } from '../../model/capacity.ts';
import type { HostCapacity } from '../../model/host.ts';
import type { Bin } from './bin.ts';
import type { Market } from './market.ts';
import { pack } from './pack.ts';
import { type HostKind, pricesFor } from './prices.ts';
import type { Lot } from './shapes.ts';

export interface Stocked {
  readonly bin: Bin;
  readonly hourlyUsd: number;
  readonly market: Order['market'];
  /** What was ordered at once was chosen together. */
  readonly orderedAt: number;
}

/** Takes what they hold off the lots. */
export function fillStock(stock: readonly Stocked[], lots: readonly Lot[], markets: readonly Market[]): void {
  const names = markets.map(({ name }) => name);
  const rank = ({ market }: Stocked): number => names.indexOf(market);
  const sorted = stock.toSorted((a, b) => a.orderedAt - b.orderedAt || rank(a) - rank(b));
  for (let at = 0; at < sorted.length; ) {
    const from = at;
    const first = sorted[from];
    while (first !== undefined && sorted[at]?.orderedAt === first.orderedAt && sorted[at]?.market === first.market)
      at += 1;
    fillGroup(sorted.slice(from, at), lots, markets);
  }
}

interface StockKind extends HostKind {
  readonly key: string;
  readonly bins: Bin[];
  /** How many of them, from the first, hold something. */
  used: number;
}

function fillGroup(group: readonly Stocked[], lots: readonly Lot[], markets: readonly Market[]): void {
  if (lots.every(({ left }) => left === 0)) return;
  const kinds = kindsOf(group);
  const offered = markets.flatMap(({ best }) => best);
  const supply = {
    kinds,
    left: ({ bins, used }: StockKind) => bins.length - used,
    take: (kind: StockKind, count: number) => {
      kind.used += count;
    },
  };
  const prices = pricesFor(offered.length === 0 ? kinds : offered, lots);
  for (const { kind, held, count } of pack(lots, supply, prices)) {
    for (const bin of kind.bins.splice(0, count)) for (const { shape, count: each } of held) bin.take(shape, each);
  }
}

function kindsOf(group: readonly Stocked[]): StockKind[] {
  const kinds = new Map<string, StockKind>();
  for (const { bin, hourlyUsd } of group) {
    const key = kindKey(bin.host, hourlyUsd);
    const known = kinds.get(key);
    if (known === undefined)
      kinds.set(key, { key, host: bin.host, hourlyUsd, accepted: new Map(), bins: [bin], used: 0 });
    else known.bins.push(bin);
  }
  return [...kinds.values()].sort((a, b) => compareTexts(a.key, b.key));
}

/** Equal hosts are one to packing, whatever their names; one that is silent, or has not reported since it came back, is of another kind. */
const kindKey = (host: HostCapacity, hourlyUsd: number): string =>
  JSON.stringify([
    host.freeCpuUnits,
    host.freeMemoryMib,
    hourlyUsd,
    Object.entries(host.attributes).sort(([a], [b]) => compareTexts(a, b)),
    Object.keys(host.ports).sort(compareTexts),
    host.zones,
    host.connected,
    host.reportedEpoch === host.epoch,
  ]);

const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
