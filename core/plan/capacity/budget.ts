/** What the limits of a provider leave, and which of them stands in the way. */
import type { CapacityLimits } from '../../model/capacity.ts';
import { formatCpu, plural } from '../../text.ts';
import type { Candidate } from './market.ts';

export interface Amounts {
  readonly hosts: number;
  readonly cpuUnits: number;
  readonly hourlyUsd: number;
}

/** Sums of prices are not exact. */
const cent = 1e-6;

export class Budget {
  readonly #limits: CapacityLimits;
  #used: Amounts;

  constructor(limits: CapacityLimits, used: Amounts) {
    this.#limits = limits;
    this.#used = used;
  }

  copy(): Budget {
    return new Budget(this.#limits, this.#used);
  }

  spend({ hosts, cpuUnits, hourlyUsd }: Amounts): void {
    this.#used = {
      hosts: this.#used.hosts + hosts,
      cpuUnits: this.#used.cpuUnits + cpuUnits,
      hourlyUsd: this.#used.hourlyUsd + hourlyUsd,
    };
  }

  affords({ hosts, cpuUnits, hourlyUsd }: Amounts): boolean {
    const left = this.#left();
    return hosts <= left.hosts && cpuUnits <= left.cpuUnits && hourlyUsd <= left.hourlyUsd + cent;
  }

  /** How many such hosts at most. */
  times(candidate: Candidate): number {
    const left = this.#left();
    const { cpuUnits, hourlyUsd } = costOf(candidate);
    const paid = hourlyUsd === 0 ? Number.POSITIVE_INFINITY : Math.floor((left.hourlyUsd + cent) / hourlyUsd);
    return Math.max(0, Math.min(left.hosts, Math.floor(left.cpuUnits / cpuUnits), paid));
  }

  /** Why none of these hosts, of which at least one is given, may be bought any more: a sentence that names the limit. */
  refusal(candidates: readonly Candidate[]): string {
    const { maxHosts, maxCpuUnits, maxHourlyUsd } = this.#limits;
    const left = this.#left();
    if (left.hosts < 1)
      return `the limit of ${plural(maxHosts, 'host')} (maxHosts) is reached, with ${this.#used.hosts} there or on order`;
    const smallest = Math.min(...candidates.map(({ offer }) => offer.cpuUnits));
    if (maxCpuUnits !== undefined && smallest > left.cpuUnits)
      return (
        `the limit of ${formatCpu(maxCpuUnits)} (maxCpuUnits) leaves ${formatCpu(Math.max(0, left.cpuUnits))}, ` +
        `and the smallest instance type that would do has ${formatCpu(smallest)}`
      );
    const cheapest = Math.min(...candidates.map(({ hourlyUsd }) => hourlyUsd));
    if (maxHourlyUsd !== undefined && cheapest > left.hourlyUsd + cent)
      return (
        `the limit of ${formatUsd(maxHourlyUsd)} an hour (maxHourlyUsd) leaves ${formatUsd(Math.max(0, left.hourlyUsd))}, ` +
        `and the cheapest instance type that would do costs ${formatUsd(cheapest)}`
      );
    return 'the limits of CPU and cost (maxCpuUnits, maxHourlyUsd) leave too little for any instance type that would do';
  }

  #left(): Amounts {
    const { maxHosts, maxCpuUnits, maxHourlyUsd } = this.#limits;
    return {
      hosts: maxHosts - this.#used.hosts,
      cpuUnits: (maxCpuUnits ?? Number.POSITIVE_INFINITY) - this.#used.cpuUnits,
      hourlyUsd: (maxHourlyUsd ?? Number.POSITIVE_INFINITY) - this.#used.hourlyUsd,
    };
  }
}

export const costOf = ({ offer, hourlyUsd }: Candidate): Amounts => ({
  hosts: 1,
  cpuUnits: offer.cpuUnits,
  hourlyUsd,
});

/** `$0.0816`, `$12`. */
export const formatUsd = (usd: number): string => `$${Number(usd.toFixed(4))}`;
