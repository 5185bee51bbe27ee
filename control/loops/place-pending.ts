/**
 * Places tasks that wait, oldest first, when a host may have become free. Alike tasks are judged together: a shape that fits nowhere
 * is looked at once an activation. What stays waiting gets a new explanation where that has changed.
 */
import type { Explanation } from '../../core/placement/explanation.ts';
import { place } from '../../core/placement/place.ts';
import { lastStatus } from '../../core/task/status.ts';
import { placeOn } from '../../core/task/transitions.ts';
import type { ControlDeps } from '../deps.ts';
import { addHostTask } from '../store/hosts.ts';
import type { Change } from '../store/table.ts';
import { getTasks, listTask, replaceTask } from '../store/tasks.ts';
import { listWaiting, unlistWaiting, type WaitingTask, waitingTasks } from '../store/waiting-tasks.ts';
import { type Assigned, announcePlaced, learnFrom, reserveHosts } from '../tasks/assign.ts';
import type { ClusterLoop, LoopResult } from './loop.ts';

/** Four items a task and at most one host a task. */
const tasksPerCommit = 19;
/** New explanations written in one activation; the next one goes on. Two items a task. */
const explanationsPerActivation = 48;
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
  await deps.capacity.readStrongly(cluster);
  let changed = 0;
  let contended = false;
  const unexplained: { task: WaitingTask; explanation: Explanation }[] = [];
  for (const alike of byShape(waiting)) {
    const placed = await placeAlike(deps, cluster, alike);
    changed += placed.count;
    contended ||= placed.contended;
    const { explanation } = placed;
    if (explanation === undefined) continue;
    const outdated = placed.left.filter((task) => task.sentence !== explanation.sentence);
    unexplained.push(...outdated.map((task) => ({ task, explanation })));
  }
  changed += await explain(deps, unexplained.slice(0, explanationsPerActivation));
  const more = contended || unexplained.length > explanationsPerActivation;
  return more ? { changed, againAt: now + retrySoonMs } : { changed };
}

/** Oldest first, both the groups and within each. */
function byShape(waiting: readonly WaitingTask[]): WaitingTask[][] {
  const groups = new Map<string, WaitingTask[]>();
  for (const task of waiting) {
    const { group: taskGroup, ...needs } = task.needs;
    // Parsed by one schema, so that equal needs have equal texts. Without constraints the task's group decides nothing.
    const shape = JSON.stringify(needs.constraints.length === 0 ? needs : { ...needs, group: taskGroup });
    const group = groups.get(shape);
    if (group === undefined) groups.set(shape, [task]);
    else group.push(task);
  }
  return [...groups.values()];
}

interface PlacedAlike {
  readonly count: number;
  readonly left: readonly WaitingTask[];
  /** Why those that are left fit nowhere. */
  readonly explanation: Explanation | undefined;
  /** Others were quicker every time: to be looked at again soon. */
  readonly contended: boolean;
}

const mostRefusals = 5;

async function placeAlike(deps: ControlDeps, cluster: string, alike: readonly WaitingTask[]): Promise<PlacedAlike> {
  let left = alike;
  let count = 0;
  let refusals = 0;
  while (left.length > 0) {
    const batch = left.slice(0, tasksPerCommit);
    const first = batch[0];
    if (first === undefined) break;
    // The view was read strongly when this activation began, and has followed since: a refusal on it is not stale.
    const hosts = await deps.capacity.hosts(cluster);
    const plan = place({ needs: first.needs, count: batch.length }, hosts, deps.random);
    const choices = plan.assignments.map((host, index) => ({ host, reason: plan.reasons[index] ?? '' }));
    const committed = choices.length === 0 ? [] : await commitPlaced(deps, batch.slice(0, choices.length), choices);
    if (committed === undefined) {
      refusals += 1;
      if (refusals >= mostRefusals) return { count, left, explanation: undefined, contended: true };
      await deps.sleep(deps.random() * 20);
      continue;
    }
    count += committed.length;
    left = left.slice(choices.length);
    if (plan.unplaced > 0) return { count, left, explanation: plan.explanation, contended: false };
  }
  return { count, left, explanation: undefined, contended: false };
}

type Choice = { readonly host: Assigned['host']; readonly reason: string };

/** Answers what was placed; undefined where somebody was quicker. Entries of tasks that no longer wait are taken away. */
async function commitPlaced(
  deps: ControlDeps,
  waiting: readonly WaitingTask[],
  choices: readonly Choice[],
): Promise<readonly Assigned[] | undefined> {
  const tasks = await getTasks(
    deps.table,
    waiting.map(({ taskId }) => taskId),
  );
  const at = deps.clock.now();
  const assigned: Assigned[] = [];
  const changes: Change[] = [];
  for (const [index, { taskId }] of waiting.entries()) {
    const task = tasks.get(taskId);
    const choice = choices[index];
    if (task === undefined || choice === undefined) continue;
    const { host, reason } = choice;
    const placed = placeOn(task, { hostId: host.hostId, hostName: host.name, reason, at });
    if (placed === undefined) continue; // Stopped or placed since the list was read: its entry went with that.
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
  learnFrom(deps, result);
  if (result.outcome !== 'done') return undefined;
  for (const { task } of assigned) deps.feed.changed(task.id);
  await announcePlaced(deps, assigned);
  return assigned;
}

/** Writes new explanations; where somebody else writes the task in this moment, the next activation does it. */
async function explain(
  deps: ControlDeps,
  outdated: readonly { task: WaitingTask; explanation: Explanation }[],
): Promise<number> {
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
