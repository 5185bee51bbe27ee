/**
 * Ends tasks of a host for good, because the host is gone or has nothing of them: each gets a verdict where it has none, gives back what it
 * held, exactly once, and leaves the host's desired set. What may be replaced has its successor before. May be repeated.
 */
import type { HostIdentity } from '../../core/model/host.ts';
import type { StopCode, Task } from '../../core/model/task.ts';
import { lastStatus, mayStillRun } from '../../core/task/status.ts';
import { giveVerdict } from '../../core/task/transitions.ts';
import { attempt } from '../attempts.ts';
import type { ControlDeps } from '../deps.ts';
import { holdingOf } from '../store/host-capacity.ts';
import { releaseForGood } from '../store/host-release.ts';
import { bumpGeneration } from '../store/host-states.ts';
import { getHostCapacity, removeHostTask } from '../store/hosts.ts';
import { getTasks, replaceTask, unlistTask } from '../store/tasks.ts';
import { startSuccessors } from '../tasks/successors.ts';

interface Ending {
  readonly at: number;
  readonly stopCode: StopCode;
  readonly reason: string;
  /** False: no successors. */
  readonly replaces?: boolean | undefined;
}

/** At most three items a task, and the host's capacity. */
const tasksPerCommit = 32;

export async function endHostTasks(
  deps: ControlDeps,
  host: Pick<HostIdentity, 'cluster' | 'hostId' | 'name'>,
  taskIds: readonly string[],
  ending: Ending,
): Promise<void> {
  for (let from = 0; from < taskIds.length; from += tasksPerCommit) {
    const chunk = taskIds.slice(from, from + tasksPerCommit);
    await attempt(deps, { most: 20, what: `the tasks of host ${host.name}` }, () =>
      endChunk(deps, host, chunk, ending),
    );
  }
}

async function endChunk(
  deps: ControlDeps,
  { cluster, hostId }: Pick<HostIdentity, 'cluster' | 'hostId'>,
  taskIds: readonly string[],
  { replaces, ...verdict }: Ending,
): Promise<'ended' | undefined> {
  const tasks = [...(await getTasks(deps.table, taskIds)).values()].filter(({ released }) => !released);
  if (replaces !== false && (await lackSuccessors(deps, tasks))) return undefined;
  const capacity = await getHostCapacity(deps.table, cluster, hostId);
  const ended = tasks.map((task): [Task, Task] => [task, { ...(giveVerdict(task, verdict) ?? task), released: true }]);
  const ofHost =
    tasks.length === 0 ? bumpGeneration(cluster, hostId) : capacity && releaseForGood(capacity, tasks.map(holdingOf));
  const { outcome } = await deps.table.commit([
    ...ended.map(([seen, next]) => replaceTask(seen, next, deps.settings.retentionSeconds)),
    // Also of those that ended before, should their report not have come to its end.
    ...taskIds.flatMap((taskId) => [unlistTask({ id: taskId, cluster }), removeHostTask(hostId, taskId)]),
    ...(capacity === undefined || ofHost === undefined ? [] : [ofHost]),
  ]);
  if (outcome !== 'done') return undefined;
  for (const { id } of tasks) deps.feed.changed(id);
  return 'ended';
}

/** Answers whether somebody was quicker with one of them, so that they are to be looked at again. */
async function lackSuccessors(deps: ControlDeps, tasks: readonly Task[]): Promise<boolean> {
  const replaceable = tasks.filter((task) => task.replaceable === true && isToRun(task));
  if (replaceable.length === 0) return false;
  const { known, started } = await startSuccessors(deps, replaceable);
  // Each has named its successor since it was read.
  return started > 0 || replaceable.some(({ id }) => !known.has(id));
}

const isToRun = (task: Task): boolean =>
  task.desired.status === 'RUNNING' && (lastStatus(task) !== 'STOPPED' || mayStillRun(task));
