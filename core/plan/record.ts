/**
 * How the outcome of a step enters the ledger: one function an outcome, each answering the new entry. None decides what follows;
 * that is next-step.ts. A second call with the same outcome changes nothing that was reported.
 */
import { compact } from '../compact.ts';
import type { LogLine, NetworkBinding } from '../model/task.ts';
import type { LedgerContainer, LedgerTask } from './ledger.ts';
import { change, changeContainer, hasEnded, replaceContainers } from './observation.ts';
import type { StepFailure, TaskStep } from './steps.ts';

/** Tries of a step that may succeed later, before the container is given up: some 13 s of pauses, and what the tries themselves take. */
const maxAttempts = 7;
const firstRetryMs = 200;
/** While containerd is away. It is asked by a call that fails at once. */
const shortestWaitMs = 500;
const longestWaitMs = 15_000;
/** Signals and removals: what waits behind them is a container that should be gone. */
const longestStopRetryMs = 5_000;

/** ECS' limit of a container's reason. */
const maxReasonLength = 1024;
const maxLogLines = 20;
/** Of all lines together, in UTF-16 units. */
const maxLogLength = 4096;

/** The image was not on the host and its download has begun: visible before `pulled`. Optional. */
export function pullBegan(task: LedgerTask, now: number): LedgerTask {
  return task.pullStartedAt === undefined ? change(task, { pullStartedAt: now }) : task;
}

const usesImage =
  (task: LedgerTask, reference: string) =>
  ({ name }: LedgerContainer): boolean =>
    task.spec.containers.some((spec) => spec.name === name && spec.image === reference);

export const needsPull = (container: LedgerContainer): boolean =>
  container.imageDigest === undefined && container.failure === undefined;

function pullSettled(
  task: LedgerTask,
  containers: LedgerContainer[],
  times: { readonly startedAt: number; readonly now: number },
): LedgerTask {
  return change(task, {
    containers,
    retry: undefined,
    pullStartedAt: task.pullStartedAt ?? times.startedAt,
    ...(containers.some(needsPull) ? {} : { pullStoppedAt: task.pullStoppedAt ?? times.now }),
  });
}

/** `startedAt`: when the pull step began; it counts where `pullBegan` was not called. */
export function pulled(
  task: LedgerTask,
  image: { readonly reference: string; readonly digest: string },
  times: { readonly startedAt: number; readonly now: number },
): LedgerTask {
  const containers = replaceContainers(task, usesImage(task, image.reference), { imageDigest: image.digest });
  return pullSettled(task, containers, times);
}

export function pullFailed(
  task: LedgerTask,
  reference: string,
  failure: StepFailure,
  times: { readonly startedAt: number; readonly now: number },
): LedgerTask {
  const begun = pullBegan(task, times.startedAt);
  if (failure.isAway === true) return waits(begun, reasonText(failure), times.now);
  if (mayRetry(task, failure)) return later(begun, times.now);
  const containers = replaceContainers(task, usesImage(task, reference), { failure: reasonText(failure) });
  return pullSettled(task, containers, times);
}

export function prepared(
  task: LedgerTask,
  bindings: Readonly<Record<string, readonly NetworkBinding[]>>,
  bootId: string,
): LedgerTask {
  const containers = task.containers.map((container) => ({
    ...container,
    networkBindings: [...(bindings[container.name] ?? [])],
  }));
  // While images are being pulled, what is to be tried again is a pull.
  return change(task, { containers, bootId, retry: containers.some(needsPull) ? task.retry : undefined });
}

export function created(task: LedgerTask, container: string, runtimeId: string, createdAt?: number): LedgerTask {
  return changeContainer(task, container, compact({ runtimeId, createdAt }));
}

export function started(task: LedgerTask, container: string, startedAt: number): LedgerTask {
  const containers = replaceContainers(task, ({ name }) => name === container, { startedAt });
  return change(task, { ...reachSteadyState({ ...task, containers }, startedAt), retry: undefined });
}

