/**
 * The strategies that a caller names, in ECS' terms: spread, binpack and random, in chains where each breaks the ties of the one
 * before. They rank and never refuse. Hosts that are equal in all are taken in random order.
 */
import { Heap } from '../heap.ts';
import type { HostCapacity } from '../model/host.ts';
import type { PlacementStrategy } from '../model/task.ts';
import type { Random } from '../random.ts';
import { formatCpu, formatMib, plural } from '../text.ts';
import { attributeOf, tasksOfGroup } from './capacity.ts';
import type { Chooser } from './chooser.ts';
import type { Draft } from './draft.ts';
import { fits } from './filters.ts';

const attributePrefix = 'attribute:';

/** What is wrong with a strategy as a caller wrote it; undefined where nothing is. */
export function strategyProblem({ type, field }: PlacementStrategy): string | undefined {
  switch (type) {
    case 'random':
      return field === undefined || field === '' ? undefined : 'random takes no field';
    case 'binpack':
      return ['cpu', 'memory'].includes(field?.toLowerCase() ?? '')
        ? undefined
        : 'binpack takes the field cpu or memory';
    case 'spread':
      return isHostField(field) ||
        (field?.startsWith(attributePrefix) === true && field.length > attributePrefix.length)
        ? undefined
        : 'spread takes the field instanceId, host or attribute:<name>';
  }
}

const isHostField = (field: string | undefined): boolean => field === 'instanceId' || field === 'host';

/** One link of the chain. The lesser key is the better. */
type Level =
  /** The key depends on the host alone. */
  | { readonly by: 'host'; key(host: HostCapacity): number; why(host: HostCapacity): string }
  /** Hosts with the same value of an attribute share one key: the tasks of the group on all of them. */
  | { readonly by: 'attribute'; readonly name: string; readonly tasks: Map<string, number> };

function levelOf(strategy: PlacementStrategy, draft: Draft): Level | undefined {
  const problem = strategyProblem(strategy);
  if (problem !== undefined) throw new TypeError(`placement strategy ${strategy.type}: ${problem}`);
  const { cpuUnits, memoryMib } = draft.needs.reservation;
  const group = draft.needs.group;
  if (strategy.type === 'random') return undefined;
  if (strategy.type === 'spread' && isHostField(strategy.field)) {
    const key = (host: HostCapacity): number => tasksOfGroup(host, group);
    return { by: 'host', key, why: (host) => `spread over hosts (now ${plural(key(host), 'task')} of ${group} on it)` };
  }
  if (strategy.type === 'spread') return attributeLevel(strategy.field?.slice(attributePrefix.length) ?? '', draft);
  return strategy.field?.toLowerCase() === 'cpu'
    ? {
        by: 'host',
        key: (host) => host.freeCpuUnits - cpuUnits,
        why: (host) => `binpack by CPU (${formatCpu(host.freeCpuUnits)} left)`,
      }
    : {
        by: 'host',
        key: (host) => host.freeMemoryMib - memoryMib,
        why: (host) => `binpack by memory (${formatMib(host.freeMemoryMib)} left)`,
      };
}

/** Hosts that cannot take the task count too: what runs there is part of the spread. */
function attributeLevel(name: string, draft: Draft): Level {
  const tasks = new Map<string, number>();
  for (const host of draft.all()) {
    const value = placeOf(host, name);
    tasks.set(value, (tasks.get(value) ?? 0) + tasksOfGroup(host, draft.needs.group));
  }
  return { by: 'attribute', name, tasks };
}

/** Hosts without the attribute are one place of their own. */
const placeOf = (host: HostCapacity, name: string): string => attributeOf(host, name) ?? '';

interface Candidate {
  readonly index: number;
  /** One key a level; of attribute levels it stays 0 here, since it changes while the candidate waits. */
  readonly keys: readonly number[];
  readonly values: readonly string[];
  readonly tie: number;
}

/**
 * Candidates that share the values of all attribute levels wait in one heap, in which their order never changes: only the heads of
 * the heaps are compared for each task.
 */
export function chooseByStrategies(draft: Draft, random: Random): Chooser {
  const named = draft.needs.strategies;
  // What follows `random` in a chain never decides.
  const firstRandom = named.findIndex(({ type }) => type === 'random');
  const deciding = firstRandom === -1 ? named : named.slice(0, firstRandom);
  const levels = deciding.flatMap((strategy) => levelOf(strategy, draft) ?? []);
  const compare = comparison(levels);
  const heaps = new Map<string, Heap<Candidate>>();

  const consider = (index: number): void => {
    const host = draft.host(index);
    if (!fits(host, draft.needs)) return;
    const values = levels.map((level) => (level.by === 'attribute' ? placeOf(host, level.name) : ''));
    const keys = levels.map((level) => (level.by === 'host' ? level.key(host) : 0));
    const bucket = JSON.stringify(values);
    const heap = heaps.get(bucket) ?? new Heap(compare);
    heaps.set(bucket, heap);
    heap.push({ index, keys, values, tie: random() });
  };
  for (let index = 0; index < draft.size; index += 1) consider(index);

  return {
    choose() {
      const chosen = takeLeast([...heaps.values()], compare);
      if (chosen === undefined) return undefined;
      const host = draft.place(chosen.index);
      for (const level of levels) {
        if (level.by !== 'attribute') continue;
        const value = placeOf(host, level.name);
        level.tasks.set(value, (level.tasks.get(value) ?? 0) + 1);
      }
      consider(chosen.index);
      return { index: chosen.index, why: whyOf(levels, host) };
    },
  };
}

function comparison(levels: readonly Level[]): (a: Candidate, b: Candidate) => number {
  const keyOf = (candidate: Candidate, place: number, level: Level): number =>
    level.by === 'attribute' ? (level.tasks.get(candidate.values[place] ?? '') ?? 0) : (candidate.keys[place] ?? 0);
  return (a, b) => {
    for (const [place, level] of levels.entries()) {
      const difference = keyOf(a, place, level) - keyOf(b, place, level);
      if (difference !== 0) return difference;
    }
    return a.tie - b.tie;
  };
}

function takeLeast(
  heaps: readonly Heap<Candidate>[],
  compare: (a: Candidate, b: Candidate) => number,
): Candidate | undefined {
  let best: Heap<Candidate> | undefined;
  let least: Candidate | undefined;
  for (const heap of heaps) {
    const head = heap.peek();
    if (head === undefined || (least !== undefined && compare(head, least) >= 0)) continue;
    best = heap;
    least = head;
  }
  return best?.pop();
}

function whyOf(levels: readonly Level[], host: HostCapacity): string {
  const reasons = levels.map((level) => {
    if (level.by === 'host') return level.why(host);
    const value = placeOf(host, level.name);
    const tasks = plural(level.tasks.get(value) ?? 0, 'task');
    return `spread over ${level.name} (now ${tasks} of the group in ${value === '' ? 'hosts without it' : value})`;
  });
  return reasons.length === 0 ? 'random' : reasons.join('; ');
}
