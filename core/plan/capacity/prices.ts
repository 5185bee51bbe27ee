/**
 * What CPU and memory are worth where hosts are offered at these prices and so much of both is wanted: the dual of the linear programme
 * that buys fractions of hosts. A full host of a kind that the cheapest mix is made of is worth exactly its price, any other less.
 */
import type { Candidate } from './market.ts';

export interface ResourcePrices {
  readonly cpuUnit: number;
  readonly memoryMib: number;
}

/** What nothing is paid for still has a price, so that less of it is bought: a billionth of a dollar for a unit or MiB. */
export const priceOf = ({ offer, hourlyUsd }: Candidate): number =>
  hourlyUsd + (offer.cpuUnits + offer.memoryMib) * 1e-9;

export function resourcePrices(
  candidates: readonly Candidate[],
  wanted: { readonly cpuUnits: number; readonly memoryMib: number },
): ResourcePrices {
  const cpu = Math.max(1, wanted.cpuUnits);
  const memory = Math.max(1, wanted.memoryMib);
  const hosts = candidates.map((candidate) => ({
    price: priceOf(candidate),
    cpu: candidate.offer.cpuUnits / cpu,
    memory: candidate.offer.memoryMib / memory,
  }));
  // All prices of one direction that no host is cheaper than: as far out as they go.
  const reach = (angle: number): { readonly cpu: number; readonly memory: number } => {
    const [x, y] = [Math.cos(angle), Math.sin(angle)];
    const length = Math.min(...hosts.map((host) => host.price / (host.cpu * x + host.memory * y)));
    return { cpu: length * x, memory: length * y };
  };
  // What is wanted is worth most at the optimum, less the further from it: the corner of a convex region is found by thirds.
  let [low, high] = [0, Math.PI / 2];
  for (let step = 0; step < 50; step += 1) {
    const [a, b] = [low + (high - low) / 3, high - (high - low) / 3];
    const [left, right] = [reach(a), reach(b)];
    if (left.cpu + left.memory < right.cpu + right.memory) low = a;
    else high = b;
  }
  const best = reach((low + high) / 2);
  return { cpuUnit: best.cpu / cpu, memoryMib: best.memory / memory };
}
