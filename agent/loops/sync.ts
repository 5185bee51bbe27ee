/**
 * Fetches the host's desired set whenever its bell rings (a wake-up, a socket that opened, the heartbeat) and hands it to the plan.
 * A wake-up carries no truth: nothing is learned but by a fetch, one at a time.
 */
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { type ControlPlane, ControlPlaneError } from '../control-plane/client.ts';
import { backoffMs, type Random } from './backoff.ts';
import { type Bell, ringAfter } from './bell.ts';
import type { HostPlan } from './plan.ts';
import { isStoreKnown, type Session } from './session.ts';

const retry = { firstMs: 250, longestMs: 15_000 };

export interface SyncDeps {
  readonly controlPlane: ControlPlane;
  readonly plan: HostPlan;
  readonly bell: Bell;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** After each fetch that succeeded. */
  fetched(): void;
}

export async function syncLoop(deps: SyncDeps, session: Session): Promise<void> {
  let etag: string | undefined;
  let failures = 0;
  deps.bell.ring();
  for (;;) {
    using _retry =
      failures === 0 ? undefined : ringAfter(deps.bell, backoffMs(failures - 1, retry, deps.random), deps.clock);
    await deps.bell.rung(session.signal);
    if (session.signal.aborted) return;
    try {
      etag = await fetchAndApply(deps, session, etag);
      failures = 0;
      deps.fetched();
    } catch (error) {
      if (session.signal.aborted) return;
      if (error instanceof ControlPlaneError && error.unknownHost) session.expire();
      failures += 1;
      deps.log.warn({ err: error, failures }, 'the desired set cannot be fetched or applied now');
    }
  }
}

async function fetchAndApply(
  { controlPlane, plan, log }: SyncDeps,
  session: Session,
  etag: string | undefined,
): Promise<string | undefined> {
  plan.fetchBegins();
  const fetched = await controlPlane.fetchDesired(session.hostId, etag, session.signal);
  if (fetched !== undefined) {
    const { storeEpoch, hostEpoch } = fetched.set;
    if (session.epochs?.store !== storeEpoch && storeEpoch !== session.homeStoreEpoch) {
      log.error(
        { storeEpoch, homeStoreEpoch: session.homeStoreEpoch },
        'the control plane answers from a store that this host does not belong to: what runs is kept and reported, nothing is taken',
      );
    }
    session.epochs = { store: storeEpoch, host: hostEpoch };
  }
  await plan.apply(fetched?.set, { isStoreKnown: isStoreKnown(session) });
  return fetched === undefined ? etag : fetched.etag;
}
