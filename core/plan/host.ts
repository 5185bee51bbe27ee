/**
 * The host's plan: what its control plane desires against what its ledger knows and what exists on it. Removals come before
 * additions. Plans the set of tasks only; how one task advances is next-step.ts. Never stops or removes anything on the word of a
 * store that this host does not know.
 */
import type { DesiredTask } from '../host-protocol.ts';
import type { Desired } from '../model/task.ts';
import type { FoundTask } from './found.ts';
import { type LedgerTask, ledgerSchemaVersion } from './ledger.ts';
import { change } from './observation.ts';
import type { HostSituation, HostStep } from './steps.ts';

export function planHost(situation: HostSituation): HostStep[] {
  if (!situation.epochKnown) return [];
  const desired = new Map(situation.desired.map((task) => [task.taskId, task]));
  const ledger = new Map(situation.ledger.map((task) => [task.taskId, task]));
  const found = new Map((situation.found ?? []).map((task) => [task.taskId, task]));

  const strays = [...found.keys()].filter((taskId) => !ledger.has(taskId) && !desired.has(taskId));
  const unwanted = situation.ledger
    .filter(({ taskId }) => !desired.has(taskId))
    .flatMap((task) => letGo(task, situation.now) ?? []);
  const updates = situation.ledger.flatMap((task): HostStep[] => {
    const updated = applyDesired(task, desired.get(task.taskId)?.desired);
    return updated === task ? [] : [{ kind: 'update', task: updated }];
  });
  const accepts = situation.desired
    .filter(({ taskId }) => !ledger.has(taskId))
    .map((task): HostStep => ({ kind: 'accept', task: acceptTask(task, found.get(task.taskId), situation) }));

  const stops = updates.filter(isStop);
  return [
    ...strays.map((taskId): HostStep => ({ kind: 'remove-stray', taskId })),
    ...unwanted,
    ...stops,
    ...updates.filter((step) => !isStop(step)),
    ...accepts,
  ];
}

const isStop = (step: HostStep): boolean => step.kind === 'update' && step.task.desired.status === 'STOPPED';

/**
 * What to do with a task that left the desired set, or that a report's answer says to forget: its entry is dropped once nothing of
 * it is left on the host. Undefined while it is still stopping.
 */
export function letGo(task: LedgerTask, now: number): HostStep | undefined {
  if (task.removedAt !== undefined) return { kind: 'forget', taskId: task.taskId };
  if (task.desired.status === 'STOPPED') return undefined;
  const desired: Desired = {
    status: 'STOPPED',
    version: task.desired.version,
    at: now,
    reason: "no longer in the host's desired set",
  };
  return { kind: 'update', task: change(task, { desired }) };
}

/** The greater version wins; STOPPED is never taken back. A new version is a new sequence, since the report acknowledges it. */
export function applyDesired(task: LedgerTask, desired: Desired | undefined): LedgerTask {
  if (desired === undefined || desired.version <= task.desired.version) return task;
  if (task.desired.status === 'STOPPED' && desired.status === 'RUNNING') return task;
  return { ...task, desired, sequence: task.sequence + 1 };
}

/**
 * The first ledger entry of a task. Containers that exist although the ledger knows nothing (its entry was lost) are adopted as they
 * are: the next step learns whether they run or have ended.
 */
export function acceptTask(
  task: DesiredTask,
  found: FoundTask | undefined,
  host: { readonly now: number; readonly bootId: string },
): LedgerTask {
  const containers = task.spec.containers.map(({ name }) => {
    const existing = found?.containers.find((container) => container.name === name);
    return {
      name,
      networkBindings: [...(found?.networkBindings[name] ?? [])],
      removed: false,
      ...(existing === undefined ? {} : { imageDigest: existing.imageDigest, runtimeId: existing.runtimeId }),
    };
  });
  return {
    schemaVersion: ledgerSchemaVersion,
    taskId: task.taskId,
    spec: task.spec,
    desired: task.desired,
    acceptedAt: host.now,
    ...(found === undefined || found.containers.length === 0 ? {} : { bootId: host.bootId }),
    containers,
    sequence: 1,
    acknowledgedSequence: 0,
  };
}
