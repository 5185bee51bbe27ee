/** Tasks that wait, by what placement can tell apart: the plan works on shapes and counts, never task by task. */
import type { HostCapacity } from '../../model/host.ts';
import type { MemberOf } from '../../model/placement-constraint.ts';
import type { PlacementNeeds } from '../../model/task.ts';
import { looksAtTasks, memberOfs, queryOf } from '../../placement/member-of.ts';
import type { WaitingDemand } from './types.ts';

export interface Shape {
  readonly key: string;
  readonly needs: PlacementNeeds;
  /** Equal for shapes that want the same kind of host: its attributes, and what else does not change with its tasks. */
  readonly kindKey: string;
  /** A host takes at most one: it has static ports, or a constraint of its group. */
  readonly single: boolean;
  /** Whether a host takes one more depends on the tasks that it has: an expression asks for them. */
  readonly looksAtTasks: boolean;
  /** Its ports, its group or its number decide where others may go. */
  readonly marks: boolean;
  /** Oldest first. */
  readonly taskIds: readonly string[];
}

/** A shape, and how many of its tasks have no place yet. */
export interface Lot {
  readonly shape: Shape;
  /** Of one task: here as well, because packing compares them millions of times. */
  readonly cpuUnits: number;
  readonly memoryMib: number;
  left: number;
}

export const lotsOf = (shapes: readonly Shape[]): Lot[] =>
  shapes.map((shape) => {
    const { cpuUnits, memoryMib } = shape.needs.reservation;
    return { shape, cpuUnits, memoryMib, left: shape.taskIds.length };
  });

/** Those with something left, as lots of their own. */
export const remaining = (lots: readonly Lot[]): Lot[] =>
  lots.filter(({ left }) => left > 0).map((lot) => ({ ...lot }));

export const tasksIn = (lots: readonly Lot[]): number => lots.reduce((sum, { left }) => sum + left, 0);

/** The order in which they are packed: those that want particular hosts first, then the largest, as the small fill the gaps. */
export function shapesOf(waiting: readonly WaitingDemand[]): Shape[] {
  const distinct = new Set(waiting.flatMap(({ needs }) => (isDistinct(needs) ? [needs.group] : [])));
  const asksForTasks = tasksAskedFor(waiting);
  const isGrouped = ({ group }: PlacementNeeds): boolean => asksForTasks.size > 0 || distinct.has(group);
  const byKey = new Map<string, { needs: PlacementNeeds; kindKey: string; taskIds: string[] }>();
  for (const { taskId, needs } of waiting) {
    const kindKey = kindKeyOf(needs, asksForTasks);
    const key = keyOf(needs, kindKey, isGrouped(needs));
    const known = byKey.get(key);
    if (known === undefined) byKey.set(key, { needs, kindKey, taskIds: [taskId] });
    else known.taskIds.push(taskId);
  }
  const shapes = [...byKey].map(([key, { needs, ...rest }]) => {
    const single = needs.reservation.ports.length > 0 || isDistinct(needs);
    return { key, needs, single, looksAtTasks: looksAtTasks(needs), marks: single || isGrouped(needs), ...rest };
  });
  const size = sizeAmong(shapes);
  return shapes
    .map((shape) => ({ shape, wants: wishesOf(shape.needs), size: size(shape) }))
    .sort((a, b) => b.wants - a.wants || b.size - a.size || (a.shape.key < b.shape.key ? -1 : 1))
    .map(({ shape }) => shape);
}

const isDistinct = ({ constraints }: PlacementNeeds): boolean =>
  constraints.some(({ type }) => type === 'distinctInstance');

const wishesOf = (needs: PlacementNeeds): number => Object.keys(needs.attributes).length + memberOfs(needs).length;

/** Those expressions that ask for a host's tasks; each is read once, however many tasks have it. */
function tasksAskedFor(waiting: readonly WaitingDemand[]): ReadonlySet<string> {
  const all = new Map<string, MemberOf>();
  for (const { needs } of waiting)
    for (const constraint of memberOfs(needs)) all.set(constraint.expression, constraint);
  return new Set([...all.values()].filter((one) => queryOf(one).looksAtTasks).map(({ expression }) => expression));
}

function kindKeyOf(needs: PlacementNeeds, asksForTasks: ReadonlySet<string>): string {
  const entries = Object.entries(needs.attributes);
  const expressions = memberOfs(needs).flatMap(({ expression }) => (asksForTasks.has(expression) ? [] : [expression]));
  if (expressions.length > 0) entries.push(['', JSON.stringify(expressions.sort())]);
  return entries.length === 0 ? '' : JSON.stringify(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The group decides only where it is asked for: by a constraint of its tasks, or an expression of any; strategies never refuse. */
function keyOf({ reservation, constraints, group }: PlacementNeeds, kindKey: string, grouped: boolean): string {
  const { cpuUnits, memoryMib, ports } = reservation;
  const named = grouped ? `|${JSON.stringify(constraints)}|${group}` : '';
  return `${cpuUnits}|${memoryMib}|${[...ports].sort().join()}|${kindKey}${named}`;
}

/** The larger share of CPU or memory, each of the most that any shape wants. */
function sizeAmong(shapes: readonly Pick<Shape, 'needs'>[]): (shape: Pick<Shape, 'needs'>) => number {
  let [cpu, memory] = [1, 1];
  for (const { needs } of shapes) {
    cpu = Math.max(cpu, needs.reservation.cpuUnits);
    memory = Math.max(memory, needs.reservation.memoryMib);
  }
  return ({ needs: { reservation } }) =>
    Math.max(reservation.cpuUnits / cpu, reservation.memoryMib / memory) +
    // Of two that are as large in one, the one that is larger in the other goes first.
    (reservation.cpuUnits / cpu + reservation.memoryMib / memory) / 1000;
}

/** For asking whether a host is of the right kind, whatever room it has; of expressions only what its tasks do not change. */
export const kindOnly = (needs: PlacementNeeds): PlacementNeeds => ({
  reservation: { cpuUnits: 0, memoryMib: 0, ports: [] },
  attributes: needs.attributes,
  group: '',
  constraints: memberOfs(needs).filter((constraint) => !queryOf(constraint).looksAtTasks),
  strategies: [],
});

/** Neither busy nor new nor silent, as far as placement is concerned: for hosts that are about to be. */
export const asReady = (host: HostCapacity): HostCapacity => ({
  ...host,
  status: 'ACTIVE',
  reportedEpoch: host.epoch,
  connected: true,
});
