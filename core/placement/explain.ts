/**
 * Why a task fits no host: a histogram over a sample of the hosts, the nearest of all hosts, and one sentence. Only for hosts of
 * which each refuses the task.
 */
import type { HostCapacity } from '../model/host.ts';
import type { PlacementNeeds } from '../model/task.ts';
import { plural } from '../text.ts';
import type { Explanation } from './explanation.ts';
import { type Filter, filters, type Refusal } from './filters.ts';

const histogramLimit = 100;
const nearestLimit = 10;

export function explainRefusal(all: readonly HostCapacity[], needs: PlacementNeeds): Explanation {
  const hosts = stillThere(all);
  const sample = hosts.length <= histogramLimit ? hosts : takeSample(hosts);
  const histogram = countRefusals(sample, needs);
  return {
    sentence: sentenceOf(histogram, sample.length, hosts.length),
    hostsLookedAt: sample.length,
    histogram,
    nearest: nearestOf(hosts, needs),
  };
}

/** Hosts that were retired are listed for a while, and say nothing of what the others lack; clients match on that. */
function stillThere(hosts: readonly HostCapacity[]): readonly HostCapacity[] {
  const there = hosts.filter(({ status }) => status !== 'INACTIVE');
  return there.length === 0 ? hosts : there;
}

/** At equal distances, not at random: the same hosts give the same words, so that an explanation is rewritten only for a reason. */
const takeSample = (hosts: readonly HostCapacity[]): HostCapacity[] =>
  Array.from(
    { length: histogramLimit },
    (_, index) => hosts[Math.floor((index * hosts.length) / histogramLimit)],
  ).filter((host) => host !== undefined);

function sentenceOf(histogram: Explanation['histogram'], looked: number, all: number): string {
  if (all === 0) return 'the cluster has no hosts';
  const counted = histogram.map(({ hosts, detail }) => `${plural(hosts, 'host')}: ${detail}`).join('; ');
  return looked === all ? counted : `none of ${all} hosts fits; of ${looked} of them: ${counted}`;
}

interface Bar {
  readonly filter: Filter;
  readonly refusal: Refusal;
  readonly hosts: HostCapacity[];
}

/** Each host under the first filter that refuses it, most frequent first. */
function countRefusals(hosts: readonly HostCapacity[], needs: PlacementNeeds): Explanation['histogram'] {
  const bars = new Map<string, Bar>();
  for (const host of hosts) {
    const filter = filters.find((each) => !each.check(host, needs));
    if (filter === undefined) throw new Error(`host ${host.hostId} refuses nothing, so there is nothing to explain`);
    const refusal = filter.explain(host, needs);
    const key = `${filter.dimension} ${refusal.kind}`;
    const bar = bars.get(key) ?? { filter, refusal, hosts: [] };
    bar.hosts.push(host);
    bars.set(key, bar);
  }
  return [...bars.values()]
    .sort((a, b) => b.hosts.length - a.hosts.length)
    .map((bar) => ({
      dimension: bar.filter.dimension,
      reason: bar.refusal.reason,
      hosts: bar.hosts.length,
      detail: bar.filter.summarize(bar.hosts, needs, bar.refusal.kind),
    }));
}

/** Least far from fitting first: the sum of how far each filter is from letting the host pass. */
function nearestOf(hosts: readonly HostCapacity[], needs: PlacementNeeds): Explanation['nearest'] {
  return hosts
    .map((host) => {
      const refusals = filters.flatMap((filter) => (filter.check(host, needs) ? [] : [filter.explain(host, needs)]));
      return { host, refusals, distance: refusals.reduce((sum, refusal) => sum + refusal.distance, 0) };
    })
    .sort((a, b) => a.distance - b.distance || (a.host.name < b.host.name ? -1 : 1))
    .slice(0, nearestLimit)
    .map(({ host, refusals }) => ({ hostId: host.hostId, name: host.name, lacks: refusals.map(({ lack }) => lack) }));
}
