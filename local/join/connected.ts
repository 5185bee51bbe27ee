/** Waits until a host's agent has registered anew and is connected, as the control plane sees it. */
import { setTimeout as delay } from 'node:timers/promises';
import { ControlPlaneError, type HostClient } from '../../agent/control-plane/client.ts';
import { GantryError } from '../../core/errors.ts';
import type { HostSelf } from '../../core/host-protocol.ts';

/** A host registers within a second; longer means that something is wrong with it. */
const connectTimeoutMs = 60_000;
const pollMs = 200;

export interface Waiting {
  readonly client: Pick<HostClient, 'self'>;
  readonly hostId: string;
  /** That of the host before its agent was started; absent where that was left alone. */
  readonly versionBefore?: number | undefined;
  /** Fires where there is nothing to wait for any more. */
  readonly signal: AbortSignal;
  /** The end of the agent's log, or how to see it. */
  readonly log: () => string;
  readonly hasEnded: () => boolean;
}

/** Throws a GantryError with what its agent says. */
export async function whenConnected(waiting: Waiting): Promise<HostSelf> {
  const { client, hostId, versionBefore = 0, signal, log, hasEnded } = waiting;
  const deadline = performance.now() + connectTimeoutMs;
  for (;;) {
    signal.throwIfAborted();
    const self = await client.self(hostId).catch((error: unknown) => {
      if (!(error instanceof ControlPlaneError)) throw error;
      return undefined; // Asked again until the time is over.
    });
    const isThere = self?.connected === true && self.status !== 'REGISTERING' && self.version > versionBefore;
    if (self !== undefined && isThere) return self;
    if (hasEnded() || performance.now() > deadline)
      throw new GantryError('ServerException', `The agent ${hasEnded() ? 'ended' : 'does not connect'}.\n${log()}`, {
        hint: 'What it says names what to do; joining again needs no token, as this machine was admitted.',
      });
    await delay(pollMs, undefined, { signal });
  }
}
