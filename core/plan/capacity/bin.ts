/** A host with what a plan puts on it. What a host may take is for core/placement to say; here it is only remembered, for speed. */
import type { HostCapacity } from '../../model/host.ts';
import { applyReservation } from '../../placement/capacity.ts';
import { fits } from '../../placement/filters.ts';
import type { Amounts } from './prices.ts';
import { kindOnly, type Lot, type Shape } from './shapes.ts';

export interface Held {
  readonly shape: Shape;
  readonly count: number;
}

export class Bin {
  /** As it was given. */
  readonly host: HostCapacity;
  readonly held: Held[] = [];
  #cpuUnits: number;
  #memoryMib: number;
  /** With the ports, the groups and the number of what was put on it; its free amounts are not kept up. */
  #marked: HostCapacity;
  /** By the kind of host that is wanted. */
  readonly #accepted: Map<string, boolean>;

  /** Bins of equal hosts may share what is known of their kind. */
  constructor(host: HostCapacity, accepted: Map<string, boolean> = new Map()) {
    this.host = host;
    this.#cpuUnits = host.freeCpuUnits;
    this.#memoryMib = host.freeMemoryMib;
    this.#marked = host;
    this.#accepted = accepted;
  }

  /** What would be left with one more, squared: the least is the tightest. Infinite where there is not that much. */
  scoreWith({ cpuUnits, memoryMib }: Amounts): number {
    const cpu = this.#cpuUnits - cpuUnits;
    const memory = this.#memoryMib - memoryMib;
    if (cpu < 0 || memory < 0) return Number.POSITIVE_INFINITY;
    return share(cpu, this.host.totalCpuUnits) ** 2 + share(memory, this.host.totalMemoryMib) ** 2;
  }

  /** How many more it may take. */
  room(shape: Shape): number {
    const { cpuUnits, memoryMib } = shape.needs.reservation;
    if (this.#cpuUnits < cpuUnits || this.#memoryMib < memoryMib || !this.#isOfKind(shape)) return 0;
    if (shape.single) return fits(this.#marked, shape.needs) ? 1 : 0;
    const most = Math.min(times(this.#cpuUnits, cpuUnits), times(this.#memoryMib, memoryMib));
    return shape.looksAtTasks ? this.#roomWithTasks(shape, Math.min(most, shape.taskIds.length)) : most;
  }

  /** One after the other, as each changes what is asked for. */
  #roomWithTasks({ needs }: Shape, most: number): number {
    let marked = this.#marked;
    let count = 0;
    for (; count < most && fits(marked, needs); count += 1) marked = applyReservation(marked, needs, 'planned');
    return count;
  }

  /** Makes it as full as it gets, the lots left as they are. `least`: no task of theirs wants less. */
  fill(lots: readonly Lot[], least: Amounts): this {
    for (const lot of lots) {
      if (lot.cpuUnits > this.#cpuUnits || lot.memoryMib > this.#memoryMib) continue;
      const count = Math.min(lot.left, this.room(lot.shape));
      if (count === 0) continue;
      this.take(lot.shape, count);
      if (this.#cpuUnits < least.cpuUnits || this.#memoryMib < least.memoryMib) break;
    }
    return this;
  }

  take(shape: Shape, count: number): void {
    const { cpuUnits, memoryMib } = shape.needs.reservation;
    this.#cpuUnits -= cpuUnits * count;
    this.#memoryMib -= memoryMib * count;
    if (shape.marks) this.#mark(shape.needs, count);
    this.held.push({ shape, count });
  }

  #mark(needs: Shape['needs'], count: number): void {
    const { groups, taskCount, ...one } = applyReservation(this.#marked, needs, 'planned');
    const inGroup = (groups[needs.group] ?? 0) + count - 1;
    this.#marked = { ...one, groups: { ...groups, [needs.group]: inGroup }, taskCount: taskCount + count - 1 };
  }

  /** Takes off again what was put on it after the first so many. */
  rollBack(kept: number): void {
    if (this.held.length <= kept) return;
    const before = this.held.splice(0);
    this.#cpuUnits = this.host.freeCpuUnits;
    this.#memoryMib = this.host.freeMemoryMib;
    this.#marked = this.host;
    for (const { shape, count } of before.slice(0, kept)) this.take(shape, count);
  }

  #isOfKind({ kindKey, needs }: Shape): boolean {
    let known = this.#accepted.get(kindKey);
    if (known === undefined) {
      known = fits(this.host, kindOnly(needs));
      this.#accepted.set(kindKey, known);
    }
    return known;
  }
}

const share = (left: number, total: number): number => (total === 0 ? 0 : left / total);
const times = (left: number, each: number): number => (each === 0 ? Number.POSITIVE_INFINITY : Math.floor(left / each));

/** Each lot onto the bins where it leaves least, as placement does on hosts that are partly full. */
export function fillTightest(bins: readonly Bin[], lots: readonly Lot[]): void {
  for (const lot of lots) {
    while (lot.left > 0) {
      const bin = tightest(bins, lot.shape);
      if (bin === undefined) break;
      // Taking one leaves less than before, so the same bin would be the tightest again until it is full.
      put(bin, lot);
    }
  }
}

function tightest(bins: readonly Bin[], shape: Shape): Bin | undefined {
  let best: Bin | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const bin of bins) {
    const score = bin.scoreWith(shape.needs.reservation);
    if (score >= least || bin.room(shape) === 0) continue;
    best = bin;
    least = score;
  }
  return best;
}

/** The least that any of them wants. */
export function leastOf(lots: readonly Lot[]): Amounts {
  let [cpuUnits, memoryMib] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (const lot of lots) {
    cpuUnits = Math.min(cpuUnits, lot.cpuUnits);
    memoryMib = Math.min(memoryMib, lot.memoryMib);
  }
  return { cpuUnits, memoryMib };
}

function put(bin: Bin, lot: Lot): void {
  const count = Math.min(lot.left, bin.room(lot.shape));
  if (count === 0) return;
  bin.take(lot.shape, count);
  lot.left -= count;
}
