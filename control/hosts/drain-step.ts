/**
 * One step of emptying a host, to be repeated until nothing is left: its tasks are told, successors start; a task that may be replaced is
 * stopped once its successor runs; everything else is waited for until the deadline, where there is one. Ends no host: who owns the
 * machine does.
 */
import { compact } from '../../core/compact.ts';
import type { HostCapacity } from '../../core/model/host.ts';
import type { Task } from '../../core/model/task.ts';
import { isProtected } from '../../core/task/protection.ts';
import { lastStatus, mayStillRun } from '../../core/task/status.ts';
import type { ControlDeps } from '../deps.ts';
import { type Drain, removeDrain } from '../store/drains.ts';
import { setStatus } from '../store/host-states.ts';
import { getHostCapacity, hostTasks } from '../store/hosts.ts';
import { getTasks } from '../store/tasks.ts';
import { stopTask } from '../tasks/stop.ts';
import { type Successors, startSuccessors } from '../tasks/successors.ts';
import { tellTasks } from './tell-tasks.ts';

export interface DrainProgress {
  readonly changed: number;
  /** Tasks that are not told yet, or lack the successor that they are to have: somebody else was quicker with them. */
  readonly behind: number;
  /** When there is something to do again; absent: when somebody says so. */
  readonly againAt?: number;
}

/** Successors start by themselves: nobody says when one runs. The longer it takes, the longer the next look can wait. */
const lookAgainMs = 1000;
const mostLookAgainMs = 30_000;
const agePerLook = 20;

export async function drainStep(deps: ControlDeps, drain: Drain): Promise<DrainProgress> {
  const host = await getHostCapacity(deps.table, drain.cluster, drain.hostId);
  if (host === undefined || host.status === 'INACTIVE') return end(deps, drain);
  if (host.status === 'ACTIVE') return usedAgain(deps, drain, host);
  if (host.taskCount === 0) return { changed: 0, behind: 0 };
  const told = await tell(deps, drain, await runningTasks(deps, drain));
  const running = told.tasks;
  const now = deps.clock.now();
  // What was given up is replaced, or not, by who gave it up.
  const replaceable = running.filter((task) => task.replaceable && !mayStillRun(task) && !stays(drain, task, now));
  const successors = await startSuccessors(deps, replaceable);
  const stopped = await stopThose(deps, drain, running, successors);
  const changed = successors.started + stopped;
  if (running.length > stopped && (await giveUp(deps, { drain, host, running, successors })))
    return { changed: changed + 1, behind: 0 };
  const behind = told.untold + replaceable.filter(({ id }) => !successors.known.has(id)).length;
  return progressOf(deps, drain, { changed, behind, left: running.length - stopped, running });
}

/** Protected, and from this drain: it is not the end of its machine. */
const stays = ({ purpose, deadline }: Drain, task: Task, now: number): boolean =>
  isProtected(task, now) && (purpose === 'consolidation' || deadline === undefined);

async function runningTasks({ table }: ControlDeps, { hostId }: Drain): Promise<Task[]> {
  const entries = await hostTasks(table, hostId);
  const tasks = await getTasks(
    table,
    entries.map(({ taskId }) => taskId),
  );
  return [...tasks.values()].filter(
    (task) => task.desired.status === 'RUNNING' && (lastStatus(task) !== 'STOPPED' || mayStillRun(task)),
  );
}

/** That it goes; a consolidation may yet be given up, and stops nothing but what runs elsewhere. */
const tell = (deps: ControlDeps, { purpose, deadline, reason }: Drain, tasks: readonly Task[]) =>
  tellTasks(deps, tasks, purpose === 'notice' ? compact({ stopsAt: deadline, reason }) : undefined);

/** Somebody took the host into use again: that ends the drain, unless the machine goes whatever people say. */
async function usedAgain(deps: ControlDeps, drain: Drain, host: HostCapacity): Promise<DrainProgress> {
  const againAt = deps.clock.now();
  if (drain.purpose === 'notice' && drain.deadline !== undefined) {
    const { outcome } = await deps.table.commit([setStatus(host, 'DRAINING')]);
    if (outcome === 'done') deps.capacity.learned({ ...host, status: 'DRAINING' });
    return { changed: 1, behind: host.taskCount, againAt };
  }
  const { untold } = await tellTasks(deps, await runningTasks(deps, drain), undefined);
  return untold === 0 ? end(deps, drain) : { changed: 0, behind: 0, againAt };
}

