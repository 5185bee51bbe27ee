/**
 * The plan of capacity: what to buy for tasks that wait, which hosts go, and why, from what is there, on order, on offer and allowed.
 * Pure and repeatable: what it says to buy, it takes for bought once that is written down as a purchase. docs/adr/0005.
 */
import { formatList, plural } from '../../text.ts';
import { Bin, fillTightest } from './bin.ts';
import { Budget } from './budget.ts';
import { buy, type NewHost } from './buy.ts';
import { type Consolidation, consolidate } from './consolidate.ts';
import { type Going, whatGoes } from './going.ts';
import { type Market, marketsOf } from './market.ts';
import { isFresh, type OnOrder, onOrder } from './on-order.ts';
import { ordersOf } from './orders.ts';
import { lotsOf, type Shape, shapesOf } from './shapes.ts';
import { fillStock } from './stock.ts';
import type { CapacityInput, CapacityPlan, Launch, Unmet } from './types.ts';
import { byReason, whyUnmet } from './unmet.ts';

export function planCapacity(input: CapacityInput): CapacityPlan {
  const ordered = onOrder(input);
  const awaited = new Map<string, string>();
  for (const { taskId } of input.waiting) {
    const order = ordered.promised.get(taskId);
    if (order !== undefined) awaited.set(taskId, `waits for what is ordered for it (${order})`);
  }
  const shapes = shapesOf(input.waiting.filter(({ taskId }) => !awaited.has(taskId)));
  const markets = marketsOf(input, shapes);
  const met = meet(shapes, input, { ordered, markets });
  for (const [taskId, sentence] of met.awaited) awaited.set(taskId, sentence);
  const going = whatGoes(input, ordered, met.used);
  const expecting = ordered.hosts > 0 || ordered.fresh.some(({ awaitedAs }) => awaitedAs !== undefined);
  const calm = input.waiting.length === 0 && met.launches.length === 0 && !expecting;
  const consolidation: Consolidation = calm
    ? consolidate(input, { leaving: going.leaving, markets, budget: budgetOf(input, ordered) })
    : { drains: [], at: [] };
  return {
    launches: met.launches,
    drains: consolidation.drains,
    terminations: going.terminations,
    unmet: met.unmet,
    awaited,
    againAt: againAt(input, ordered, [...going.at, ...consolidation.at]),
    explanation: explain(input, { ...met, awaited }, going, consolidation),
  };
}

interface Met {
  readonly launches: readonly Launch[];
  readonly unmet: readonly Unmet[];
  readonly awaited: ReadonlyMap<string, string>;
  /** Hosts that are there and will take a waiting task. */
  readonly used: ReadonlySet<string>;
  /** Tasks that fit on hosts that are there. */
  readonly fitting: number;
}

/** Onto hosts that are there, then onto what is on order, then onto what is bought; each shape's oldest task first. */
function meet(
  shapes: readonly Shape[],
  input: CapacityInput,
  { ordered, markets }: { readonly ordered: OnOrder; readonly markets: readonly Market[] },
): Met {
  const lots = lotsOf(shapes);
  const busy = input.hosts.flatMap(({ host }) => (isFresh(host) ? [] : host));
  const there = [...busy, ...input.otherHosts].map((host) => new Bin(host));
  fillTightest(there, lots);
  const fresh = ordered.fresh.map((each) => ({ ...each, bin: new Bin(each.host) }));
  fillStock(fresh, lots, markets);
  const budget = budgetOf(input, ordered);
  const bought = buy({ lots, markets, budget, floor: floorOf(input, ordered) });
  const queue = new Queue();
  const ready = [...there, ...fresh.flatMap(({ bin, awaitedAs }) => (awaitedAs === undefined ? bin : []))];
  const fitting = ready.flatMap((bin) => queue.takeAll(bin)).length;
  const awaited = new Map(
    fresh.flatMap(({ bin, awaitedAs }) =>
      awaitedAs === undefined ? [] : queue.takeAll(bin).map((taskId) => [taskId, `waits for ${awaitedAs}`] as const),
    ),
  );
  const covers = new Map(bought.hosts.map((host) => [host, queue.takeAll(host.bin)]));
  const launches = ordersOf(bought, markets, { ...input, covers: (host: NewHost) => covers.get(host) ?? [] });
  const left = bought.left.map(({ shape, left: count }) => ({ shape, taskIds: queue.take(shape, count) }));
  const unmet = byReason(left, whyUnmet(bought.left, input, { markets, budget: bought.budget }));
  const used = new Set(ready.flatMap(({ host, held }) => (held.length > 0 ? [host.hostId] : [])));
  return { launches, unmet, awaited, used, fitting };
}

