/**
 * What keeps an open socket open, and ends it in time: pings, a data frame before a gateway takes the connection for idle, and a close
 * of our own before a gateway's limit ends it at a moment of its choosing. Decides nothing about when to dial.
 */
import type { WebSocket } from 'ws';
import type { Clock } from '../clock.ts';
import type { Random } from '../loops/backoff.ts';

export const pingEveryMs = 30_000;
/** API Gateway closes a WebSocket over which no data was sent for ten minutes; a NAT gateway forgets a connection after 350 s. */
const aliveAfterMs = { least: 240_000, most: 300_000 };
/** API Gateway ends every WebSocket after two hours. The spread keeps hosts that started together from dialling together. */
const renewAfterMs = { least: 90 * 60_000, most: 115 * 60_000 };
/** A peer that does not answer our close is left alone. */
const closeTimeoutMs = 2000;
/** Nobody reads it. */
const aliveFrame = 'alive';

export interface Upkeep {
  /**
   * `answered`: a peer that leaves two pings unanswered is gone. `unanswered`: it may stop reading for as long as it likes (a slow reader
   * of logs); then only the kernel's keepalive finds a dead one. `none`: a gateway, which need not know pings, and may charge for them.
   */
  readonly pings: 'answered' | 'unanswered' | 'none';
  /** True: data frames while it is open, and an end before anybody else ends it. */
  readonly isRenewed: boolean;
}

export interface UpkeepDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** The socket is closed only to be dialled anew. */
  renewing(): void;
}

/** Returns once the signal fires. */
export async function keepUp(
  socket: WebSocket,
  { pings, isRenewed }: Upkeep,
  deps: UpkeepDeps,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all([
    pings === 'none' ? undefined : ping(socket, deps.clock, pings === 'answered', signal),
    isRenewed ? sayAlive(socket, deps, signal) : undefined,
    isRenewed ? renew(socket, deps, signal) : undefined,
  ]);
}

/** Pings also keep the connection open in whatever stands between and closes idle ones. */
async function ping(socket: WebSocket, clock: Clock, mustBeAnswered: boolean, signal: AbortSignal): Promise<void> {
  let answered = true;
  socket.on('pong', () => {
    answered = true;
  });
  while (!signal.aborted) {
    await clock.sleep(pingEveryMs, signal);
    if (signal.aborted) return;
    if (mustBeAnswered && !answered) return socket.terminate();
    answered = false;
    socket.ping();
  }
}

async function sayAlive(socket: WebSocket, { clock, random }: UpkeepDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(between(aliveAfterMs, random), signal);
    if (!signal.aborted) socket.send(aliveFrame, () => {}); // Where it cannot be sent, the socket closes and says so.
  }
}

async function renew(socket: WebSocket, deps: UpkeepDeps, signal: AbortSignal): Promise<void> {
  await deps.clock.sleep(between(renewAfterMs, deps.random), signal);
  if (signal.aborted) return;
  deps.renewing();
  socket.close(1000);
  await deps.clock.sleep(closeTimeoutMs, signal);
  if (!signal.aborted) socket.terminate();
}

const between = ({ least, most }: { least: number; most: number }, random: Random): number =>
  least + random() * (most - least);