async function stopThose(
  deps: ControlDeps,
  drain: Drain,
  running: readonly Task[],
  { known }: Successors,
): Promise<number> {
  const { deadline = Infinity, stopCode, reason } = drain;
  const now = deps.clock.now();
  const isOver = now >= deadline;
  // Until the deadline a protected task may finish what it does, also beside its successor.
  const spares = (task: Task): boolean => (isOver ? stays(drain, task, now) : isProtected(task, now));
  let stopped = 0;
  for (const task of running) {
    const successor = known.get(task.id);
    const isReplaced = successor !== undefined && lastStatus(successor) === 'RUNNING';
    if ((!isOver && !isReplaced) || spares(task)) continue;
    const instead = isReplaced ? ` The task ${successor.id} runs instead.` : '';
    const asked = { stopCode, reason: `${reason}${instead}`, spares };
    const after = await stopTask(deps, task.cluster, task.id, asked);
    if (after !== undefined && after.desired.status !== 'STOPPED') continue; // Protected in this moment.
    const about = { taskId: task.id, hostId: task.hostId, successor: successor?.id, cluster: task.cluster };
    deps.log.info(about, isReplaced ? 'a task was replaced' : 'a task was stopped, as its host goes');
    stopped += 1;
  }
  return stopped;
}

interface Standing {
  readonly drain: Drain;
  readonly host: HostCapacity;
  readonly running: readonly Task[];
  readonly successors: Successors;
}

/** Takes the host into use again, unless a successor is on its way: then the task that it replaces must still be stopped. */
async function giveUp(deps: ControlDeps, { drain, host, running, successors }: Standing): Promise<boolean> {
  if (drain.giveUpAt === undefined || deps.clock.now() < drain.giveUpAt) return false;
  const isUnderWay = running.some(({ id }) => {
    const successor = successors.known.get(id);
    return successor !== undefined && lastStatus(successor) !== 'STOPPED';
  });
  if (isUnderWay) return false;
  const { outcome } = await deps.table.commit([setStatus(host, 'ACTIVE'), removeDrain(drain)]);
  if (outcome !== 'done') return false;
  deps.capacity.learned({ ...host, status: 'ACTIVE' });
  deps.activate('place-pending', drain.cluster);
  deps.log.warn(about(drain), 'a host could not be emptied in time and is used again');
  return true;
}

const about = ({ hostId, cluster, reason, purpose }: Drain): object => ({ hostId, cluster, reason, purpose });

function progressOf(
  { clock }: ControlDeps,
  { deadline = Infinity, giveUpAt = Infinity, startedAt }: Drain,
  { changed, behind, left, running }: Omit<DrainProgress, 'againAt'> & { left: number; running: readonly Task[] },
): DrainProgress {
  const now = clock.now();
  if (behind > 0) return { changed, behind, againAt: now };
  if (left === 0) return { changed, behind };
  const isWaiting = running.some((task) => task.replaceable === true && !isProtected(task, now));
  const protections = running.flatMap((task) => (isProtected(task, now) ? (task.protectedUntil ?? []) : []));
  const soon = now + Math.min(Math.max(lookAgainMs, (now - startedAt) / agePerLook), mostLookAgainMs);
  const at = [deadline, giveUpAt, ...protections].map((time) => (time <= now ? soon : time));
  const againAt = Math.min(...at, isWaiting ? soon : Infinity);
  return Number.isFinite(againAt) ? { changed, behind, againAt } : { changed, behind };
}

async function end(deps: ControlDeps, drain: Drain): Promise<DrainProgress> {
  const { outcome } = await deps.table.commit([removeDrain(drain)]);
  return { changed: outcome === 'done' ? 1 : 0, behind: 0 };
}
