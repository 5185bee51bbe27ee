/** Why nothing is bought for tasks of a shape: what no offer has, what is refused just now, or which limit is reached. */
import type { MemberOf } from '../../model/placement-constraint.ts';
import type { HostPort } from '../../model/resources.ts';
import type { PlacementNeeds } from '../../model/task.ts';
import { fits } from '../../placement/filters.ts';
import { failedMemberOf, memberOfs, shownExpression, zoneAttribute } from '../../placement/member-of.ts';
import { formatCpu, formatList, formatMib } from '../../text.ts';
import type { Budget } from './budget.ts';
import { type Candidate, type Market, marketsWithoutBlame } from './market.ts';
import { kindOnly, type Lot, type Shape } from './shapes.ts';
import type { CapacityInput } from './types.ts';

/** One sentence each for the lots, in their order. */
export function whyUnmet(
  lots: readonly Lot[],
  input: CapacityInput,
  bought: { readonly markets: readonly Market[]; readonly budget: Budget },
): string[] {
  if (lots.length === 0) return [];
  const open = candidatesOf(bought.markets);
  const all = candidatesOf(
    marketsWithoutBlame(
      input,
      lots.map(({ shape }) => shape),
    ),
  );
  return lots.map(({ shape: { needs } }) => {
    const holders = all.filter(({ host }) => fits(host, needs));
    if (holders.length === 0) return whatNoneHas(needs, all, input);
    const unblamed = open.filter(({ host }) => fits(host, needs));
    return unblamed.length === 0 ? whatIsRefused(holders, input) : bought.budget.refusal(unblamed);
  });
}

const candidatesOf = (markets: readonly Market[]): Candidate[] => markets.flatMap(({ candidates }) => candidates);

function whatNoneHas(needs: PlacementNeeds, all: readonly Candidate[], { offers, policy }: CapacityInput): string {
  if (offers.length === 0) return 'the capacity provider has no instance type that it may buy';
  if (all.length === 0 && policy.market === 'spot') return 'no allowed instance type can be had as spot';
  const ofKind = all.filter(({ host }) => fits(host, { ...kindOnly(needs), constraints: memberOfs(needs) }));
  if (ofKind.length === 0) return whatKindNoneIs(needs, all);
  const { cpuUnits, memoryMib, ports } = needs.reservation;
  const kind = ofKind.length === all.length ? '' : ` with ${kindText(needs)}`;
  const most = (amount: (candidate: Candidate) => number): number => Math.max(...ofKind.map(amount));
  const [cpu, memory] = [most(({ offer }) => offer.cpuUnits), most(({ offer }) => offer.memoryMib)];
  if (memory < memoryMib)
    return `no allowed instance type${kind} has ${formatMib(memoryMib)} for tasks; the largest has ${formatMib(memory)}`;
  if (cpu < cpuUnits)
    return `no allowed instance type${kind} has ${formatCpu(cpuUnits)} for tasks; the largest has ${formatCpu(cpu)}`;
  const reserved = ports.filter((port) => ofKind.every(({ host }) => host.ports[port] !== undefined));
  if (reserved.length > 0) return `every allowed instance type${kind} keeps ${portsText(reserved)} for itself`;
  return `no allowed instance type${kind} has both ${formatCpu(cpuUnits)} and ${formatMib(memoryMib)}`;
}

const portsText = (ports: readonly HostPort[]): string => `port ${formatList(ports)}`;

function whatKindNoneIs(needs: PlacementNeeds, all: readonly Candidate[]): string {
  const wanted = Object.entries(needs.attributes);
  const missing = wanted.filter(([name, value]) => !all.some(({ host }) => host.attributes[name] === value));
  const [zone] = missing.flatMap(([name, value]) => (name === zoneAttribute ? [value] : []));
  if (zone !== undefined && missing.length === 1) return `no allowed instance type is to be had in zone ${zone}`;
  if (missing.length > 0) return `no allowed instance type has ${attributesText(missing)}`;
  const expressions = memberOfs(needs);
  const failed = expressions.filter(
    (one) => !all.some(({ host }) => failedMemberOf(host, only(needs, one)) === undefined),
  );
  if (failed.length > 0) return `no allowed instance type satisfies ${expressionsText(failed)}`;
  return `no allowed instance type has all of ${kindText(needs)}`;
}

const only = (needs: PlacementNeeds, constraint: MemberOf): PlacementNeeds => ({ ...needs, constraints: [constraint] });

const kindText = (needs: PlacementNeeds): string =>
  formatList(
    [attributesText(Object.entries(needs.attributes)), expressionsText(memberOfs(needs))].filter((text) => text !== ''),
  );

const attributesText = (attributes: readonly (readonly [string, string])[]): string =>
  formatList(attributes.map(([name, value]) => `${name} ${value}`));

const expressionsText = (expressions: readonly MemberOf[]): string =>
  formatList(expressions.map(({ expression }) => shownExpression(expression)));

/** What would do, and what it was refused with. */
function whatIsRefused(holders: readonly Candidate[], { blames, now }: CapacityInput): string {
  const names = new Set(holders.map(({ offer }) => offer.name));
  const reasons = new Map<string, string[]>();
  for (const { offer, zone, until, why } of blames) {
    if (until <= now || !names.has(offer)) continue;
    const zones = reasons.get(`${offer}: ${why}`) ?? [];
    if (!zones.includes(zone)) zones.push(zone);
    reasons.set(`${offer}: ${why}`, zones);
  }
  const all = [...reasons].map(([reason, zones]) => `${reason} (${formatList(zones)})`);
  const shown = all.length > 3 ? `${all.slice(0, 3).join('; ')}; and ${all.length - 3} more` : all.join('; ');
  return `every instance type that would do was refused lately and is asked for again later: ${shown}`;
}

/** Shapes for which the same is to be said are told of together. */
export function byReason(
  lots: readonly { readonly shape: Shape; readonly taskIds: readonly string[] }[],
  reasons: readonly string[],
): { readonly taskIds: readonly string[]; readonly why: string }[] {
  const told = new Map<string, string[]>();
  for (const [index, { taskIds }] of lots.entries()) {
    const why = reasons[index] ?? '';
    told.set(why, [...(told.get(why) ?? []), ...taskIds]);
  }
  return [...told].map(([why, taskIds]) => ({ taskIds, why }));
}
