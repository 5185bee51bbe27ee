/**
 * The loop of one task: look, ask core/plan for the next step, do it, look again; one step in flight, at its own pace. Events (an
 * exit, a newer desired state) only ring its bell. It ends when nothing of the task is left on the host, or with the signal.
 */
import type { ContainerStates } from '../../core/plan/found.ts';
import type { LedgerTask } from '../../core/plan/ledger.ts';
import { nextStep } from '../../core/plan/next-step.ts';
import { backoffMs } from './backoff.ts';
import { createBell, ringAfter } from './bell.ts';
import { type EffectStep, executeStep, isStarting, save, type TaskHost } from './execute.ts';
import { awaitsPort } from './ports.ts';

/** The runtime cannot be asked (containerd is away): its answer is awaited, never guessed. It says when it may be asked again. */
const askAgain = { firstMs: 1000, longestMs: 15_000 };
/** Timers hold no more than some weeks, and the clock may have been set meanwhile. */
const longestWaitMs = 3600_000;

export interface TaskRunner {
  /** Something may have changed: look at the ledger again. A step that a newer desired state makes vain is cancelled. */
  advance(): void;
  /** A container of the task may have exited. */
  exitSeen(): void;
  /** Another task has given its ports back. */
  portsFreed(): void;
  readonly ended: Promise<void>;
}

export function runTask(host: TaskHost, taskId: string, signal: AbortSignal): TaskRunner {
  const bell = createBell();
  let isStepVain = new AbortController();
  /** Whether what the runtime says of its containers may differ from what the ledger knows. */
  let isInDoubt = true;
  let isAwaitingPort = false;

  const look = async (task: LedgerTask): Promise<ContainerStates> => {
    if (!isInDoubt) return new Map();
    isInDoubt = false; // Before asking: an exit during the question is a new doubt.
    const alive = task.containers.filter(({ runtimeId, end }) => runtimeId !== undefined && end === undefined);
    const states = alive.map(async ({ name }) => {
      return [name, (await host.runtime.containerState(taskId, name)) ?? 'absent'] as const;
    });
    return new Map(await Promise.all(states));
  };

  const wait = async (milliseconds: number | undefined): Promise<void> => {
    using _timer =
      milliseconds === undefined ? undefined : ringAfter(bell, Math.min(milliseconds, longestWaitMs), host.clock);
    await bell.rung(signal);
  };

  const execute = async (step: EffectStep): Promise<void> => {
    isStepVain = new AbortController();
    const cancel = isStarting(step) ? AbortSignal.any([signal, isStepVain.signal]) : signal;
    const isDone = await executeStep(host, taskId, step, cancel);
    if (!isDone) isInDoubt = true;
  };

  /** Answers false once there is nothing more to do. */
  const advanceOnce = async (): Promise<boolean> => {
    const before = host.ledger.get(taskId);
    if (before === undefined) return false;
    const states = await look(before);
    const task = host.ledger.get(taskId);
    if (task === undefined) return false;
    const now = host.clock.now();
    const step = nextStep(task, { states, now, bootId: host.bootId });
    switch (step.kind) {
      case 'none':
        return false;
      case 'record':
        save(host, step.task);
        return true;
      case 'wait':
        await wait(step.untilMs === undefined ? undefined : step.untilMs - now);
        return true;
      case 'pull':
        // Whoever must wait for a port can pull meanwhile.
        await execute({ ...step, mayPrepare: step.mayPrepare && !awaitsPort(task, host.ledger.all()) });
        return true;
      case 'prepare':
      case 'create':
      case 'start':
      case 'signal':
      case 'remove-container':
      case 'remove-task':
        isAwaitingPort = step.kind === 'prepare' && awaitsPort(task, host.ledger.all());
        if (isAwaitingPort) await wait(undefined);
        else await execute(step);
        return true;
    }
  };

  const run = async (): Promise<void> => {
    for (let failures = 0; !signal.aborted; ) {
      try {
        if (!(await advanceOnce())) return;
        failures = 0;
      } catch (error) {
        host.log.error({ taskId, failures, err: error }, 'a task cannot be advanced now; it is tried again');
        isInDoubt = true;
        await wait(backoffMs(failures, askAgain, Math.random));
        failures += 1;
      }
    }
  };

  return {
    advance() {
      if (host.ledger.get(taskId)?.desired.status === 'STOPPED') isStepVain.abort();
      bell.ring();
    },
    exitSeen() {
      isInDoubt = true;
      bell.ring();
    },
    portsFreed() {
      if (isAwaitingPort) bell.ring();
    },
    ended: run(),
  };
}
