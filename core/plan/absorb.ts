/**
 * What the host's machinery says of a task's containers enters the ledger here. A container that was started and is gone has
 * vanished: it gets no exit code, and it is never started again. Facts once in the ledger are never changed.
 */
import { compact } from '../compact.ts';
import type { LedgerContainer, LedgerTask } from './ledger.ts';
import { change, hasEnded } from './observation.ts';
import type { World } from './steps.ts';

export function absorb(task: LedgerTask, world: World): LedgerTask {
  const rebooted = task.bootId !== undefined && task.bootId !== world.bootId;
  const why = rebooted ? 'the host was restarted' : 'its shim was killed, or crashed; its exit code is unknown';
  const containers = task.containers.map((container) => {
    const learned = learn(task, container, why, world);
    return rebooted ? vanish(task, learned, why, world) : learned;
  });
  // Cgroup and network went with the earlier boot: what may still start gets them anew.
  if (rebooted) return change(task, { containers, bootId: undefined });
  return containers.every((container, index) => container === task.containers[index])
    ? task
    : change(task, { containers });
}

/** @param why a container that was started and is not there any more has vanished */
function learn(task: LedgerTask, container: LedgerContainer, why: string, world: World): LedgerContainer {
  const seen = world.states.get(container.name);
  if (container.end !== undefined || seen === undefined) return container;
  const state = seen === 'absent' ? ({ state: 'absent' } as const) : seen;
  switch (state.state) {
    case 'running':
      return learnStart(container, state.startedAt);
    case 'exited': {
      const { exitCode, oomKilled, at } = state.exit;
      return { ...learnStart(container, at), end: { at, exitCode, oomKilled } };
    }
    case 'created':
      if (container.startedAt === undefined) return container;
      return vanish(task, container, why, world);
    case 'vanished':
    case 'absent':
      return vanish(task, container, why, world);
  }
}

/** Where the call that started it seemed to fail, it had its effect all the same. */
const learnStart = (container: LedgerContainer, startedAt: number): LedgerContainer =>
  container.startedAt === undefined ? compact({ ...container, startedAt, failure: undefined }) : container;

/** A container that was never created cannot vanish, and one that has ended or failed does not do so again. */
function vanish(task: LedgerTask, container: LedgerContainer, why: string, world: World): LedgerContainer {
  if (container.end !== undefined) return container;
  const failure = `ContainerVanishedError: ${why}`;
  if (container.startedAt !== undefined) return { ...container, failure, end: { at: world.now, oomKilled: false } };
  const mayStart = container.runtimeId !== undefined && container.failure === undefined && !hasEnded(task, container);
  return mayStart ? { ...container, failure } : container;
}
