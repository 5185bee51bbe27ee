/**
 * Brings the host's desired set and its ledger together: asks core/plan/host.ts what is to be done and does it, removals first. Owns
 * the last set that was fetched; leaves the tasks themselves to their runners.
 */
import type { DesiredSet, DesiredTask } from '../../core/host-protocol.ts';
import type { FoundTask } from '../../core/plan/found.ts';
import { letGo, planHost } from '../../core/plan/host.ts';
import type { LedgerTask } from '../../core/plan/ledger.ts';
import { replaceContainers } from '../../core/plan/observation.ts';
import type { HostStep } from '../../core/plan/steps.ts';
import { save, type TaskHost } from './execute.ts';
import type { Tasks } from './tasks.ts';

export interface HostPlan {
  /**
   * To be called before a fetch is sent. A task that is forgotten while the fetch is under way may still be in its answer, and would
   * be taken for a new one and run a second time: the answer is cleansed of it.
   */
  fetchBegins(): void;
  /** The answer of a fetch; undefined where it said that nothing has changed. */
  apply(fetched: DesiredSet | undefined, options: { isStoreKnown: boolean }): Promise<void>;
  /** The control plane has forgotten the task. */
  letGo(taskId: string): void;
}

export function createHostPlan(host: TaskHost, tasks: Tasks, forgotten: (taskId: string) => void): HostPlan {
  let desired: readonly DesiredTask[] = [];
  let isCleared = false;
  let forgottenSinceFetch = new Set<string>();

  const plan = (found: readonly FoundTask[] | undefined, epochKnown: boolean): HostStep[] =>
    planHost({ desired, ledger: host.ledger.all(), found, epochKnown, now: host.clock.now(), bootId: host.bootId });

  const forget = (taskId: string): void => {
    host.ledger.drop(taskId);
    forgottenSinceFetch.add(taskId);
    desired = desired.filter((task) => task.taskId !== taskId);
    forgotten(taskId);
  };

  const keep = (task: LedgerTask): void => {
    save(host, task);
    tasks.advance(task.taskId);
  };

  const execute = (step: HostStep): void => {
    if (step.kind === 'forget') forget(step.taskId);
    if (step.kind === 'update') keep(step.task);
    if (step.kind === 'accept') {
      keep(host.ledger.unreadable.has(step.task.taskId) ? withoutStarts(step.task) : step.task);
    }
    // remove-stray was done before the others, see `clear`.
  };

  /** Takes away what is neither in the ledger nor desired. Answers false where something of it may be left. */
  const clear = async (found: readonly FoundTask[]): Promise<boolean> => {
    const strays = plan(found, true).flatMap((step) => (step.kind === 'remove-stray' ? [step.taskId] : []));
    const removals = strays.map(async (taskId) => {
      host.log.warn({ taskId }, 'containers of a task that nobody knows are removed');
      await host.runtime.removeTask(taskId);
    });
    const results = await Promise.allSettled(removals);
    const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
    for (const failure of failures) host.log.error({ err: failure }, 'a task that nobody knows cannot be removed');
    return failures.length === 0;
  };

  /** Of a task whose entry was lost and which nobody desires: nothing of it is left on the host now, so nothing need be remembered. */
  const forgetLost = (): void => {
    const wanted = new Set(desired.map(({ taskId }) => taskId));
    for (const taskId of host.ledger.unreadable)
      if (!wanted.has(taskId) && host.ledger.get(taskId) === undefined) host.ledger.drop(taskId);
  };

  return {
    fetchBegins() {
      forgottenSinceFetch = new Set();
    },
    async apply(fetched, { isStoreKnown }) {
      if (fetched !== undefined) desired = fetched.tasks.filter(({ taskId }) => !forgottenSinceFetch.has(taskId));
      // Once after the agent's start is enough: from then on everything on the host comes from the ledger.
      const found = isCleared || !isStoreKnown ? undefined : await host.runtime.inventory();
      if (found !== undefined) {
        isCleared = await clear(found);
        if (isCleared) forgetLost();
      }
      for (const step of plan(found, isStoreKnown)) execute(step);
    },
    letGo(taskId) {
      const task = host.ledger.get(taskId);
      const step = task === undefined ? undefined : letGo(task, host.clock.now());
      if (step !== undefined) execute(step);
    },
  };
}

/**
 * A task that was here before and whose entry was lost. What was found of it is adopted; a container that was not found may have run
 * and been removed, so it is never started.
 */
function withoutStarts(task: LedgerTask): LedgerTask {
  const failure = 'ContainerVanishedError: the agent’s record of this task was unreadable';
  return { ...task, containers: replaceContainers(task, ({ runtimeId }) => runtimeId === undefined, { failure }) };
}
