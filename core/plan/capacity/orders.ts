/** What is bought as orders: alike hosts together, each order with what else would do where there is none of the first. */
import type { Order } from '../../model/capacity.ts';
import { fits } from '../../placement/filters.ts';
import { plural } from '../../text.ts';
import { type Budget, formatUsd } from './budget.ts';
import type { Bought, NewHost } from './buy.ts';
import type { Candidate, Market } from './market.ts';
import type { Shape } from './shapes.ts';
import type { Launch } from './types.ts';

/** So that one refusal does not hold up all, and what an order covers stays readable. */
const mostPerOrder = 20;
const mostAlternatives = 3;
/** Sooner a host that costs a quarter more than another minute of waiting. */
const dearestAlternative = 1.25;

/** `covers` of each host, in the order of the hosts. */
export function ordersOf(
  { hosts, budget }: Pick<Bought, 'hosts' | 'budget'>,
  markets: readonly Market[],
  named: { readonly cluster: string; readonly provider: string; covers(host: NewHost): readonly string[] },
): Launch[] {
  const alike = new Map<string, NewHost[]>();
  for (const host of hosts) {
    const group = alike.get(host.candidate.key);
    if (group === undefined) alike.set(host.candidate.key, [host]);
    else group.push(host);
  }
  const others = markets.flatMap(({ candidates }) => candidates);
  return [...alike.values()].flatMap(chunks).map((group) => {
    const { candidate } = group[0];
    const covers = group.flatMap((host) => named.covers(host));
    const alternatives = alternativesTo(candidate, group, others, budget);
    return {
      order: {
        cluster: named.cluster,
        provider: named.provider,
        offers: [candidate, ...alternatives].map(({ offer, zones }) => ({ name: offer.name, zones: [...zones] })),
        market: candidate.market,
        count: group.length,
      },
      covers,
      hourlyUsd: candidate.hourlyUsd * group.length,
      why: whyOf(candidate, group.length, covers.length),
    };
  });
}

type Group = [NewHost, ...NewHost[]];

function chunks(group: readonly NewHost[]): Group[] {
  const parts: Group[] = [];
  for (let at = 0; at < group.length; at += mostPerOrder) {
    const [first, ...rest] = group.slice(at, at + mostPerOrder);
    if (first !== undefined) parts.push([first, ...rest]);
  }
  return parts;
}

/** Each holds whatever the first would, and keeps within the limits if it comes in its place. */
function alternativesTo(first: Candidate, group: Group, others: readonly Candidate[], budget: Budget): Candidate[] {
  const shapes = [...new Set(group.flatMap(({ bin }) => bin.held.map(({ shape }) => shape)))];
  const chosen: Candidate[] = [];
  let [cpuUnits, hourlyUsd] = [first.offer.cpuUnits, first.hourlyUsd];
  for (const other of others.filter((each) => isAlternative(each, first, shapes)).sort(byPrice)) {
    if (chosen.length === mostAlternatives) break;
    const more = {
      hosts: 0,
      cpuUnits: Math.max(0, other.offer.cpuUnits - cpuUnits) * group.length,
      hourlyUsd: Math.max(0, other.hourlyUsd - hourlyUsd) * group.length,
    };
    if (!budget.affords(more)) continue;
    budget.spend(more);
    cpuUnits = Math.max(cpuUnits, other.offer.cpuUnits);
    hourlyUsd = Math.max(hourlyUsd, other.hourlyUsd);
    chosen.push(other);
  }
  return chosen;
}

function isAlternative(other: Candidate, first: Candidate, shapes: readonly Shape[]): boolean {
  return (
    other.offer.name !== first.offer.name &&
    other.market === first.market &&
    other.zones.length > 1 === first.zones.length > 1 &&
    other.offer.cpuUnits >= first.offer.cpuUnits &&
    other.offer.memoryMib >= first.offer.memoryMib &&
    other.hourlyUsd <= first.hourlyUsd * dearestAlternative &&
    shapes.every(({ needs }) => fits(other.host, needs))
  );
}

const byPrice = (a: Candidate, b: Candidate): number => a.hourlyUsd - b.hourlyUsd || (a.key < b.key ? -1 : 1);

const marketNames: Readonly<Record<Order['market'], string>> = { 'on-demand': 'on demand', spot: 'as spot' };

function whyOf({ offer, market, hourlyUsd }: Candidate, count: number, tasks: number): string {
  const paid =
    hourlyUsd === 0 ? '' : ` ${marketNames[market]} at ${formatUsd(hourlyUsd)} an hour${count > 1 ? ' each' : ''}`;
  const what = `${count} × ${offer.name}${paid}`;
  return tasks === 0
    ? `${what}, to keep the least number of hosts (minHosts)`
    : `${what} for ${plural(tasks, 'task')} that ${tasks === 1 ? 'fits' : 'fit'} on no host that is there or on order`;
}
