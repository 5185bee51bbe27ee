/**
 * Which of the tasks that wait go where: the oldest first, whatever their shape, on hosts as they were read and as the plan itself
 * changes them. Tasks of one shape are judged together: a shape that fits nowhere is looked at once. Pure; reserves nothing.
 */
import type { HostCapacity } from '../../core/model/host.ts';
import { applyReservation } from '../../core/placement/capacity.ts';
import type { Explanation } from '../../core/placement/explanation.ts';
import { place } from '../../core/placement/place.ts';
import type { Random } from '../deps.ts';
import type { WaitingTask } from '../store/waiting-tasks.ts';

export interface Queued {
  readonly task: WaitingTask;
  /** Equal for tasks that placement cannot tell apart. */
  readonly shape: string;
}

export interface Choice {
  readonly queued: Queued;
  /** As it was given to the plan. */
  readonly host: HostCapacity;
  readonly reason: string;
}

export interface WaitingPlan {
  readonly choices: readonly Choice[];
  /** Why each of these shapes fits nowhere once the choices are made. */
  readonly refusals: ReadonlyMap<string, Explanation>;
}

export function queuedOf(task: WaitingTask): Queued {
  const { group, ...needs } = task.needs;
  // Parsed by one schema, so that equal needs have equal texts. Without constraints the task's group decides nothing.
  return { task, shape: JSON.stringify(needs.constraints.length === 0 ? needs : { ...needs, group }) };
}

/** At most `most` choices, in the order of the queue. Shapes among `known` are passed over. */
export function planWaiting(
  queue: readonly Queued[],
  hosts: readonly HostCapacity[],
  options: { readonly most: number; readonly known: ReadonlyMap<string, Explanation>; readonly random: Random },
): WaitingPlan {
  const draft = [...hosts];
  const positions = new Map(hosts.map(({ hostId }, position) => [hostId, position]));
  const choices: Choice[] = [];
  const refusals = new Map<string, Explanation>();
  const open = queue.filter(({ shape }) => !options.known.has(shape));
  for (let at = 0; at < open.length && choices.length < options.most; ) {
    const run = runFrom(open, at, options.most - choices.length);
    at += run.length;
    const [first] = run;
    if (first === undefined || refusals.has(first.shape)) continue;
    const { needs } = first.task;
    const { assignments, reasons, explanation } = place({ needs, count: run.length }, draft, options.random);
    if (explanation !== undefined) refusals.set(first.shape, explanation);
    for (const [index, { hostId }] of assignments.entries()) {
      const queued = run[index];
      const position = positions.get(hostId) ?? -1;
      const [host, drafted] = [hosts[position], draft[position]];
      if (queued === undefined || host === undefined || drafted === undefined) continue;
      choices.push({ queued, host, reason: reasons[index] ?? '' });
      draft[position] = applyReservation(drafted, queued.task.needs, queued.task.taskId);
    }
  }
  return { choices, refusals };
}

/** Neighbours of one shape. */
function runFrom(queue: readonly Queued[], from: number, most: number): readonly Queued[] {
  const shape = queue[from]?.shape;
  let to = from;
  while (to - from < most && queue[to]?.shape === shape && shape !== undefined) to += 1;
  return queue.slice(from, to);
}