/** The machinery does not answer: however long that lasts, the step is tried again, ever more seldom. */
export function waits(task: LedgerTask, reason: string, now: number): LedgerTask {
  const { attempts = 0, waiting } = task.retry ?? {};
  const since = waiting?.since ?? now;
  const delayMs = Math.min(Math.max((now - since) / 4, shortestWaitMs), longestWaitMs);
  return change(task, { retry: { attempts, notBefore: now + delayMs, waiting: { since, reason } } });
}

/** Sets when the task became RUNNING: once each container runs, or has done all that it will do. */
export function reachSteadyState(task: LedgerTask, now: number): LedgerTask {
  if (task.startedAt !== undefined || task.stop !== undefined) return task;
  const steady = task.containers.every((each) => each.startedAt !== undefined || hasEnded(task, each));
  return steady ? change(task, { startedAt: now }) : task;
}

export function signalled(task: LedgerTask, container: string, signal: 'stop' | 'kill', now: number): LedgerTask {
  const members = signal === 'stop' ? { stopSignalledAt: now } : { killSignalledAt: now };
  return changeContainer(task, container, members);
}

/** `lines`: the last that it wrote; as many of the newest are kept as an observation may carry. */
export function containerRemoved(task: LedgerTask, container: string, lines: readonly LogLine[]): LedgerTask {
  const kept = newestLines(lines);
  return changeContainer(task, container, {
    removed: true,
    lastLogLines: kept.length === 0 ? undefined : kept,
  });
}

export function taskRemoved(task: LedgerTask, now: number): LedgerTask {
  const containers = replaceContainers(task, () => true, { removed: true });
  return change(task, { containers, retry: undefined, removedAt: task.removedAt ?? now });
}

/**
 * A step other than a pull failed. Look at the containers before the next one, since it may have had its effect. A pull that was
 * aborted because the task is to stop has not failed: record nothing.
 */
export function failed(task: LedgerTask, step: TaskStep, failure: StepFailure, now: number): LedgerTask {
  if (failure.isAway === true) return waits(task, reasonText(failure), now);
  const starts = step.kind === 'prepare' || step.kind === 'create' || step.kind === 'start';
  // Signals and removals are tried until they succeed: giving up would leave a container running.
  if (!starts) return later(task, now, longestStopRetryMs);
  if (mayRetry(task, failure)) return later(task, now);
  if (step.kind === 'prepare') {
    // Not one container's fault, so it is the task's reason.
    const stop = { at: now, stopCode: 'TaskFailedToStart' as const, reason: reasonText(failure) };
    return change(task, { retry: undefined, stop: task.stop ?? stop });
  }
  return changeContainer(task, step.container, { failure: reasonText(failure) });
}

const reasonText = (failure: StepFailure): string => `${failure.kind}: ${failure.message}`.slice(0, maxReasonLength);

const mayRetry = (task: LedgerTask, failure: StepFailure): boolean =>
  failure.retryable && (task.retry?.attempts ?? 0) + 1 < maxAttempts;

function later(task: LedgerTask, now: number, longestMs: number = Number.POSITIVE_INFINITY): LedgerTask {
  const attempts = (task.retry?.attempts ?? 0) + 1;
  const delayMs = Math.min(firstRetryMs * 2 ** Math.min(attempts - 1, 20), longestMs);
  return change(task, { retry: { attempts, notBefore: now + delayMs } });
}

function newestLines(lines: readonly LogLine[]): LogLine[] {
  const kept: LogLine[] = [];
  let room = maxLogLength;
  for (const line of lines.slice(-maxLogLines).reverse()) {
    if (room <= 0) break;
    const text = line.text.slice(0, room);
    room -= text.length;
    const { at, container, stream, approximate } = line;
    kept.unshift({ at, container, stream, text, ...(approximate === true && { approximate }) });
  }
  return kept;
}
