/**
 * Places tasks that wait, oldest first, when a host may have become free. What stays waiting gets a new explanation where that has
 * changed. Judges by hosts as they were read strongly when the activation began, its own placements taken off: whoever frees
 * something later asks for another activation.
 */
import type { HostCapacity } from '../../core/model/host.ts';
import { afterPlacing } from '../../core/placement/capacity.ts';
import type { Explanation } from '../../core/placement/explanation.ts';
import { lastStatus } from '../../core/task/status.ts';
import { placeOn } from '../../core/task/transitions.ts';
import type { ControlDeps } from '../deps.ts';
import { holdingOf } from '../store/host-capacity.ts';
import { addHostTask, refusedHosts } from '../store/hosts.ts';
import type { Change } from '../store/table.ts';
import { getTasks, listTask, replaceTask } from '../store/tasks.ts';
import { listWaiting, unlistWaiting, type WaitingTask, waitingTasks } from '../store/waiting-tasks.ts';
import { type Assigned, announcePlaced, learnFrom, reserveHosts } from '../tasks/assign.ts';
import { type Choice, planWaiting, type Queued, queuedOf } from '../tasks/plan-waiting.ts';
import type { ClusterLoop, LoopResult } from './loop.ts';

/** Four items a task and at most one host a task. */
const tasksPerCommit = 19;
/** Two items a task. */
const explanationsPerCommit = 50;
/** New explanations of one activation; the next one goes on. */
const explanationsPerActivation = 500;
/** How often in a row others may be quicker; then the loop looks again a little later. */
const mostRefusals = 5;
const retrySoonMs = 1000;

export const placePending: ClusterLoop = {
  name: 'place-pending',
  scope: 'cluster',
  periodSeconds: (deps) => deps.settings.heartbeatSeconds,
  activate,
};

async function activate(deps: ControlDeps, cluster: string): Promise<LoopResult> {
  const now = deps.clock.now();
  const waiting = (await waitingTasks(deps.table, cluster)).filter((task) => task.placementDeadline > now);
  if (waiting.length === 0) return { changed: 0 };
  const hosts = await deps.capacity.readStrongly(cluster);
  const round = await placeOldest(deps, waiting.map(queuedOf), [...hosts]);
  const outdated = round.left.flatMap(({ task, shape }) => {
    const explanation = round.refusals.get(shape);
    return explanation === undefined || explanation.sentence === task.sentence ? [] : [{ task, explanation }];
  });
  deps.metrics.count('TasksPending', round.left.length, { cluster });
  let changed = round.placed;
  for (const batch of batches(outdated.slice(0, explanationsPerActivation), explanationsPerCommit)) {
    changed += await explain(deps, batch);
  }
  return round.contended ? { changed, againAt: now + retrySoonMs } : { changed };
}

interface Round {
  readonly placed: number;
  readonly left: readonly Queued[];
  /** By shape: why those that are left fit nowhere. */
  readonly refusals: ReadonlyMap<string, Explanation>;
  /** Others were quicker every time: to be looked at again soon. */
  readonly contended: boolean;
}

/** `hosts` is the round's own, and follows what it places and learns. */
async function placeOldest(deps: ControlDeps, queue: readonly Queued[], hosts: HostCapacity[]): Promise<Round> {
  const refusals = new Map<string, Explanation>();
  let left = queue;
  let placed = 0;
  let overtaken = 0;
  for (;;) {
    const plan = planWaiting(left, hosts, { most: tasksPerCommit, known: refusals, random: deps.random });
    const assigned = plan.choices.length === 0 ? [] : await commitPlaced(deps, plan.choices, hosts);
    if (assigned === undefined) {
      overtaken += 1;
      if (overtaken === mostRefusals) return { placed, left, refusals, contended: true };
      await deps.sleep(deps.random() * 20);
      continue;
    }
    overtaken = 0;
    placed += assigned.length;
    // Where a task no longer waits, the plan took off more than was placed, and what it refused may fit.
    if (assigned.length === plan.choices.length) for (const [shape, why] of plan.refusals) refusals.set(shape, why);
    if (plan.choices.length === 0) return { placed, left, refusals, contended: false };
    const done = new Set(plan.choices.map(({ queued }) => queued));
    left = left.filter((queued) => !done.has(queued));
    for (const hostId of new Set(assigned.map(({ host }) => host.hostId))) {
      const placedThere = assigned.filter(({ host }) => host.hostId === hostId).map(({ task }) => holdingOf(task));
      exchange(hosts, hostId, (seen) => afterPlacing(seen, placedThere));
    }
  }
}

function exchange(hosts: HostCapacity[], hostId: string, change: (host: HostCapacity) => HostCapacity): void {
  const position = hosts.findIndex((host) => host.hostId === hostId);
  const host = hosts[position];
  if (host !== undefined) hosts[position] = change(host);
}

/** Answers what was placed; undefined where somebody was quicker, with `hosts` corrected. Tasks that no longer wait are left out. */
async function commitPlaced(
  deps: ControlDeps,
  choices: readonly Choice[],
  hosts: HostCapacity[],
): Promise<readonly Assigned[] | undefined> {
  const tasks = await getTasks(
    deps.table,
    choices.map(({ queued }) => queued.task.taskId),
  );
  const at = deps.clock.now();
  const assigned: Assigned[] = [];
  const changes: Change[] = [];
  for (const { queued, host, reason } of choices) {
    const task = tasks.get(queued.task.taskId);
    const placed = task && placeOn(task, { hostId: host.hostId, hostName: host.name, reason, at });
    if (task === undefined || placed === undefined) continue; // Stopped or placed since the list was read: its entry went with that.
    assigned.push({ task: placed, host });
    changes.push(
      replaceTask(task, placed, deps.settings.retentionSeconds),
      listTask(placed),
      unlistWaiting(placed),
      addHostTask(host.hostId, placed),
    );
  }
  if (assigned.length === 0) return [];
  const result = await deps.table.commit([...changes, ...reserveHosts(assigned)]);
  learnFrom(deps, assigned[0]?.task.cluster ?? '', result);
  if (result.outcome === 'refused')
    for (const host of refusedHosts(result.failed)) exchange(hosts, host.hostId, () => host);
  if (result.outcome !== 'done') return undefined;
  for (const { task } of assigned) deps.feed.changed(task.id);
  await announcePlaced(deps, assigned);
  return assigned;
}

type Outdated = { readonly task: WaitingTask; readonly explanation: Explanation };

function* batches<T>(all: readonly T[], size: number): Generator<readonly T[]> {
  for (let from = 0; from < all.length; from += size) yield all.slice(from, from + size);
}

/** Writes new explanations; where somebody else writes the task in this moment, the next activation does it. */
async function explain(deps: ControlDeps, outdated: readonly Outdated[]): Promise<number> {
  const tasks = await getTasks(
    deps.table,
    outdated.map(({ task }) => task.taskId),
  );
  const explained = outdated.flatMap(({ task: { taskId }, explanation }) => {
    const task = tasks.get(taskId);
    return task === undefined || lastStatus(task) !== 'PROVISIONING' ? [] : [{ task, next: { ...task, explanation } }];
  });
  if (explained.length === 0) return 0;
  const { outcome } = await deps.table.commit(
    explained.flatMap(({ task, next }) => [replaceTask(task, next, deps.settings.retentionSeconds), listWaiting(next)]),
  );
  if (outcome !== 'done') return 0;
  for (const { task } of explained) deps.feed.changed(task.id);
  return explained.length;
}
