/**
 * Says that this host is there, and makes the other loops look again in case a wake-up or an answer was lost: the answer says what is
 * to be known, so that nothing is fetched where nothing was lost.
 */
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { type ControlPlane, ControlPlaneError } from '../control-plane/client.ts';
import type { Random } from './backoff.ts';
import type { Session } from './session.ts';

export interface HeartbeatDeps {
  readonly controlPlane: ControlPlane;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** After each heartbeat; with the ETag that the host's desired set has, where it was delivered and the answer says it. */
  beaten(etag: string | undefined): void;
}

export async function heartbeatLoop(deps: HeartbeatDeps, session: Session, everySeconds: number): Promise<void> {
  for (;;) {
    // A little early, so that hosts which started together drift apart; each that is sent more often is paid for.
    await deps.clock.sleep(everySeconds * 1000 * (1 - deps.random() / 25), session.signal);
    if (session.signal.aborted) return;
    let etag: string | undefined;
    try {
      etag = await deps.controlPlane.heartbeat(session.hostId, session.signal);
    } catch (error) {
      if (session.signal.aborted) return;
      if (error instanceof ControlPlaneError && error.unknownHost) session.expire();
      deps.log.warn({ err: error }, 'the heartbeat cannot be delivered');
    }
    deps.beaten(etag);
  }
}
