/**
 * What CPU and memory are worth where hosts are offered at these prices and so much of both is wanted: the dual of the linear programme
 * that buys fractions of hosts. A full host of a kind that the cheapest mix is made of is worth exactly its price, any other less.
 */
import type { HostCapacity } from '../../model/host.ts';
import type { Lot } from './shapes.ts';

/** Hosts that are alike: what one has while it is empty, and what it costs. */
export interface HostKind {
  readonly host: HostCapacity;
  readonly hourlyUsd: number;
  /** What is known of the attributes that it has (bin.ts). */
  readonly accepted: Map<string, boolean>;
}

export interface Amounts {
  readonly cpuUnits: number;
  readonly memoryMib: number;
}

export interface Prices {
  worth(amounts: Amounts): number;
  /** What the largest of the hosts is worth. */
  readonly largest: number;
}

/** What nothing is paid for still has a price, so that less of it is bought: a billionth of a dollar for a unit or MiB. */
export const priceOf = ({ host, hourlyUsd }: HostKind): number =>
  hourlyUsd + (host.totalCpuUnits + host.totalMemoryMib) * 1e-9;

export function pricesFor(kinds: readonly HostKind[], lots: readonly Lot[]): Prices {
  const wanted = wantedBy(lots);
  const cpu = Math.max(1, wanted.cpuUnits);
  const memory = Math.max(1, wanted.memoryMib);
  const hosts = kinds.map((kind) => ({
    price: priceOf(kind),
    cpu: kind.host.totalCpuUnits / cpu,
    memory: kind.host.totalMemoryMib / memory,
  }));
  // All prices of one direction that no host is cheaper than: as far out as they go.
  const reach = (angle: number): { readonly cpu: number; readonly memory: number } => {
    const [x, y] = [Math.cos(angle), Math.sin(angle)];
    const length = Math.min(...hosts.map((host) => host.price / (host.cpu * x + host.memory * y)));
    return { cpu: length * x, memory: length * y };
  };
  const best = reach(bestAngle((angle) => reach(angle).cpu + reach(angle).memory));
  const worth = ({ cpuUnits, memoryMib }: Amounts): number =>
    (cpuUnits * best.cpu) / cpu + (memoryMib * best.memory) / memory;
  const largest = Math.max(
    ...kinds.map(({ host }) => worth({ cpuUnits: host.totalCpuUnits, memoryMib: host.totalMemoryMib })),
  );
  return { worth, largest };
}

/** What is wanted is worth most at the optimum, less the further from it: the corner of a convex region is found by thirds. */
function bestAngle(worthAt: (angle: number) => number): number {
  let [low, high] = [0, Math.PI / 2];
  for (let step = 0; step < 50; step += 1) {
    const [a, b] = [low + (high - low) / 3, high - (high - low) / 3];
    if (worthAt(a) < worthAt(b)) low = a;
    else high = b;
  }
  return (low + high) / 2;
}

function wantedBy(lots: readonly Lot[]): Amounts {
  let [cpuUnits, memoryMib] = [0, 0];
  for (const { shape, left } of lots) {
    cpuUnits += shape.needs.reservation.cpuUnits * left;
    memoryMib += shape.needs.reservation.memoryMib * left;
  }
  return { cpuUnits, memoryMib };
}
