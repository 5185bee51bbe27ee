/** Which hosts to buy for tasks that fit on none: one kind after the other, each time what holds most for its price. */
import { Bin, tryFill } from './bin.ts';
import { type Budget, costOf } from './budget.ts';
import type { Candidate } from './market.ts';
import { priceOf, type ResourcePrices, resourcePrices } from './prices.ts';
import type { Lot, Shape } from './shapes.ts';

/** `cost`: as cheap as can be. `few`: on as few hosts as can be, where more are not allowed. */
export type Aim = 'cost' | 'few';

/** Of kinds that cost alike for what they hold, larger hosts: fewer of them, with less lost at their edges. */
const largerIsBetter = 0.02;

interface Trial {
  readonly candidate: Candidate;
  bin: Bin;
  score: number;
  /** How much had been bought when it was tried. */
  round: number;
}

/** Takes what it buys for off the lots and what it costs off the budget. What stays in the lots, nothing that may be bought holds. */
export function pack(lots: readonly Lot[], candidates: readonly Candidate[], budget: Budget, aim: Aim): Candidate[] {
  const bought: Candidate[] = [];
  const scoreOf = scorer(lots, candidates, aim);
  const byShape = new Map(lots.map((lot) => [lot.shape, lot]));
  let open = [...lots];
  const attempt = (trial: Trial, round: number): void => {
    trial.bin = tryFill(new Bin(trial.candidate.host, trial.candidate.kinds), open);
    trial.score = scoreOf(trial.candidate, trial.bin);
    trial.round = round;
  };
  let trials = candidates.map((candidate) => {
    const trial = { candidate, bin: new Bin(candidate.host), score: Number.POSITIVE_INFINITY, round: -1 };
    return trial;
  });
  for (let round = 0; ; round += 1) {
    trials = trials.filter(({ candidate, score }) => score > 0 && budget.times(candidate) > 0);
    const best = bestOf(trials, round, attempt);
    if (best === undefined) return bought;
    const count = Math.min(budget.times(best.candidate), timesAlike(best.bin, byShape));
    for (const { shape, count: each } of best.bin.held) {
      const lot = byShape.get(shape);
      if (lot !== undefined) lot.left -= each * count;
    }
    open = open.filter(({ left }) => left > 0);
    const { cpuUnits, hourlyUsd } = costOf(best.candidate);
    budget.spend({ hosts: count, cpuUnits: cpuUnits * count, hourlyUsd: hourlyUsd * count });
    for (let copy = 0; copy < count; copy += 1) bought.push(best.candidate);
  }
}

/** What was tried when there was more to hold is not tried again before it is the best: it hardly ever holds more now. */
function bestOf(
  trials: readonly Trial[],
  round: number,
  attempt: (trial: Trial, round: number) => void,
): Trial | undefined {
  for (;;) {
    let best: Trial | undefined;
    for (const trial of trials) if (best === undefined || trial.score > best.score) best = trial;
    if (best === undefined || best.round === round) return best?.score === 0 ? undefined : best;
    attempt(best, round);
  }
}

/** How many hosts can be filled exactly like this one. */
function timesAlike(bin: Bin, lots: ReadonlyMap<Shape, Lot>): number {
  return Math.min(...bin.held.map(({ shape, count }) => Math.floor((lots.get(shape)?.left ?? 0) / count)));
}

function scorer(
  lots: readonly Lot[],
  candidates: readonly Candidate[],
  aim: Aim,
): (candidate: Candidate, bin: Bin) => number {
  const prices = resourcePrices(candidates, wantedBy(lots));
  const largest = Math.max(...candidates.map(({ offer }) => worth(prices, offer)));
  return (candidate, bin) => {
    const held = bin.held.reduce((sum, { shape, count }) => sum + count * worthOf(prices, shape), 0);
    const price = priceOf(candidate);
    if (aim === 'few') return held * (1 - 1e-3 * (price / (price + held)));
    return (held / price) * (1 + largerIsBetter * (worth(prices, candidate.offer) / largest));
  };
}

const worth = (
  prices: ResourcePrices,
  { cpuUnits, memoryMib }: { readonly cpuUnits: number; readonly memoryMib: number },
): number => cpuUnits * prices.cpuUnit + memoryMib * prices.memoryMib;

/** A task that reserves nothing is worth a host all the same, if it must be. */
const worthOf = (prices: ResourcePrices, { needs: { reservation } }: Shape): number =>
  worth(prices, { cpuUnits: reservation.cpuUnits, memoryMib: reservation.memoryMib + 1e-3 });

function wantedBy(lots: readonly Lot[]): { readonly cpuUnits: number; readonly memoryMib: number } {
  let [cpuUnits, memoryMib] = [0, 0];
  for (const { shape, left } of lots) {
    cpuUnits += shape.needs.reservation.cpuUnits * left;
    memoryMib += shape.needs.reservation.memoryMib * left;
  }
  return { cpuUnits, memoryMib };
}
