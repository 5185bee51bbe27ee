/**
 * Hosts that have nothing to do, in real time: heartbeats, sweeps, frames that keep sockets open, and apart from that what one renewal
 * of each socket costs, because sockets are renewed less often than anybody wants to wait.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { startHost } from '../../test/cloud/test-host.ts';
import { type Counts, plus, times } from './counts.ts';
import { hostsReady } from './lives.ts';
import type { CostStage } from './stage.ts';

const minutesPerMonth = 30 * 24 * 60;
/** Agents renew their sockets after 90 to 115 minutes. */
const minutesPerSocket = 102.5;
const minuteMs = 60_000;

export interface Idle {
  readonly hosts: number;
  readonly minutes: number;
  readonly signal: AbortSignal;
}

/** Of a month. */
export async function measureIdle(stage: CostStage, { hosts, minutes, signal }: Idle): Promise<Counts> {
  await using started = new AsyncDisposableStack();
  for (let host = 1; host <= hosts; host += 1) started.use(await startHost(stage.cloud, `idle-${host}`));
  await hostsReady(stage, hosts);
  const idling = await stage.counting(async () => {
    for (let minute = 0; minute < minutes; minute += 1) {
      const next = delay(minuteMs, undefined, { signal });
      await stage.cloud.sweep();
      await next;
    }
  });
  const renewing = await stage.counting(() => renewSockets(stage, hosts));
  const ofMinutes: Counts = { ...idling, connectionMinutes: hosts * minutes, scheduled: 2 * minutes };
  return plus(times(ofMinutes, minutesPerMonth / minutes), times(renewing, minutesPerMonth / minutesPerSocket));
}

async function renewSockets({ cloud: { world } }: CostStage, hosts: number): Promise<void> {
  const sockets = [...world.webSocketApis.values()];
  const before = new Set(sockets.flatMap(({ connectionIds }) => connectionIds));
  for (const socket of sockets) socket.dropAll();
  for (;;) {
    const renewed = sockets.flatMap(({ connectionIds }) => connectionIds).filter((id) => !before.has(id));
    if (renewed.length === hosts) return;
    await delay(50);
  }
}
