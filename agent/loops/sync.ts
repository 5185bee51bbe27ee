/**
 * Fetches the host's desired set whenever its bell rings (a wake-up, a socket that opened) and hands it to the plan. A wake-up carries no
 * truth: nothing is learned but by a fetch, one at a time. A heartbeat's answer names the current set: where that is the one that was
 * applied, only the plan looks again.
 */
import type { Logger } from 'pino';
import type { DesiredSet } from '../../core/host-protocol.ts';
import type { Clock } from '../clock.ts';
import { type ControlPlane, ControlPlaneError } from '../control-plane/client.ts';
import { backoffMs, type Random } from './backoff.ts';
import { ringAfter } from './bell.ts';
import type { HostPlan } from './plan.ts';
import type { Session } from './session.ts';
import type { SyncBell } from './sync-bell.ts';

const retry = { firstMs: 250, longestMs: 15_000 };

export interface SyncDeps {
  readonly controlPlane: ControlPlane;
  readonly plan: HostPlan;
  readonly bell: SyncBell;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** After each look for which the control plane was reached. */
  looked(): void;
}

export async function syncLoop(deps: SyncDeps, session: Session): Promise<void> {
  /** Of the set that was applied. */
  let etag: string | undefined;
  let { handovers } = session;
  let failures = 0;
  deps.bell.ring();
  for (;;) {
    using _retry =
      failures === 0 ? undefined : ringAfter(deps.bell, backoffMs(failures - 1, retry, deps.random), deps.clock);
    await deps.bell.rung(session.signal);
    if (session.signal.aborted) return;
    const { heard } = deps.bell.take();
    if (handovers !== session.handovers) etag = undefined; // What was fetched before was for a host that waits.
    handovers = session.handovers;
    try {
      if (heard !== undefined && heard === etag) await apply(deps, session, undefined);
      else etag = await fetchAndApply(deps, session, etag);
      failures = 0;
      deps.looked();
    } catch (error) {
      if (session.signal.aborted) return;
      if (error instanceof ControlPlaneError && error.unknownHost) session.expire();
      failures += 1;
      deps.log.warn({ err: error, failures }, 'the desired set cannot be fetched or applied now');
    }
  }
}

async function fetchAndApply(deps: SyncDeps, session: Session, etag: string | undefined): Promise<string | undefined> {
  const { controlPlane, plan, log } = deps;
  plan.fetchBegins();
  const fetched = await controlPlane.fetchDesired(session.hostId, etag, session.signal);
  if (fetched !== undefined) {
    const { storeEpoch, generation } = fetched.set;
    const wasKnown = session.epochs === undefined || session.isStoreKnown;
    await session.answered(fetched.set);
    if (wasKnown && !session.isStoreKnown) {
      log.error(
        { storeEpoch, homeStoreEpoch: session.homeStoreEpoch, generation },
        'the control plane answers from a store that this host does not know: what runs is kept, nothing is taken, until an operator decides',
      );
    }
  }
  await apply(deps, session, fetched?.set);
  return fetched === undefined ? etag : fetched.etag;
}

const apply = ({ plan }: SyncDeps, session: Session, set: DesiredSet | undefined): Promise<void> =>
  plan.apply(set, { isStoreKnown: session.isStoreKnown });
