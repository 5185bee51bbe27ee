/**
 * Gives up the tasks of a host that is silent for too long: first the host gets a new epoch, then each task its verdict, all on the
 * condition that nobody has heard of the host. Whoever repeats it carries on; a host that comes back in between keeps the rest. Releases
 * nothing: what the host holds may be in use.
 */
import type { HostCapacity, HostLease } from '../../core/model/host.ts';
import type { Task } from '../../core/model/task.ts';
import { giveUpLost } from '../../core/task/lost.ts';
import { attempt } from '../attempts.ts';
import type { ControlDeps } from '../deps.ts';
import { beginNextEpoch, isStillLost } from '../store/host-states.ts';
import { changeHostTask, getHostCapacity, hostTasks, leaseIsStill } from '../store/hosts.ts';
import { decideLost, type LostHost } from '../store/lost-hosts.ts';
import type { Change } from '../store/table.ts';
import { getTasks, replaceTask, unlistTask } from '../store/tasks.ts';

/** At most three items a task, and the host's capacity. */
const tasksPerCommit = 32;

/** Answers the record as it is then; undefined where the host was heard in this moment, or another process decided. */
export async function decide(
  deps: ControlDeps,
  {
    host,
    lost,
    lease,
  }: { readonly host: HostCapacity; readonly lost: LostHost; readonly lease: HostLease | undefined },
): Promise<LostHost | undefined> {
  const decided = { at: deps.clock.now(), hostEpoch: host.epoch + 1 };
  const { outcome } = await deps.table.commit([
    beginNextEpoch(host),
    decideLost(lost, decided),
    leaseIsStill(host.hostId, lease),
  ]);
  if (outcome !== 'done') return undefined;
  deps.capacity.learned({ ...host, epoch: host.epoch + 1 });
  const { hostId, name, cluster, taskCount } = host;
  deps.metrics.count('HostsLost', 1, { cluster });
  deps.log.warn({ hostId, host: name, cluster, tasks: taskCount }, 'a host is lost; its tasks are given up');
  return { ...lost, decided };
}

/** Answers how many verdicts it has given. */
export async function giveUpTasks(deps: ControlDeps, lost: LostHost): Promise<number> {
  const taskIds = (await hostTasks(deps.table, lost.hostId)).map(({ taskId }) => taskId);
  let given = 0;
  for (let from = 0; from < taskIds.length; from += tasksPerCommit) {
    const chunk = taskIds.slice(from, from + tasksPerCommit);
    const count = await attempt(deps, { most: 20, what: 'the tasks of a lost host' }, () => giveUp(deps, lost, chunk));
    if (count === 'heard') break;
    given += count;
  }
  if (given > 0) deps.metrics.count('TasksLost', given, { cluster: lost.cluster });
  return given;
}

async function giveUp(
  deps: ControlDeps,
  { cluster, hostId, heardAt, decided }: LostHost,
  taskIds: readonly string[],
): Promise<number | 'heard' | undefined> {
  const tasks = [...(await getTasks(deps.table, taskIds)).values()];
  const at = deps.clock.now();
  const lost = tasks.flatMap((seen): { seen: Task; next: Task }[] => {
    const next = seen.hostId === hostId ? giveUpLost(seen, { at, heardAt }) : undefined;
    return next === undefined ? [] : [{ seen, next }];
  });
  if (lost.length === 0) return 0;
  const host = await getHostCapacity(deps.table, cluster, hostId);
  if (host === undefined || host.connected || host.epoch !== decided?.hostEpoch) return 'heard';
  const { outcome } = await deps.table.commit([isStillLost(host), ...lost.flatMap((task) => changesOf(deps, task))]);
  if (outcome !== 'done') return undefined;
  for (const { seen } of lost) deps.feed.changed(seen.id);
  return lost.length;
}

function changesOf({ settings }: ControlDeps, { seen, next }: { seen: Task; next: Task }): Change[] {
  const { hostId } = seen;
  return [
    replaceTask(seen, next, settings.retentionSeconds),
    unlistTask(next),
    ...(hostId === undefined || next.desired === seen.desired ? [] : [changeHostTask(hostId, seen.id, next.desired)]),
  ];
}
