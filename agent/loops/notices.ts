/**
 * Hands on what this machine's owner says of its end: to each control plane that admits this host, until it has acknowledged it. What
 * follows of it is the control plane's business; nothing here stops a task.
 */
import type { Logger } from 'pino';
import type { Ec2Notice } from '../../core/ec2-notice.ts';
import type { Clock } from '../clock.ts';
import { type ControlPlane, ControlPlaneError } from '../control-plane/client.ts';
import { backoffMs, type Random } from './backoff.ts';
import { createBell, ringAfter } from './bell.ts';
import type { Session } from './session.ts';

const retry = { firstMs: 250, longestMs: 5000 };

/** Calls `found` with each notice, as often as it sees it, until the signal fires. */
export type WatchNotices = (found: (notice: Ec2Notice) => void, signal: AbortSignal) => Promise<void>;

interface NoticesDeps {
  readonly controlPlane: Pick<ControlPlane, 'notice'>;
  /** Absent where nobody tells of this machine's end. */
  readonly watchNotices?: WatchNotices | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

interface Notices {
  /** Looks out for them, whether the control plane can be reached or not, until the signal fires. */
  watch(signal: AbortSignal): Promise<void>;
  /** Hands them on until the session ends. */
  tell(session: Session): Promise<void>;
}

export function createNotices(deps: NoticesDeps): Notices {
  const { watchNotices, clock, random, log } = deps;
  const known = new Map<string, Ec2Notice>();
  const bell = createBell();
  const found = (notice: Ec2Notice): void => {
    const name = JSON.stringify(notice);
    if (known.has(name)) return;
    known.set(name, notice);
    log.warn({ notice }, 'this machine is going to be taken away');
    bell.ring();
  };
  return {
    watch: async (signal) => watchNotices?.(found, signal),
    async tell(session) {
      if (watchNotices === undefined) return;
      /** In this session: the store of another one may know nothing. */
      const told = new Set<string>();
      let failures = 0;
      bell.ring();
      for (;;) {
        using _retry = failures === 0 ? undefined : ringAfter(bell, backoffMs(failures - 1, retry, random), clock);
        await bell.rung(session.signal);
        if (session.signal.aborted) return;
        const untold = [...known].filter(([name]) => !told.has(name));
        for (const [name, notice] of untold) if (await isTold(deps, session, notice)) told.add(name);
        failures = untold.every(([name]) => told.has(name)) ? 0 : failures + 1;
      }
    },
  };
}

/** Whether there is nothing more to say of it. */
async function isTold({ controlPlane, log }: NoticesDeps, session: Session, notice: Ec2Notice): Promise<boolean> {
  try {
    await controlPlane.notice(session.hostId, notice, session.signal);
    log.info({ notice }, 'the control plane empties this host');
    return true;
  } catch (error) {
    if (session.signal.aborted) return false;
    const status = error instanceof ControlPlaneError ? error.status : undefined;
    // An older control plane: it may hear of it in another way.
    if (status === 404 || status === 400) {
      log.warn({ err: error, notice }, 'the control plane does not take such a notice');
      return true;
    }
    if (error instanceof ControlPlaneError && error.unknownHost) session.expire();
    log.warn({ err: error, notice }, 'the notice cannot be delivered now');
    return false;
  }
}
