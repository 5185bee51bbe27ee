/**
 * Tells the control plane what became of this host's tasks: one report in flight, everything that changed meanwhile in the next one;
 * everything there is once after each registration and under each new host epoch. What is reported is durable before it is sent.
 */
import type { Logger } from 'pino';
import type { ReportedTask, ReportResponse } from '../../core/host-protocol.ts';
import type { LedgerTask } from '../../core/plan/ledger.ts';
import { acknowledge, reportOf } from '../../core/plan/observation.ts';
import type { Clock } from '../clock.ts';
import { type ControlPlane, ControlPlaneError } from '../control-plane/client.ts';
import type { Ledger } from '../ledger.ts';
import { backoffMs, type Random } from './backoff.ts';
import { type Bell, createBell, ringAfter } from './bell.ts';
import { handOver } from './handover.ts';
import { createOnTheWay, type OnTheWay } from './on-the-way.ts';
import type { HostPlan } from './plan.ts';
import type { Session } from './session.ts';

const retry = { firstMs: 250, longestMs: 15_000 };
/** A report that is not full has at most this many tasks, so that its body stays within what gateways let through. */
const maxTasks = 100;

export interface ReportDeps {
  readonly controlPlane: ControlPlane;
  readonly ledger: Ledger;
  readonly plan: HostPlan;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** The desired set is to be looked at: the store that answers has become this host's. */
  storeBecameKnown(): void;
}

export interface Reporter {
  /** The task's observation has changed. */
  changed(task: LedgerTask): void;
  /** The control plane can be reached: what failed to be sent goes now, and under new epochs everything. */
  reachable(session: Session): void;
  loop(session: Session): Promise<void>;
}

export function createReporter(deps: ReportDeps): Reporter {
  const bell = createBell();
  const retryBell = createBell();
  const onTheWay = createOnTheWay(deps.clock, () => bell.ring());
  /** The epochs under which everything there is was reported in this session. */
  let fullUnder: string | undefined;

  const loop = async (session: Session): Promise<void> => {
    let failures = 0;
    fullUnder = undefined;
    bell.ring();
    for (;;) {
      await bell.rung(session.signal);
      if (session.signal.aborted) return;
      if (session.epochs === undefined) continue; // `reachable` rings after the first fetch.
      const under = epochsOf(session);
      try {
        if (!session.isStoreKnown) {
          if (fullUnder !== under && (await handOver(deps, session))) deps.storeBecameKnown();
          fullUnder = under;
          failures = 0;
          continue;
        }
        const isMore = await reportOnce(deps, session, onTheWay, { full: fullUnder !== under });
        fullUnder = under;
        failures = 0;
        if (isMore) bell.ring();
      } catch (error) {
        if (session.signal.aborted) return;
        if (error instanceof ControlPlaneError && error.unknownHost) session.expire();
        deps.log.warn({ err: error, failures }, 'the report cannot be delivered now');
        await pause(retryBell, backoffMs(failures, retry, deps.random), deps.clock, session.signal);
        failures += 1;
        bell.ring();
      }
    }
  };

  return {
    changed: (task) => onTheWay.changed(task),
    reachable(session) {
      retryBell.ring();
      // Not always: a wake-up brings a new task, and a report that it is PENDING would only stand in its way.
      if (epochsOf(session) !== fullUnder) bell.ring();
    },
    loop,
  };
}

const epochsOf = ({ epochs, isStoreKnown }: Session): string | undefined =>
  epochs === undefined ? undefined : `${epochs.store}/${epochs.host}/${isStoreKnown || (epochs.decision ?? 'waits')}`;

async function pause(bell: Bell, milliseconds: number, clock: Clock, signal: AbortSignal): Promise<void> {
  using _timer = ringAfter(bell, milliseconds, clock);
  await bell.rung(signal);
}

/** Sends what is due, if anything is. Answers whether more is due at once. */
async function reportOnce(
  deps: ReportDeps,
  session: Session,
  onTheWay: OnTheWay,
  { full }: { readonly full: boolean },
): Promise<boolean> {
  const { epochs } = session;
  if (epochs === undefined) return false;
  const due = deps.ledger
    .all()
    .flatMap((task) => reportOf(task, { full }) ?? [])
    .filter(({ taskId }) => full || !onTheWay.waits(taskId));
  if (due.length === 0 && !full) return false;
  const tasks: readonly ReportedTask[] = full ? due : due.slice(0, maxTasks);
  // A sequence that was reported must not be given to another observation after a crash: it would be taken for the old one.
  await Promise.all(tasks.map(({ taskId }) => deps.ledger.durable(taskId)));
  const report = { storeEpoch: session.homeStoreEpoch, hostEpoch: epochs.host, full, tasks: [...tasks] };
  absorb(deps, await deps.controlPlane.report(session.hostId, report, session.signal));
  return tasks.length < due.length;
}

function absorb({ ledger, plan }: ReportDeps, answer: ReportResponse): void {
  for (const { taskId, sequence } of answer.accepted) {
    const task = ledger.get(taskId);
    if (task !== undefined) ledger.note(acknowledge(task, sequence));
  }
  for (const taskId of answer.forget) plan.letGo(taskId);
}