/** Which tasks of its shape a bin holds: the oldest that no bin before it holds. */
class Queue {
  readonly #taken = new Map<Shape, number>();

  take(shape: Shape, count: number): string[] {
    const from = this.#taken.get(shape) ?? 0;
    this.#taken.set(shape, from + count);
    return shape.taskIds.slice(from, from + count);
  }

  takeAll({ held }: Bin): string[] {
    return held.flatMap(({ shape, count }) => this.take(shape, count));
  }
}

/** All that is there and on order, whatever becomes of it. */
function budgetOf({ limits, hosts }: CapacityInput, ordered: OnOrder): Budget {
  const budget = new Budget(limits, { hosts: 0, cpuUnits: 0, hourlyUsd: 0 });
  for (const { host, hourlyUsd } of hosts) budget.spend({ hosts: 1, cpuUnits: host.totalCpuUnits, hourlyUsd });
  budget.spend(ordered);
  return budget;
}

/** How many hosts are missing for the least number of them. */
const floorOf = ({ hosts, limits }: CapacityInput, ordered: OnOrder): number =>
  limits.minHosts -
  hosts.filter(({ host }) => host.status === 'ACTIVE').length -
  (ordered.hosts - ordered.overdue.length);

/** A refusal that is over matters to what is still to be bought, and to what would be cheaper. */
function againAt(input: CapacityInput, ordered: OnOrder, others: readonly number[]): number | undefined {
  const { waiting, blames, policy } = input;
  const wanting = waiting.length > 0 || floorOf(input, ordered) > 0 || policy.consolidation === 'replace';
  const refused = wanting ? blames.map(({ until }) => until) : [];
  const times = [...ordered.overdueAt, ...others, ...refused].filter((time) => time > input.now);
  return times.length === 0 ? undefined : Math.min(...times);
}

function explain(
  { waiting, limits }: CapacityInput,
  { launches, unmet, awaited, fitting }: Met,
  { terminations }: Going,
  { drains }: Consolidation,
): string[] {
  const covered = launches.reduce((sum, { covers }) => sum + covers.length, 0);
  const without = unmet.reduce((sum, { taskIds }) => sum + taskIds.length, 0);
  const parts = [
    part(fitting, ['fits', 'fit'], 'on hosts that are there'),
    part(awaited.size, ['waits', 'wait'], 'for what is on order'),
    part(covered, ['is', 'are'], 'bought for now'),
    part(without, ['cannot', 'cannot'], 'be met'),
  ].filter((each) => each !== '');
  return [
    ...(limits.minHosts > limits.maxHosts
      ? [`minHosts ${limits.minHosts} is more than maxHosts ${limits.maxHosts}, which is kept`]
      : []),
    ...(waiting.length === 0 ? [] : [`${plural(waiting.length, 'task')} waiting: ${formatList(parts)}`]),
    ...launches.map(({ why }) => `buy ${why}`),
    ...unmet.map(({ taskIds, why }) => `${plural(taskIds.length, 'task')}: ${why}`),
    ...terminations.map(({ why }) => `end: ${why}`),
    ...drains.map(({ why }) => `drain: ${why}`),
  ];
}

const part = (count: number, [one, many]: readonly [string, string], rest: string): string =>
  count === 0 ? '' : `${count} ${count === 1 ? one : many} ${rest}`;
