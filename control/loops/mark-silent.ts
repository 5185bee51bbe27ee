/**
 * Marks hosts whose heartbeat has been silent for three periods as not connected, so that nothing more is placed on them. Only time in
 * which the control plane itself was receiving counts: after a gap of its own every host gets the whole time again. Gives no verdict:
 * silence is no evidence of death.
 */
import type { HostCapacity, HostLease } from '../../core/model/host.ts';
import type { ControlDeps } from '../deps.ts';
import { livelyClusterNames } from '../store/clusters.ts';
import { setConnected } from '../store/host-capacity.ts';
import { getHostCapacities, getHostLeases, leaseIsStill } from '../store/hosts.ts';
import { getReceiving, type Receiving, writeReceiving } from '../store/store-meta.ts';
import type { LoopResult, StoreLoop } from './loop.ts';

const heartbeatsOfSilence = 3;
/** Between two runs of this loop, in heartbeats; more was a gap. */
const heartbeatsOfGap = 1.5;
/** A process that takes over finds something older at worst: then every host gets the whole time again. */
const heartbeatsUnstored = 10;

export const markSilent: StoreLoop = {
  name: 'mark-silent',
  scope: 'store',
  periodSeconds: (deps) => deps.settings.heartbeatSeconds,
  activate,
};

async function activate(deps: ControlDeps): Promise<LoopResult> {
  const receiving = await renewReceiving(deps);
  let changed = 0;
  for (const cluster of await livelyClusterNames(deps.table, deps.clock.now())) {
    const hostIds = await deps.recent.hostIds(cluster);
    const leases = await getHostLeases(deps.table, hostIds);
    const silent = hostIds.filter((hostId) => isSilent(deps, leases.get(hostId), receiving));
    const hosts = silent.length === 0 ? [] : await getHostCapacities(deps.table, cluster, silent);
    for (const host of hosts.filter(({ connected, status }) => connected && status !== 'INACTIVE'))
      if (await mark(deps, host, leases.get(host.hostId))) changed += 1;
  }
  return { changed };
}

/** From memory while this process has looked without a gap. What another has stored meanwhile says the same. */
async function renewReceiving({ table, clock, settings, recent }: ControlDeps): Promise<Receiving> {
  const now = clock.now();
  const heartbeatMs = settings.heartbeatSeconds * 1000;
  const longestMs = heartbeatsOfGap * heartbeatMs + settings.timerJitterSeconds * 1000;
  const isGapless = ({ at }: Receiving): boolean => now - at <= longestMs;
  const { receiving: own } = recent;
  const remembered = own !== undefined && isGapless(own.said) ? own : undefined;
  const before = remembered?.said ?? (await getReceiving(table));
  const receiving = { since: before !== undefined && isGapless(before) ? before.since : now, at: now };
  const mustStore = remembered === undefined || now - remembered.storedAt >= heartbeatsUnstored * heartbeatMs;
  if (mustStore) await table.commit([writeReceiving(receiving)]);
  recent.receiving = { said: receiving, storedAt: mustStore ? now : remembered.storedAt };
  return receiving;
}

function isSilent({ clock, settings }: ControlDeps, lease: HostLease | undefined, { since }: Receiving): boolean {
  const heardAt = Math.max(lease?.at ?? 0, since);
  return clock.now() - heardAt > heartbeatsOfSilence * settings.heartbeatSeconds * 1000;
}

async function mark(deps: ControlDeps, host: HostCapacity, lease: HostLease | undefined): Promise<boolean> {
  const at = deps.clock.now();
  const { outcome } = await deps.table.commit([setConnected(host, false, at), leaseIsStill(host.hostId, lease)]);
  // Not done: a heartbeat came in this moment.
  if (outcome !== 'done') return false;
  deps.capacity.learned({ ...host, connected: false, connectedChangedAt: at });
  deps.metrics.count('HostSilent', 1, { cluster: host.cluster });
  deps.log.warn(
    { hostId: host.hostId, host: host.name, cluster: host.cluster },
    'a host is silent; nothing is placed on it',
  );
  return true;
}
