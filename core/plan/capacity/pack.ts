/** Which hosts take tasks that fit on none: one kind after the other, each time what holds most for its price. */
import { Bin, type Held, leastOf } from './bin.ts';
import { type HostKind, type Prices, priceOf } from './prices.ts';
import type { Lot, Shape } from './shapes.ts';

/** `cost`: as cheap as can be. `few`: on as few hosts as can be, where more are not allowed. */
export type Aim = 'cost' | 'few';

/** Where hosts come from: a market within a budget, or what has been bought already. */
export interface Supply<Kind extends HostKind> {
  readonly kinds: readonly Kind[];
  /** How many more there are. */
  left(kind: Kind): number;
  take(kind: Kind, count: number): void;
}

/** So many hosts of a kind, each of which holds the same. */
export interface Pick<Kind> {
  readonly kind: Kind;
  readonly held: readonly Held[];
  readonly count: number;
}

/** Of kinds that cost alike for what they hold, larger hosts: fewer of them, with less lost at their edges. */
const largerIsBetter = 0.1;

/** Takes what is held off the lots, and the hosts off the supply. What stays in the lots, nothing of the supply holds. */
export function pack<Kind extends HostKind>(
  lots: readonly Lot[],
  supply: Supply<Kind>,
  prices: Prices,
  aim: Aim = 'cost',
): Pick<Kind>[] {
  const picks: Pick<Kind>[] = [];
  const byShape = new Map(lots.map((lot) => [lot.shape, lot]));
  let kinds = supply.kinds;
  let open = lots.filter(({ left }) => left > 0);
  const least = leastOf(open);
  for (let round = 1; ; round += 1) {
    kinds = kinds.filter((kind) => supply.left(kind) > 0);
    const best = bestOf(kinds, (kind) => new Bin(kind.host, kind.accepted).fill(open, least).held, { prices, aim });
    if (best === undefined) return picks;
    const { kind, held } = best;
    const count = Math.min(supply.left(kind), timesAlike(held, byShape));
    for (const { shape, count: each } of held) {
      const lot = byShape.get(shape);
      if (lot !== undefined) lot.left -= each * count;
    }
    supply.take(kind, count);
    picks.push({ kind, held, count });
    // What nothing is left of is passed over, and thrown out only now and then.
    if (round % 8 === 0) open = open.filter(({ left }) => left > 0);
  }
}

function bestOf<Kind extends HostKind>(
  kinds: readonly Kind[],
  filled: (kind: Kind) => readonly Held[],
  by: { readonly prices: Prices; readonly aim: Aim },
): { readonly kind: Kind; readonly held: readonly Held[] } | undefined {
  let best: { readonly kind: Kind; readonly held: readonly Held[] } | undefined;
  let highest = 0;
  for (const kind of kinds) {
    const held = filled(kind);
    const score = scoreOf(kind, held, by);
    if (score <= highest) continue;
    best = { kind, held };
    highest = score;
  }
  return best;
}

/** How many hosts can be filled exactly like this one. */
const timesAlike = (held: readonly Held[], lots: ReadonlyMap<Shape, Lot>): number =>
  Math.min(...held.map(({ shape, count }) => Math.floor((lots.get(shape)?.left ?? 0) / count)));

function scoreOf(
  kind: HostKind,
  held: readonly Held[],
  { prices, aim }: { readonly prices: Prices; readonly aim: Aim },
): number {
  const worth = held.reduce((sum, { shape, count }) => sum + count * worthOf(prices, shape), 0);
  const price = priceOf(kind);
  if (aim === 'few') return worth * (1 - 1e-3 * (price / (price + worth)));
  const { totalCpuUnits, totalMemoryMib } = kind.host;
  const size = prices.worth({ cpuUnits: totalCpuUnits, memoryMib: totalMemoryMib }) / prices.largest;
  return (worth / price) * (1 + largerIsBetter * size);
}

/** A task that reserves nothing is worth a host all the same, if it must be. */
const worthOf = (prices: Prices, { needs: { reservation } }: Shape): number =>
  prices.worth({ cpuUnits: reservation.cpuUnits + 1e-3, memoryMib: reservation.memoryMib + 1e-3 });
