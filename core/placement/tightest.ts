/**
 * The default choice: tight packing. A host's score is the L2 norm of what is left of its CPU and memory, each as a share of its
 * total; the least wins, since small remainders are wasted by nobody else. The choice falls among the best few, so that callers who
 * decide at the same time on the same snapshot seldom take the same host. Looks at a sample, whatever the cluster's size, and at all
 * hosts before it says that none fits.
 */
import type { HostCapacity } from '../model/host.ts';
import { type Random, shuffledIndexes } from '../random.ts';
import { formatCpu, formatMib } from '../text.ts';
import type { Chooser } from './chooser.ts';
import type { Draft } from './draft.ts';
import { fits } from './filters.ts';

/** Candidates that are compared: packing gains nothing measurable from more than 16 that fit (performance.md 3). */
const candidateLimit = 100;
/** Where few hosts fit, the search for more ends after this many were looked at, if it has found `enoughCandidates`. */
const lookLimit = 1000;
const enoughCandidates = 16;

/** The best few: at most this many, and no worse than the best by more than the tolerance (performance.md 4.2). */
const bestFew = 8;
const tolerance = 0.05;

interface Candidate {
  readonly index: number;
  readonly score: number;
}

const share = (left: number, total: number): number => (total === 0 ? 0 : left / total);

/** What would be left of the host: 0 is a perfect fit, √2 an empty host. */
export function remainderScore(
  host: HostCapacity,
  taken: { readonly cpuUnits: number; readonly memoryMib: number },
): number {
  const cpu = share(host.freeCpuUnits - taken.cpuUnits, host.totalCpuUnits);
  const memory = share(host.freeMemoryMib - taken.memoryMib, host.totalMemoryMib);
  return Math.hypot(cpu, memory);
}

export function chooseTightest(draft: Draft, random: Random): Chooser {
  const order = shuffledIndexes(draft.size, random);
  const candidates: Candidate[] = [];
  let looked = 0;

  const consider = (index: number): void => {
    const host = draft.host(index);
    if (fits(host, draft.needs)) candidates.push({ index, score: remainderScore(host, draft.needs.reservation) });
  };
  const refill = (): void => {
    while (candidates.length < candidateLimit && !(looked >= lookLimit && candidates.length >= enoughCandidates)) {
      const next = order.next();
      if (next.done === true) return;
      looked += 1;
      consider(next.value);
    }
  };

  return {
    choose() {
      refill();
      const few = bestOf(candidates);
      // A host that this call writes anyway costs no further write.
      const chosen = few.find(({ index }) => draft.isUsed(index)) ?? few[Math.floor(random() * few.length)];
      if (chosen === undefined) return undefined;
      const only = candidates.length === 1 && looked === draft.size;
      candidates.splice(candidates.indexOf(chosen), 1);
      const host = draft.place(chosen.index);
      consider(chosen.index);
      const left = `${formatCpu(host.freeCpuUnits)} and ${formatMib(host.freeMemoryMib)} left`;
      return { index: chosen.index, why: `${only ? 'the only host that fits' : 'tight fit'}, ${left}` };
    },
  };
}

/** Best first. */
function bestOf(candidates: readonly Candidate[]): readonly Candidate[] {
  const best = candidates.reduce((least, { score }) => Math.min(least, score), Number.POSITIVE_INFINITY);
  return candidates
    .filter(({ score }) => score <= best + tolerance)
    .sort((a, b) => a.score - b.score)
    .slice(0, bestFew);
}
