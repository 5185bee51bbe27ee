/** What nobody can buy less than: fractions of hosts, each task in as many pieces as one likes. */
import type { Offer } from '../../core/model/capacity.ts';
import type { Pod } from './trace.ts';

export interface Amount {
  readonly cpuUnits: number;
  readonly memoryMib: number;
}

export const amountOf = (pods: readonly Pod[]): Amount => ({
  cpuUnits: pods.reduce((sum, { cpuUnits }) => sum + cpuUnits, 0),
  memoryMib: pods.reduce((sum, { memoryMib }) => sum + memoryMib, 0),
});

/** Dollars an hour of the cheapest mix of hosts that has so much in all: an optimum of two kinds at most. */
export function hourlyBound(offers: readonly Offer[], { cpuUnits, memoryMib }: Amount): number {
  let best = Number.POSITIVE_INFINITY;
  for (const [index, a] of offers.entries()) {
    best = Math.min(best, a.hourlyUsd * Math.max(cpuUnits / a.cpuUnits, memoryMib / a.memoryMib));
    for (const b of offers.slice(index + 1)) best = Math.min(best, mixed(a, b, { cpuUnits, memoryMib }));
  }
  return best;
}

/** As many of both as give exactly the amount. */
function mixed(a: Offer, b: Offer, { cpuUnits, memoryMib }: Amount): number {
  const determinant = a.cpuUnits * b.memoryMib - b.cpuUnits * a.memoryMib;
  if (determinant === 0) return Number.POSITIVE_INFINITY;
  const ofA = (cpuUnits * b.memoryMib - b.cpuUnits * memoryMib) / determinant;
  const ofB = (a.cpuUnits * memoryMib - cpuUnits * a.memoryMib) / determinant;
  return ofA < 0 || ofB < 0 ? Number.POSITIVE_INFINITY : ofA * a.hourlyUsd + ofB * b.hourlyUsd;
}

/** The same, minute by minute, of the pods that would be there if each started when it came: dollars in all. */
export function boundByMinute(pods: readonly Pod[], offers: readonly Offer[], horizonSeconds: number): number {
  const minutes = Math.ceil(horizonSeconds / 60);
  const cpu = new Float64Array(minutes + 2);
  const memory = new Float64Array(minutes + 2);
  // What a pod uses of each minute, as differences of differences would lose the seconds.
  for (const { cpuUnits, memoryMib, arrivesAt, lifeSeconds } of pods) {
    const end = Math.min(arrivesAt + lifeSeconds, horizonSeconds);
    for (let minute = Math.floor(arrivesAt / 60); minute * 60 < end; minute += 1) {
      const share = (Math.min(end, minute * 60 + 60) - Math.max(arrivesAt, minute * 60)) / 60;
      cpu[minute] = (cpu[minute] ?? 0) + cpuUnits * share;
      memory[minute] = (memory[minute] ?? 0) + memoryMib * share;
    }
  }
  let dollars = 0;
  for (let minute = 0; minute < minutes; minute += 1) {
    dollars += hourlyBound(offers, { cpuUnits: cpu[minute] ?? 0, memoryMib: memory[minute] ?? 0 }) / 60;
  }
  return dollars;
}
