/**
 * One task's next step on its host, from its ledger entry and what is seen of its containers. Decides and never acts: no clock, no
 * machinery. Removals and signals never wait for starts; what was decided (a stop, an end) is never taken back.
 */
import { runEndsAt } from '../model/task-limits.ts';
import type { ContainerSpec } from '../model/task-spec.ts';
import { formatDuration } from '../text.ts';
import { absorb } from './absorb.ts';
import type { LedgerContainer, LedgerTask } from './ledger.ts';
import { change, isRunning } from './observation.ts';
import { dependentsOf, judgeDependencies } from './order.ts';
import { needsPull, reachSteadyState } from './record.ts';
import type { TaskStep, World } from './steps.ts';

/** A process that does not die of SIGKILL (it hangs in the kernel) is killed again after this. */
const killAgainMs = 10_000;

/** The step to execute now; steps.ts says how, and what to do with its outcome. */
export function nextStep(task: LedgerTask, world: World): TaskStep {
  if (task.removedAt !== undefined) return { kind: 'none' };
  const known = decide(absorb(task, world), world.now);
  if (known !== task) return { kind: 'record', task: known };
  if (task.retry !== undefined && world.now < task.retry.notBefore) {
    const endsAt = task.stop === undefined ? timeoutAt(task) : Number.POSITIVE_INFINITY;
    return waitUntil(Math.min(task.retry.notBefore, endsAt));
  }
  return task.stop === undefined ? startingStep(task, world.now) : stoppingStep(task, world.now);
}

/** Decides that the task is to stop, or that it is RUNNING, from the facts alone. */
function decide(task: LedgerTask, now: number): LedgerTask {
  if (task.stop !== undefined) return task;
  if (task.desired.status === 'STOPPED') return stopTask(task, { at: now });
  const essential = task.containers.filter((container) => specOf(task, container).essential);
  const ended = essential.filter(({ end }) => end !== undefined);
  if (ended.length > 0)
    return stopTask(task, { at: now, stopCode: 'EssentialContainerExited', reason: exitReason(ended) });
  const blocked = blockedContainers(task, now);
  if (blocked.size > 0 || essential.some(({ failure }) => failure !== undefined)) {
    const containers = task.containers.map((container): LedgerContainer => {
      const why = blocked.get(container.name);
      return why === undefined ? container : { ...container, failure: `TaskDependencyError: ${why}` };
    });
    return stopTask(
      { ...task, containers },
      { at: now, stopCode: 'TaskFailedToStart', reason: 'Task failed to start' },
    );
  }
  if (now >= timeoutAt(task)) {
    return stopTask(task, { at: now, stopCode: timeoutStopCode, reason: timeoutReason(task) });
  }
  return reachSteadyState(task, now);
}

/** ECS' sentence; with what is known where nobody can say how it ended. */
function exitReason(ended: readonly LedgerContainer[]): string {
  const lost = ended.find(({ end }) => end?.exitCode === undefined);
  const detail = lost?.failure === undefined ? '' : ` (container '${lost.name}': ${lost.failure})`;
  return `Essential container in task exited${detail}`;
}

/** Of ECS' codes the one for what the system ends by a rule that it was given; the reason says which rule. */
const timeoutStopCode = 'ServiceSchedulerInitiated';

const timeoutReason = ({ spec: { timeoutSeconds = 0 } }: LedgerTask): string =>
  `TaskTimedOut: it ran for ${formatDuration(timeoutSeconds * 1000)}, the longest that it may`;

const timeoutAt = ({ spec: { timeoutSeconds }, containers }: LedgerTask): number =>
  runEndsAt(timeoutSeconds, containers) ?? Number.POSITIVE_INFINITY;

/** A pending retry belongs to a step that no longer matters. */
const stopTask = (task: LedgerTask, stop: NonNullable<LedgerTask['stop']>): LedgerTask =>
  change(task, { stop, retry: undefined });

const specOf = (task: LedgerTask, container: LedgerContainer): ContainerSpec => {
  const spec = task.spec.containers.find(({ name }) => name === container.name);
  if (spec === undefined)
    throw new Error(`task ${task.taskId}: the ledger's container '${container.name}' has no spec`);
  return spec;
};

