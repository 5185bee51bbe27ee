/** Tasks that wait, by what placement can tell apart: the plan works on shapes and counts, never task by task. */
import type { HostCapacity } from '../../model/host.ts';
import type { PlacementNeeds } from '../../model/task.ts';
import type { WaitingDemand } from './types.ts';

export interface Shape {
  readonly key: string;
  readonly needs: PlacementNeeds;
  /** Equal for shapes that want the same attributes. */
  readonly attributesKey: string;
  /** A host takes at most one: it has static ports, or a constraint of its group. */
  readonly single: boolean;
  /** Its ports or its group decide where others may go. */
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
  const constrained = new Set(waiting.flatMap(({ needs }) => (needs.constraints.length > 0 ? [needs.group] : [])));
  const byKey = new Map<string, { needs: PlacementNeeds; attributesKey: string; taskIds: string[] }>();
  for (const { taskId, needs } of waiting) {
    const attributesKey = attributesKeyOf(needs);
    const key = keyOf(needs, attributesKey, constrained.has(needs.group));
    const known = byKey.get(key);
    if (known === undefined) byKey.set(key, { needs, attributesKey, taskIds: [taskId] });
    else known.taskIds.push(taskId);
  }
  const shapes = [...byKey].map(([key, { needs, ...rest }]) => {
    const single = needs.reservation.ports.length > 0 || needs.constraints.length > 0;
    return { key, needs, single, marks: single || constrained.has(needs.group), ...rest };
  });
  const size = sizeAmong(shapes);
  return shapes
    .map((shape) => ({ shape, wants: Object.keys(shape.needs.attributes).length, size: size(shape) }))
    .sort((a, b) => b.wants - a.wants || b.size - a.size || (a.shape.key < b.shape.key ? -1 : 1))
    .map(({ shape }) => shape);
}

function attributesKeyOf({ attributes }: PlacementNeeds): string {
  const entries = Object.entries(attributes);
  return entries.length === 0 ? '' : JSON.stringify(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The group decides only where one of its tasks has a constraint; strategies rank, they never refuse. */
function keyOf({ reservation, constraints, group }: PlacementNeeds, attributesKey: string, grouped: boolean): string {
  const { cpuUnits, memoryMib, ports } = reservation;
  const named = grouped ? `|${constraints.map(({ type }) => type).join()}|${group}` : '';
  return `${cpuUnits}|${memoryMib}|${[...ports].sort().join()}|${attributesKey}${named}`;
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

/** Needs nothing but the attributes: for asking whether a host is of the right kind, whatever room it has. */
export const kindOnly = (needs: PlacementNeeds): PlacementNeeds => ({
  reservation: { cpuUnits: 0, memoryMib: 0, ports: [] },
  attributes: needs.attributes,
  group: '',
  constraints: [],
  strategies: [],
});

/** Neither busy nor new nor silent, as far as placement is concerned: for hosts that are about to be. */
export const asReady = (host: HostCapacity): HostCapacity => ({
  ...host,
  status: 'ACTIVE',
  reportedEpoch: host.epoch,
  connected: true,
});
