/**
 * Hosts that are not needed if their tasks move: to room on others, or to one cheaper host. A host is drained for that only if every
 * task on it may be replaced, few at a time, and only while nothing waits and nothing is on order, so that it is clear what is needed.
 */
import { fits } from '../../placement/filters.ts';
import { plural } from '../../text.ts';
import { Bin, fillTightest, leastOf } from './bin.ts';
import { type Budget, costOf, formatUsd } from './budget.ts';
import type { Candidate, Market } from './market.ts';
import { kindOnly, lotsOf, remaining, shapesOf, tasksIn } from './shapes.ts';
import type { CapacityInput, Drain, OwnedHost } from './types.ts';

/** A host is exchanged for a cheaper one only if that costs so much less. */
const margin = 0.15;

export interface Consolidation {
  readonly drains: readonly Drain[];
  /** When hosts will have been there for long enough. */
  readonly at: readonly number[];
}

const nothing: Consolidation = { drains: [], at: [] };

export function consolidate(
  input: CapacityInput,
  state: { readonly leaving: ReadonlySet<string>; readonly markets: readonly Market[]; readonly budget: Budget },
): Consolidation {
  const { policy, limits, now } = input;
  if (policy.consolidation !== 'replace') return nothing;
  const active = input.hosts.filter(({ host }) => isUsable(host) && !state.leaving.has(host.hostId));
  const draining = input.hosts.filter(({ host }) => host.status === 'DRAINING' && host.taskCount > 0).length;
  const most = Math.min(policy.maxDraining - draining, active.length - limits.minHosts);
  const settled = ({ joinedAt }: OwnedHost): number => joinedAt + policy.idleSeconds * 1000;
  const movable = active.filter(mayMove);
  const at = movable.map(settled).filter((time) => time > now);
  const rooms = new Rooms(input, active);
  const drains: Drain[] = [];
  for (const owned of movable.filter((each) => settled(each) <= now).sort(leastUsedFirst)) {
    if (drains.length >= most) break;
    const why = whyMove(owned, rooms, state);
    if (why === undefined) continue;
    drains.push({ hostId: owned.host.hostId, instanceId: owned.instanceId, why, deadline: undefined });
  }
  return { drains, at };
}

const isUsable = (host: OwnedHost['host']): boolean =>
  fits(
    host,
    kindOnly({
      reservation: { cpuUnits: 0, memoryMib: 0, ports: [] },
      attributes: {},
      group: '',
      constraints: [],
      strategies: [],
    }),
  );

/** The host may have tasks that the input does not tell of: then it stays. */
const mayMove = ({ host, tasks }: OwnedHost): boolean =>
  tasks.length > 0 && tasks.length === host.taskCount && tasks.every(({ replaceable }) => replaceable);

/** Fewest tasks to move for most money. */
const leastUsedFirst = (a: OwnedHost, b: OwnedHost): number =>
  usedShare(a) - usedShare(b) || b.hourlyUsd - a.hourlyUsd || (a.instanceId < b.instanceId ? -1 : 1);

const usedShare = ({ host }: OwnedHost): number =>
  Math.max(
    host.totalCpuUnits === 0 ? 0 : 1 - host.freeCpuUnits / host.totalCpuUnits,
    host.totalMemoryMib === 0 ? 0 : 1 - host.freeMemoryMib / host.totalMemoryMib,
  );

/** The room on hosts that stay and are in use: an empty one is about to go. */
class Rooms {
  readonly #bins: Map<string, Bin>;

  constructor({ otherHosts }: CapacityInput, active: readonly OwnedHost[]) {
    const hosts = [
      ...active.filter(({ host }) => host.taskCount > 0).map(({ host }) => host),
      ...otherHosts.filter(isUsable),
    ];
    this.#bins = new Map(hosts.map((host) => [host.hostId, new Bin(host)]));
  }

  /** Puts the host's tasks onto the others. Undone where `accepts` does not want what found no place. */
  move(owned: OwnedHost, accepts: (left: ReturnType<typeof remaining>) => boolean): boolean {
    const own = this.#bins.get(owned.host.hostId);
    // It has been given tasks of another host that is drained.
    if (own === undefined || own.held.length > 0) return false;
    this.#bins.delete(owned.host.hostId);
    const others = [...this.#bins.values()];
    const before = others.map(({ held }) => held.length);
    const lots = lotsOf(shapesOf(owned.tasks.map((task) => ({ ...task, createdAt: 0 }))));
    fillTightest(others, lots);
    if (accepts(remaining(lots))) return true;
    for (const [index, bin] of others.entries()) bin.rollBack(before[index] ?? 0);
    this.#bins.set(owned.host.hostId, own);
    return false;
  }
}

function whyMove(
  owned: OwnedHost,
  rooms: Rooms,
  { markets, budget }: { readonly markets: readonly Market[]; readonly budget: Budget },
): string | undefined {
  const { host, hourlyUsd } = owned;
  const tasks = plural(owned.tasks.length, 'task');
  if (rooms.move(owned, (left) => left.length === 0)) {
    const saved = hourlyUsd === 0 ? '' : `, which saves ${formatUsd(hourlyUsd)} an hour`;
    return `${host.name} is not needed: its ${tasks} ${owned.tasks.length === 1 ? 'fits' : 'fit'} on other hosts${saved}`;
  }
  const affordable = markets
    .flatMap(({ candidates }) => candidates)
    .filter((candidate) => candidate.hourlyUsd <= hourlyUsd * (1 - margin) && candidate.hourlyUsd < hourlyUsd)
    .filter((candidate) => budget.affords(costOf(candidate)))
    .sort((a, b) => a.hourlyUsd - b.hourlyUsd || (a.key < b.key ? -1 : 1));
  let cheaper: Candidate | undefined;
  rooms.move(owned, (left) => {
    cheaper = affordable.find(({ host: fresh }) => {
      const held = new Bin(fresh).fill(left, leastOf(left)).held.reduce((sum, { count }) => sum + count, 0);
      return held === tasksIn(left);
    });
    return cheaper !== undefined;
  });
  if (cheaper === undefined) return undefined;
  budget.spend(costOf(cheaper));
  return (
    `${host.name} is dearer than it need be: its ${tasks} would do with ${cheaper.offer.name} ` +
    `at ${formatUsd(cheaper.hourlyUsd)} instead of ${formatUsd(hourlyUsd)} an hour`
  );
}
