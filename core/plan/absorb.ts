/**
 * What the host's machinery says of a task's containers enters the ledger here. A container that was started and is gone has
 * vanished: it gets no exit code, and it is never started again. Facts once in the ledger are never changed.
 */
import { compact } from '../compact.ts';
import type { ContainerState } from './found.ts';
import type { LedgerContainer, LedgerTask } from './ledger.ts';
import { change } from './observation.ts';
import type { World } from './steps.ts';

type LookedAt = ContainerState | 'absent' | undefined;

export function absorb(task: LedgerTask, world: World): LedgerTask {
  const rebooted = task.bootId !== undefined && task.bootId !== world.bootId;
  const containers = task.containers.map((container) => {
    const learned = learn(container, world.states.get(container.name), world.now);
    return rebooted && learned === container ? loseToReboot(container, world.now) : learned;
  });
  // Nothing was created in the earlier boot: cgroup and network are made anew, and nothing is lost.
  const unprepared = rebooted && containers.every(({ runtimeId }) => runtimeId === undefined);
  const learnedNothing = containers.every((container, index) => container === task.containers[index]);
  if (learnedNothing && !unprepared) return task;
  return change(task, unprepared ? { containers, bootId: undefined } : { containers });
}

function learn(container: LedgerContainer, seen: LookedAt, now: number): LedgerContainer {
  if (container.end !== undefined || seen === undefined) return container;
  if (seen !== 'absent' && seen.state === 'running') {
    return container.startedAt === undefined ? { ...container, startedAt: seen.startedAt } : container;
  }
  if (seen !== 'absent' && seen.state === 'exited') {
    const { exitCode, oomKilled, at } = seen.exit;
    return { ...container, startedAt: container.startedAt ?? at, end: { at, exitCode, oomKilled } };
  }
  if (seen !== 'absent' && seen.state === 'created' && container.startedAt === undefined) return container;
  return vanish(container, now, 'its process is gone and left no exit code');
}

const loseToReboot = (container: LedgerContainer, now: number): LedgerContainer =>
  container.end === undefined ? vanish(container, now, 'the host was restarted') : container;

/** A container that was never created cannot vanish. */
function vanish(container: LedgerContainer, now: number, why: string): LedgerContainer {
  if (container.runtimeId === undefined || container.failure !== undefined) {
    if (container.startedAt === undefined) return container;
  }
  return compact({
    ...container,
    failure: container.failure ?? `ContainerVanishedError: ${why}`,
    end: container.startedAt === undefined ? undefined : { at: now, oomKilled: false },
  });
}
