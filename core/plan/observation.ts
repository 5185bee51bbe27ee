/**
 * The observation that an agent reports, derived from the facts of its ledger, and the one way to change a ledger entry: `change`,
 * which counts the observation's sequence. Never reads a clock and never invents a fact.
 */
import { compact } from '../compact.ts';
import type { ReportedTask } from '../host-protocol.ts';
import type { ContainerObservation, ObservedStatus, TaskObservation } from '../model/task.ts';
import type { LedgerContainer, LedgerTask } from './ledger.ts';

/**
 * It could not be started, and nothing of it is left to clear away. Until then it may run after all: the call that failed may have
 * had its effect.
 */
const hasFailed = ({ failure, runtimeId, removed }: LedgerContainer): boolean =>
  failure !== undefined && (runtimeId === undefined || removed);

/** Its process is gone, or it has none and will never have one. */
export function hasEnded(task: Pick<LedgerTask, 'stop'>, container: LedgerContainer): boolean {
  if (container.startedAt !== undefined) return container.end !== undefined;
  return hasFailed(container) || (task.stop !== undefined && container.failure === undefined);
}

export const isRunning = (container: LedgerContainer): boolean =>
  container.startedAt !== undefined && container.end === undefined;

function statusOf(task: LedgerTask): ObservedStatus {
  if (task.removedAt !== undefined) return 'STOPPED';
  if (task.stop !== undefined) {
    return task.containers.every((container) => hasEnded(task, container)) ? 'DEPROVISIONING' : 'STOPPING';
  }
  return task.startedAt === undefined ? 'PENDING' : 'RUNNING';
}

/** A reason only where something went wrong: clients take any reason for a failure (client-expectations.md 6). */
function reasonOf(container: LedgerContainer): string | undefined {
  if (container.failure !== undefined) return container.failure;
  if (container.end?.oomKilled === true && container.end.exitCode !== 0) {
    return 'OutOfMemoryError: Container killed due to memory usage';
  }
  return undefined;
}

function observeContainer(task: LedgerTask, container: LedgerContainer): ContainerObservation {
  const ended = hasEnded(task, container);
  return compact({
    name: container.name,
    status: ended ? ('STOPPED' as const) : isRunning(container) ? ('RUNNING' as const) : ('PENDING' as const),
    runtimeId: container.runtimeId,
    imageDigest: container.imageDigest,
    exitCode: container.end?.exitCode,
    oomKilled: container.end?.oomKilled,
    reason: reasonOf(container),
    networkBindings: container.startedAt === undefined ? [] : container.networkBindings,
    startedAt: container.startedAt,
    stoppedAt: container.end?.at,
    lastLogLines: container.lastLogLines,
  });
}

/** When the first essential container ended: ECS' executionStoppedAt. */
function executionStoppedAt(task: LedgerTask): number | undefined {
  const essential = new Set(task.spec.containers.filter((spec) => spec.essential).map((spec) => spec.name));
  const ends = task.containers.flatMap(({ name, end }) => (essential.has(name) && end !== undefined ? [end.at] : []));
  return ends.length === 0 ? undefined : Math.min(...ends);
}

export function observationOf(task: LedgerTask): TaskObservation {
  return compact({
    status: statusOf(task),
    sequence: task.sequence,
    containers: task.containers.map((container) => observeContainer(task, container)),
    acceptedAt: task.acceptedAt,
    pullStartedAt: task.pullStartedAt,
    pullStoppedAt: task.pullStoppedAt,
    startedAt: task.startedAt,
    stoppingAt: task.stop?.at,
    executionStoppedAt: executionStoppedAt(task),
    stoppedAt: task.removedAt,
    stopCode: task.stop?.stopCode,
    stoppedReason: task.stop?.reason,
    waiting: task.retry?.waiting,
  });
}

/** The entry with these members replaced (undefined takes one away); the sequence grows if a reader of the observation can tell. */
export function change(task: LedgerTask, members: Partial<LedgerTask>): LedgerTask {
  const changed: LedgerTask = compact({ ...task, ...members });
  const differs = JSON.stringify(observationOf(task)) !== JSON.stringify(observationOf(changed));
  return differs ? { ...changed, sequence: task.sequence + 1 } : changed;
}

/** After a step of the container: nothing is left to be tried again. */
export function changeContainer(task: LedgerTask, name: string, members: Partial<LedgerContainer>): LedgerTask {
  const containers = replaceContainers(task, (container) => container.name === name, members);
  return change(task, { containers, retry: undefined });
}

/** The task's containers with these members replaced in those that match. */
export function replaceContainers(
  task: LedgerTask,
  matches: (container: LedgerContainer) => boolean,
  members: Partial<LedgerContainer>,
): LedgerContainer[] {
  return task.containers.map(
    (container): LedgerContainer => (matches(container) ? compact({ ...container, ...members }) : container),
  );
}

/** What the next report says of the task; undefined when the control plane has accepted all of it. */
export function reportOf(task: LedgerTask, options: { readonly full: boolean }): ReportedTask | undefined {
  if (!options.full && task.acknowledgedSequence >= task.sequence) return undefined;
  return { taskId: task.taskId, desiredVersion: task.desired.version, observation: observationOf(task) };
}

/** After a report was accepted. */
export function acknowledge(task: LedgerTask, sequence: number): LedgerTask {
  return sequence <= task.acknowledgedSequence ? task : { ...task, acknowledgedSequence: sequence };
}
