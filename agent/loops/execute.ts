/**
 * Does one step of one task through the Runtime and puts its outcome into the ledger. What the step is was decided by core/plan; what
 * must be durable before which effect is ensured here. Never decides what comes next.
 */
import type { Logger } from 'pino';
import type { ProgressFrame } from '../../core/host-protocol.ts';
import type { LogLine } from '../../core/model/task.ts';
import type { LedgerTask } from '../../core/plan/ledger.ts';
import * as record from '../../core/plan/record.ts';
import type { StepFailure, TaskStep } from '../../core/plan/steps.ts';
import type { Clock } from '../clock.ts';
import type { Ledger } from '../ledger.ts';
import { type PullProgress, type Runtime, RuntimeFailure } from '../runtime.ts';
import type { Limiter } from './limiter.ts';
import type { Pulls } from './pulls.ts';

/** What a step has an effect on. */
export interface TaskHost {
  readonly runtime: Runtime;
  readonly ledger: Ledger;
  readonly pulls: Pulls;
  /** Room for steps that start something; removals have their own, so that a stop never queues behind starts. */
  readonly starts: Limiter;
  readonly removals: Limiter;
  readonly clock: Clock;
  /** /proc/sys/kernel/random/boot_id */
  readonly bootId: string;
  readonly log: Logger;
  /** The task's observation has changed: it is to be reported. */
  changed(task: LedgerTask): void;
  /** What the task held (ports among it) is free. */
  freed(): void;
  progress(frame: ProgressFrame): void;
}

/** Steps that do something; the others are the runner's. */
export type EffectStep = Exclude<TaskStep, { kind: 'record' | 'wait' | 'none' }>;
type StepOf<K extends EffectStep['kind']> = Extract<EffectStep, { kind: K }>;

/** Among tasks that wait for room: the one that is nearest to running. */
const urgency = { prepare: 1, create: 2, start: 3 } as const;
const startingKinds = { pull: true, ...urgency };

/** A step that takes longer makes one ask whether the machinery answers at all. */
const slowStepMs = 10_000;
const longestWriteMs = 2000;
const maxLastLines = 20;
const lastLinesTimeoutMs = 10_000;

/** ECS' name for a step that failed in a way the runtime did not foresee. */
const unforeseenKind = {
  pull: 'CannotPullContainerError',
  prepare: 'ResourceInitializationError',
  create: 'CannotCreateContainerError',
  start: 'CannotStartContainerError',
  signal: 'CannotStopContainerError',
  'remove-container': 'CannotStopContainerError',
  'remove-task': 'CannotStopContainerError',
} as const satisfies Record<EffectStep['kind'], string>;

/** The entry as it is now: the desired state may have changed while a step ran, so outcomes are always added to the newest. */
function entryOf(host: Pick<TaskHost, 'ledger'>, taskId: string): LedgerTask {
  const entry = host.ledger.get(taskId);
  if (entry === undefined) throw new Error(`task ${taskId} has left the ledger while a step of it ran`);
  return entry;
}

/** Keeps the entry; tells the reporter where a reader of its observation could tell. */
export function save(host: Pick<TaskHost, 'ledger' | 'changed'>, task: LedgerTask): void {
  const before = host.ledger.get(task.taskId);
  if (before === task) return;
  host.ledger.put(task);
  if (before?.sequence !== task.sequence) host.changed(task);
}

/**
 * Resolves when the outcome is in the ledger. `cancel` ends a pull and the wait for room, and then nothing is recorded. Answers false
 * where the step failed, so that the caller looks at what it has left.
 */
export async function executeStep(
  host: TaskHost,
  taskId: string,
  step: EffectStep,
  cancel: AbortSignal,
): Promise<boolean> {
  using _watch = watchForTrouble(host, taskId);
  try {
    if (step.kind === 'pull') return await pullAndPrepare(host, taskId, step, cancel);
    if (isStarting(step)) await bringUp(host, taskId, step, cancel);
    else await takeDown(host, taskId, step, cancel);
    return true;
  } catch (error) {
    const failure = failureOf(step, error);
    host.log.warn({ taskId, step, failure, err: error }, 'a step of a task failed');
    save(host, record.failed(entryOf(host, taskId), step, failure, host.clock.now()));
    return false;
  }
}

/** Where a step takes long because the machinery does not answer, the task says so. */
function watchForTrouble(host: TaskHost, taskId: string): Disposable {
  const over = new AbortController();
  const watch = async (): Promise<void> => {
    for (;;) {
      await host.clock.sleep(slowStepMs, over.signal);
      const reason = over.signal.aborted ? undefined : await host.runtime.trouble();
      const entry = host.ledger.get(taskId);
      if (over.signal.aborted || entry === undefined) return;
      if (reason !== undefined) save(host, record.waits(entry, reason, host.clock.now()));
    }
  };
  void watch();
  return { [Symbol.dispose]: () => over.abort('over') }; // Without a reason one is made, with its stack, for every step.
}

type StartingStep = StepOf<'pull' | 'prepare' | 'create' | 'start'>;

/** Steps that a newer desired state makes vain. */
export const isStarting = (step: EffectStep): step is StartingStep => step.kind in startingKinds;