const awaitsStart = ({ startedAt, failure }: LedgerContainer): boolean =>
  startedAt === undefined && failure === undefined;

/** Containers whose dependencies can no longer be met, with why. */
function blockedContainers(task: LedgerTask, now: number): ReadonlyMap<string, string> {
  const blocked = new Map<string, string>();
  for (const container of task.containers.filter(awaitsStart)) {
    const dependencies = judgeDependencies(task, container.name, now);
    if (dependencies.state === 'impossible') blocked.set(container.name, dependencies.why);
  }
  return blocked;
}

/**
 * Images first, so that a task whose image is missing has run nothing; then each container as soon as it may start. The network needs
 * no image: it can be there by the time the registry has answered.
 */
function startingStep(task: LedgerTask, now: number): TaskStep {
  const lacking = task.containers.filter(needsPull).map((container) => specOf(task, container).image);
  if (lacking.length > 0) {
    return { kind: 'pull', images: [...new Set(lacking)], mayPrepare: task.bootId === undefined };
  }
  if (task.bootId === undefined) return { kind: 'prepare' };
  let untilMs = timeoutAt(task);
  for (const container of task.containers.filter(awaitsStart)) {
    const dependencies = judgeDependencies(task, container.name, now);
    if (dependencies.state === 'met') return startContainer(task, container);
    if (dependencies.state === 'waiting' && dependencies.untilMs !== undefined) {
      untilMs = Math.min(untilMs, dependencies.untilMs);
    }
  }
  return removeEnded(task) ?? waitUntil(untilMs);
}

function startContainer(task: LedgerTask, container: LedgerContainer): TaskStep {
  if (container.runtimeId !== undefined) return { kind: 'start', container: container.name };
  const image = { reference: specOf(task, container).image, digest: container.imageDigest ?? '' };
  return { kind: 'create', container: container.name, image };
}

/** Signals in the reverse order of dependsOn (by force: to all), then what has ended is cleared away, at last the task itself. */
function stoppingStep(task: LedgerTask, now: number): TaskStep {
  const living = task.containers.filter(isRunning);
  let untilMs = Number.POSITIVE_INFINITY;
  for (const container of living) {
    const dependents = dependentsOf(task.spec, container.name);
    if (!isForced(task) && living.some(({ name }) => dependents.has(name))) continue;
    const due = signalDue(task, container);
    if (now >= due.atMs) return { kind: 'signal', container: container.name, signal: due.signal };
    untilMs = Math.min(untilMs, due.atMs);
  }
  const removal = removeEnded(task);
  if (removal !== undefined) return removal;
  return living.length === 0 ? { kind: 'remove-task' } : waitUntil(untilMs);
}

const isForced = ({ desired }: LedgerTask): boolean => desired.force === true;

function signalDue(task: LedgerTask, container: LedgerContainer): { signal: 'stop' | 'kill'; atMs: number } {
  if (container.killSignalledAt !== undefined) {
    return { signal: 'kill', atMs: container.killSignalledAt + killAgainMs };
  }
  if (isForced(task)) return { signal: 'kill', atMs: Number.NEGATIVE_INFINITY };
  if (container.stopSignalledAt === undefined) return { signal: 'stop', atMs: Number.NEGATIVE_INFINITY };
  return { signal: 'kill', atMs: container.stopSignalledAt + specOf(task, container).stopTimeoutSeconds * 1000 };
}

/** What ended, and what could not be started once it was created. */
function removeEnded(task: LedgerTask): TaskStep | undefined {
  const ended = task.containers.find(
    ({ end, removed, failure, runtimeId, startedAt }) =>
      !removed && (end !== undefined || (failure !== undefined && runtimeId !== undefined && startedAt === undefined)),
  );
  return ended === undefined ? undefined : { kind: 'remove-container', container: ended.name };
}

const waitUntil = (untilMs: number): TaskStep =>
  untilMs === Number.POSITIVE_INFINITY ? { kind: 'wait' } : { kind: 'wait', untilMs };
