/**
 * Takes in what a host's agent has observed: checks each observation against the transition table, writes what is new, and gives back a
 * stopped task's capacity in the same commit, exactly once. Safe under duplicates and reports out of order. An agent speaks only for
 * tasks that were placed on its host.
 *
 * The listings follow in commits of their own, before the answer: that is half the price of a place in the transaction. Where the
 * process dies in between, the agent was not answered, reports again, and the listings are brought up to date with that.
 */
import { GantryError } from '../../core/errors.ts';
import type { ReportedTask, ReportRequest, ReportResponse } from '../../core/host-protocol.ts';
import type { HostIdentity } from '../../core/model/host.ts';
import type { Task } from '../../core/model/task.ts';
import { acceptObservation, mustRelease } from '../../core/task/transitions.ts';
import { attempt } from '../attempts.ts';
import type { ControlDeps } from '../deps.ts';
import { holdingOf } from '../store/host-capacity.ts';
import { release } from '../store/host-release.ts';
import { setReportedEpoch } from '../store/host-states.ts';
import { getHostCapacity, removeHostTask } from '../store/hosts.ts';
import type { Change } from '../store/table.ts';
import { getTasks, listingDiffers, relistTask, replaceTask, unlistTask } from '../store/tasks.ts';
import { traceSteps } from './traced-steps.ts';

/** One item a task, and the host's capacity; bounded by how much is worth repeating where somebody else was quicker. */
const tasksPerCommit = 32;

export async function takeReport(
  deps: ControlDeps,
  host: HostIdentity,
  report: ReportRequest,
): Promise<ReportResponse> {
  if (report.storeEpoch !== deps.storeEpoch) {
    throw new GantryError('ConflictException', 'The report belongs to another store epoch.', {
      field: 'storeEpoch',
      hint: 'The store was restored or is another one: the host keeps what it runs until an operator decides.',
    });
  }
  const response: ReportResponse = { accepted: [], forget: [] };
  const newest = newestOfEach(report.tasks);
  for (let from = 0; from < newest.length; from += tasksPerCommit) {
    const answer = await takeBatch(deps, host, newest.slice(from, from + tasksPerCommit), report.full);
    response.accepted.push(...answer.accepted);
    response.forget.push(...answer.forget);
  }
  if (report.full) await markReported(deps, host, report.hostEpoch);
  return response;
}

/** One observation a task, because a commit names no item twice; accepting the newest accepts those before it. */
function newestOfEach(reported: readonly ReportedTask[]): ReportedTask[] {
  const newest = new Map<string, ReportedTask>();
  for (const report of reported) {
    const known = newest.get(report.taskId);
    if (known === undefined || known.observation.sequence < report.observation.sequence)
      newest.set(report.taskId, report);
  }
  return [...newest.values()];
}

function takeBatch(
  deps: ControlDeps,
  host: HostIdentity,
  reported: readonly ReportedTask[],
  full: boolean,
): Promise<ReportResponse> {
  return attempt(deps, { most: 20, what: `the tasks of host ${host.name}` }, async () => {
    const tasks = await getTasks(
      deps.table,
      reported.map(({ taskId }) => taskId),
    );
    const judged = reported.map((report) => judge(deps, host, report, tasks.get(report.taskId)));
    const moves = judged.flatMap(({ move }) => move ?? []);
    const { changes, isEmptied } = await changesOf(deps, host, moves);
    if (changes.length > 0) {
      const { outcome } = await deps.table.commit(changes, { rereads: true });
      if (outcome !== 'done') return undefined;
    }
    await followUp(deps, listingChanges(host, judged, full));
    announce(deps, host, moves, isEmptied);
    return {
      accepted: reported.map(({ taskId, observation }) => ({ taskId, sequence: observation.sequence })),
      forget: judged.flatMap(({ forget }) => forget ?? []),
    };
  });
}

/** A task as it was read and as the report makes it. */
interface Move {
  readonly seen: Task;
  readonly next: Task;
}

interface Judged {
  readonly move?: Move;
  /** What was reported was known already, and it may be that nobody was told so. */
  readonly known?: Task;
  /** Id of a task that has left the host's desired set for good. */
  readonly forget?: string;
}

