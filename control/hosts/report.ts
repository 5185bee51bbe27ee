/**
 * Takes in what a host's agent has observed: checks each observation against the transition table, writes what is new, and gives back a
 * stopped task's capacity in the same commit, exactly once. Safe under duplicates and reports out of order. An agent speaks only for
 * tasks that were placed on its host.
 */
import { GantryError } from '../../core/errors.ts';
import type { ReportedTask, ReportRequest, ReportResponse } from '../../core/host-protocol.ts';
import type { HostIdentity } from '../../core/model/host.ts';
import type { Task } from '../../core/model/task.ts';
import { acceptObservation, mustRelease } from '../../core/task/transitions.ts';
import { attempt } from '../attempts.ts';
import type { ControlDeps } from '../deps.ts';
import { holdingOf, release, setReportedEpoch } from '../store/host-capacity.ts';
import { getHostCapacity, removeHostTask } from '../store/hosts.ts';
import type { Change } from '../store/table.ts';
import { getTasks, listingDiffers, listTask, replaceTask, unlistTask } from '../store/tasks.ts';

/** At most three items a task, and the host's capacity. */
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
    const answer = await takeBatch(deps, host, newest.slice(from, from + tasksPerCommit));
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

function takeBatch(deps: ControlDeps, host: HostIdentity, reported: readonly ReportedTask[]): Promise<ReportResponse> {
  return attempt(deps, { most: 20, what: `the tasks of host ${host.name}` }, async () => {
    const tasks = await getTasks(
      deps.table,
      reported.map(({ taskId }) => taskId),
    );
    const judged = reported.map((report) => judge(deps, host, report, tasks.get(report.taskId)));
    const moves = judged.flatMap(({ move }) => move ?? []);
    const changes = await changesOf(deps, host, moves);
    if (changes.length > 0) {
      const { outcome } = await deps.table.commit(changes);
      if (outcome !== 'done') return undefined;
    }
    announce(deps, host, moves);
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
  if (outcome.kind !== 'accepted') return task.released ? { forget: taskId } : {};
  if (!mustRelease(outcome.task)) return { move: { seen: task, next: outcome.task } };
  return { move: { seen: task, next: { ...outcome.task, released: true } }, forget: taskId };
}

const isReleased = ({ seen, next }: Move): boolean => next.released && !seen.released;

async function changesOf(deps: ControlDeps, host: HostIdentity, moves: readonly Move[]): Promise<Change[]> {
  const changes = moves.flatMap((move): Change[] => {
    const { seen, next } = move;
    const replaced = replaceTask(seen, next, deps.settings.retentionSeconds);
    if (isReleased(move)) return [replaced, unlistTask(next), removeHostTask(host.hostId, next.id)];
    // After a verdict the task has left the listing for good.
    const listed = next.verdict === undefined && listingDiffers(seen, next);
    return listed ? [replaced, listTask(next)] : [replaced];
  });
  const holdings = moves.filter(isReleased).map(({ next }) => holdingOf(next));
  if (holdings.length === 0) return changes;
  const capacity = await getHostCapacity(deps.table, host.cluster, host.hostId);
  if (capacity === undefined) throw new Error(`host ${host.hostId} has no capacity item`);
  return [...changes, release(capacity, holdings)];
}

function announce(deps: ControlDeps, host: HostIdentity, moves: readonly Move[]): void {
  for (const { next } of moves) deps.feed.changed(next.id);
  const holdings = moves.filter(isReleased).map(({ next }) => holdingOf(next));
  if (holdings.length === 0) return;
  deps.capacity.gaveBack(host.cluster, host.hostId, holdings);
  deps.activate('place-pending', host.cluster);
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
    deps.activate('place-pending', host.cluster);
    return 'marked';
  });
}
