/**
 * What an agent says to a store that it does not know: what it has, and, where an operator has that adopted, all that it knows of what the
 * store does not. Until then it waits. May be repeated from its beginning.
 */
import type { Logger } from 'pino';
import type { HandedTask } from '../../core/host-protocol.ts';
import { observationOf } from '../../core/plan/observation.ts';
import type { ControlPlane } from '../control-plane/client.ts';
import type { Ledger } from '../ledger.ts';
import type { Session } from './session.ts';

/** With their specs: what gateways let through is some megabytes. */
const tasksPerRequest = 20;

interface HandoverDeps {
  readonly controlPlane: ControlPlane;
  readonly ledger: Ledger;
  readonly log: Logger;
}

/** Answers whether this host belongs to the store now. */
export async function handOver({ controlPlane, ledger, log }: HandoverDeps, session: Session): Promise<boolean> {
  const { hostId, epochs, signal } = session;
  if (epochs === undefined) return false;
  let tasks: HandedTask[] = [];
  let before = Number.POSITIVE_INFINITY;
  for (;;) {
    const taskIds = [...ledger.all().map(({ taskId }) => taskId), ...ledger.unreadable];
    const answer = await controlPlane.handOver(hostId, { storeEpoch: epochs.store, taskIds, tasks }, signal);
    const { decision } = answer;
    if (decision === undefined) return false;
    // An entry that cannot be read cannot be handed over either.
    const unknown = answer.unknown.filter((taskId) => ledger.get(taskId) !== undefined);
    if (decision === 'discard' || unknown.length === 0) {
      await session.handedOver();
      log.warn({ decision, storeEpoch: epochs.store }, 'this host belongs to another store now');
      return true;
    }
    if (unknown.length >= before) throw new Error('the control plane has not adopted what it was given');
    before = unknown.length;
    tasks = await handed(ledger, unknown.slice(0, tasksPerRequest));
  }
}

/** What was told must not be told otherwise after a crash. */
async function handed(ledger: Ledger, taskIds: readonly string[]): Promise<HandedTask[]> {
  await Promise.all(taskIds.map((taskId) => ledger.durable(taskId)));
  return taskIds.flatMap((taskId) => {
    const task = ledger.get(taskId);
    return task === undefined
      ? []
      : [{ taskId, spec: task.spec, desired: task.desired, observation: observationOf(task) }];
  });
}