function judge(deps: ControlDeps, host: HostIdentity, report: ReportedTask, task: Task | undefined): Judged {
  const { taskId } = report;
  const about = { hostId: host.hostId, host: host.name, taskId };
  if (task === undefined) return { forget: taskId };
  if (task.hostId !== host.hostId) {
    deps.log.warn(about, "a host reported another host's task");
    return { forget: taskId };
  }
  const outcome = acceptObservation(task, report.observation);
  if (outcome.kind === 'illegal') deps.log.warn({ ...about, why: outcome.why }, 'an observation was not accepted');
  if (outcome.kind !== 'accepted') return { known: task, ...(task.released && { forget: taskId }) };
  if (!mustRelease(outcome.task)) return { move: { seen: task, next: outcome.task } };
  return { move: { seen: task, next: { ...outcome.task, released: true } }, forget: taskId };
}

const isReleased = ({ seen, next }: Move): boolean => next.released && !seen.released;

interface Changes {
  readonly changes: readonly Change[];
  /** The host has no task afterwards. */
  readonly isEmptied: boolean;
}

async function changesOf(deps: ControlDeps, host: HostIdentity, moves: readonly Move[]): Promise<Changes> {
  const changes = moves.map(({ seen, next }) => replaceTask(seen, next, deps.settings.retentionSeconds));
  const holdings = moves.filter(isReleased).map(({ next }) => holdingOf(next));
  if (holdings.length === 0) return { changes, isEmptied: false };
  const capacity = await getHostCapacity(deps.table, host.cluster, host.hostId);
  if (capacity === undefined) throw new Error(`host ${host.hostId} has no capacity item`);
  return {
    changes: [...changes, release(capacity, holdings)],
    isEmptied: capacity.taskCount === holdings.length,
  };
}

/** A task that was released leaves the listing and the host's desired set; the status of another follows. */
function listingChanges({ hostId }: HostIdentity, judged: readonly Judged[], full: boolean): Change[] {
  const leave = (task: Task): Change[] => [unlistTask(task), removeHostTask(hostId, task.id)];
  return judged.flatMap(({ move, known }) => {
    if (move !== undefined && isReleased(move)) return leave(move.next);
    if (known?.released === true) return leave(known);
    // After a verdict the task has left the listing for good.
    if (move !== undefined && move.next.verdict === undefined && listingDiffers(move.seen, move.next))
      return [relistTask({ ...move.next, version: move.seen.version + 1 })];
    // A full report repeats everything, mostly what was answered long ago.
    return known === undefined || full || known.verdict !== undefined ? [] : [relistTask(known)];
  });
}

/** Each by itself; one that is refused was made before. */
async function followUp(deps: ControlDeps, changes: readonly Change[]): Promise<void> {
  const make = (change: Change): Promise<boolean> =>
    attempt(deps, { most: 20, what: 'the listings of tasks' }, async () => {
      const { outcome } = await deps.table.commit([change], { rereads: true });
      return outcome === 'conflict' ? undefined : true;
    });
  await Promise.all(changes.map(make));
}

function announce(deps: ControlDeps, host: HostIdentity, moves: readonly Move[], isEmptied: boolean): void {
  for (const { seen, next } of moves) {
    deps.feed.changed(next.id);
    traceSteps(deps, seen, next);
  }
  const holdings = moves.filter(isReleased).map(({ next }) => holdingOf(next));
  if (holdings.length === 0) return;
  deps.capacity.gaveBack(host.cluster, host.hostId, holdings);
  deps.activate('place-pending', host.cluster);
  // For how long a host has nothing to do counts from now.
  if (isEmptied) deps.activate('buy-capacity', host.cluster);
}

/** The control plane now knows everything that the host knows under this epoch, so it may be given tasks. */
async function markReported(deps: ControlDeps, host: HostIdentity, hostEpoch: number): Promise<void> {
  await attempt(deps, { most: 20, what: `the host ${host.name}` }, async () => {
    const capacity = await getHostCapacity(deps.table, host.cluster, host.hostId);
    // Where the epoch is over, the agent learns of the new one by its next fetch.
    if (capacity === undefined || capacity.epoch !== hostEpoch) return 'over';
    if (capacity.reportedEpoch !== hostEpoch) {
      const { outcome } = await deps.table.commit([setReportedEpoch(capacity)]);
      if (outcome !== 'done') return undefined;
    }
    deps.capacity.learned({ ...capacity, reportedEpoch: hostEpoch });
    for (const loop of ['place-pending', 'buy-capacity'] as const) deps.activate(loop, host.cluster);
    return 'marked';
  });
}