async function bringUp(
  host: TaskHost,
  taskId: string,
  step: Exclude<StartingStep, { kind: 'pull' }>,
  cancel: AbortSignal,
): Promise<void> {
  const { spec } = entryOf(host, taskId);
  // A container that may run must be known to the ledger whatever crashes; awaited before room is taken, since a full disk can last.
  if (step.kind === 'start') await host.ledger.durable(taskId);
  await host.starts.run(urgency[step.kind], cancel, async () => {
    switch (step.kind) {
      case 'prepare': {
        const bindings = await host.runtime.prepareTask(spec);
        return save(host, record.prepared(entryOf(host, taskId), bindings, host.bootId));
      }
      case 'create': {
        const { runtimeId } = await host.runtime.createContainer(spec, step.container, step.image);
        return save(host, record.created(entryOf(host, taskId), step.container, runtimeId, host.clock.now()));
      }
      case 'start': {
        const { startedAt } = await host.runtime.startContainer(taskId, step.container);
        return save(host, record.started(entryOf(host, taskId), step.container, startedAt));
      }
    }
  });
}

async function takeDown(
  host: TaskHost,
  taskId: string,
  step: Exclude<EffectStep, StartingStep>,
  cancel: AbortSignal,
): Promise<void> {
  switch (step.kind) {
    case 'signal':
      await durableSoon(host, taskId);
      await host.runtime.signalContainer(taskId, step.container, step.signal);
      return save(host, record.signalled(entryOf(host, taskId), step.container, step.signal, host.clock.now()));
    case 'remove-container':
      await host.ledger.durable(taskId); // Its exit is nowhere else once it is gone.
      await host.removals.run(0, cancel, () => removeContainer(host, taskId, step.container));
      return;
    case 'remove-task':
      await host.removals.run(0, cancel, async () => {
        await host.runtime.removeTask(taskId);
        save(host, record.taskRemoved(entryOf(host, taskId), host.clock.now()));
        host.freed();
      });
  }
}

/**
 * After a crash nobody could tell an end that was asked for from one that came by itself. A disk that cannot be written must not keep
 * the task running, though.
 */
async function durableSoon({ ledger, clock }: TaskHost, taskId: string): Promise<void> {
  const written = new AbortController();
  await Promise.race([ledger.durable(taskId), clock.sleep(longestWriteMs, written.signal)]);
  written.abort('written');
}

async function removeContainer(host: TaskHost, taskId: string, container: string): Promise<void> {
  await host.runtime.removeContainer(taskId, container);
  const lines = await lastLines(host, taskId, container);
  save(host, record.containerRemoved(entryOf(host, taskId), container, lines));
}

async function lastLines(host: TaskHost, taskId: string, container: string): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  try {
    const signal = AbortSignal.timeout(lastLinesTimeoutMs);
    for await (const batch of host.runtime.readLogs(taskId, { container, tail: maxLastLines, follow: false, signal })) {
      lines.push(...batch);
    }
  } catch (error) {
    host.log.warn({ taskId, container, err: error }, 'the last log lines of a container cannot be read'); // It ends without them.
  }
  return lines;
}

/** A network that cannot be made ends the task, whatever becomes of its images: the pull is not waited for. */
async function pullAndPrepare(
  host: TaskHost,
  taskId: string,
  step: StepOf<'pull'>,
  cancel: AbortSignal,
): Promise<boolean> {
  if (!step.mayPrepare) return await pullImages(host, taskId, step, cancel);
  const isVain = new AbortController();
  const prepare = async (): Promise<boolean> => {
    const isDone = await executeStep(host, taskId, { kind: 'prepare' }, cancel);
    if (entryOf(host, taskId).stop !== undefined) isVain.abort();
    return isDone;
  };
  const pull = pullImages(host, taskId, step, AbortSignal.any([cancel, isVain.signal]));
  return (await Promise.all([pull, prepare()])).every(Boolean);
}

async function pullImages(
  host: TaskHost,
  taskId: string,
  { images }: StepOf<'pull'>,
  cancel: AbortSignal,
): Promise<boolean> {
  const startedAt = host.clock.now();
  const pullOne = async (reference: string): Promise<boolean> => {
    const onProgress = (progress: PullProgress) => {
      if (progress.phase === 'downloading' || progress.waitsFor !== undefined)
        save(host, record.pullBegan(entryOf(host, taskId), startedAt));
      for (const container of entryOf(host, taskId).spec.containers) {
        if (container.image !== reference) continue;
        host.progress({ kind: 'progress', taskId, container: container.name, image: reference, ...progress });
      }
    };
    try {
      const { registryCredentials: credentials } =
        entryOf(host, taskId).spec.containers.find(({ image }) => image === reference) ?? {};
      const image = await host.pulls.pull({ reference, credentials }, onProgress, cancel);
      save(host, record.pulled(entryOf(host, taskId), image, { startedAt, now: host.clock.now() }));
      return true;
    } catch (error) {
      if (cancel.aborted) return true; // Nobody wants it any more: neither had nor failed.
      const failure = failureOf({ kind: 'pull', images, mayPrepare: false }, error);
      host.log.warn({ taskId, image: reference, failure }, 'an image cannot be pulled');
      const times = { startedAt, now: host.clock.now() };
      save(host, record.pullFailed(entryOf(host, taskId), reference, failure, times));
      return false;
    }
  };
  return (await Promise.all(images.map(pullOne))).every(Boolean);
}

function failureOf(step: EffectStep, error: unknown): StepFailure {
  if (error instanceof RuntimeFailure)
    return { kind: error.kind, message: error.message, retryable: error.retryable, isAway: error.isAway };
  const message = error instanceof Error ? error.message : String(error);
  return { kind: unforeseenKind[step.kind], message, retryable: false };
}
