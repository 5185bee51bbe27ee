/**
 * Hosts that are not heard. After three heartbeats they are not connected, and nothing more is placed on them; after the time that their
 * cluster gives them they are lost, and their tasks are given up (hosts/lost.ts) and replaced (hosts/replace-lost.ts). Only time in which
 * the control plane itself was receiving counts, and nothing is given up while too many hosts of a cluster are silent: then it is more
 * likely that the fault is in between. ADR 0015.
 */
import type { Cluster } from '../../core/model/cluster.ts';
import { hostLostAfterSeconds } from '../../core/model/cluster-settings.ts';
import type { HostCapacity, HostLease } from '../../core/model/host.ts';
import type { ControlDeps } from '../deps.ts';
import { decide, giveUpTasks } from '../hosts/lost.ts';
import { renewReceiving, storeReceiving } from '../hosts/receiving.ts';
import { replaceLost } from '../hosts/replace-lost.ts';
import { livelyClusters } from '../store/clusters.ts';
import { setConnected } from '../store/host-states.ts';
import { getHostCapacities, getHostLeases, leaseIsStill } from '../store/hosts.ts';
import { beginSilence, clusterLostHosts, type LostHost, removeLostHost } from '../store/lost-hosts.ts';
import type { Receiving } from '../store/store-meta.ts';
import type { LoopResult, StoreLoop } from './loop.ts';

const heartbeatsOfSilence = 3;
/** After an outage of the control plane hosts have this long to come back before anything is decided. */
const settleMs = 60_000;
/** More silent hosts than both of these decide nothing. */
const mostSilent = { hosts: 1, share: 0.2 };
/** Hosts that were lost before that did not go at once with those of now. */
const atOnceMs = 3600_000;

export const markSilent: StoreLoop = {
  name: 'mark-silent',
  scope: 'store',
  periodSeconds: (deps) => deps.settings.heartbeatSeconds,
  activate,
};

async function activate(deps: ControlDeps): Promise<LoopResult> {
  const receiving = await renewReceiving(deps);
  let total: Promise<number | undefined> | undefined;
  // Stored once at most, and only while somebody is silent.
  const totalMs = (): Promise<number | undefined> => (total ??= storeReceiving(deps, receiving));
  let changed = 0;
  for (const cluster of await livelyClusters(deps.table, deps.clock.now()))
    changed += await lookAt(deps, cluster, { receiving, totalMs });
  return { changed };
}

interface Watch {
  readonly receiving: Receiving;
  readonly totalMs: () => Promise<number | undefined>;
}

interface Situation extends Watch {
  readonly cluster: Cluster;
  /** How many hosts the cluster has. */
  readonly count: number;
  readonly silent: ReadonlySet<string>;
  readonly leases: ReadonlyMap<string, HostLease>;
  /** Those that are silent, or were and are not done with. */
  readonly hosts: readonly HostCapacity[];
  readonly records: ReadonlyMap<string, LostHost>;
}

async function lookAt(deps: ControlDeps, cluster: Cluster, watch: Watch): Promise<number> {
  const hostIds = await deps.recent.hostIds(cluster.name);
  const leases = await getHostLeases(deps.table, hostIds);
  const silentIds = hostIds.filter((hostId) => isSilent(deps, leases.get(hostId), watch.receiving));
  const known = await clusterLostHosts(deps.table, cluster.name);
  if (silentIds.length === 0 && known.length === 0) return 0;
  const records = new Map(known.map((record) => [record.hostId, record]));
  const ids = [...new Set([...silentIds, ...records.keys()])];
  const hosts = (await getHostCapacities(deps.table, cluster.name, ids)).filter(({ status }) => status !== 'INACTIVE');
  const living = new Set(hosts.map(({ hostId }) => hostId));
  const silent = new Set(silentIds.filter((hostId) => living.has(hostId)));
  const count = hostIds.length - (silentIds.length - silent.size);
  const situation: Situation = { ...watch, cluster, count, silent, leases, hosts, records };
  let changed = 0;
  for (const record of known) if (!living.has(record.hostId)) changed += await forget(deps, record);
  for (const host of hosts) changed += await step(deps, situation, host);
  return changed;
}

/** One host's next step; answers how many things it has changed. */
async function step(deps: ControlDeps, situation: Situation, host: HostCapacity): Promise<number> {
  const record = situation.records.get(host.hostId);
  const isSilentNow = situation.silent.has(host.hostId);
  if (isSilentNow && (host.connected || record === undefined)) return begin(deps, situation, host);
  if (record === undefined) return 0;
  if (record.decided !== undefined) return carryOn(deps, record, host);
  if (!isSilentNow) return host.connected ? forget(deps, record) : 0;
  return judge(deps, situation, { host, record });
}

function isSilent({ clock, settings }: ControlDeps, lease: HostLease | undefined, { since }: Receiving): boolean {
  const heardAt = Math.max(lease?.at ?? 0, since);
  return clock.now() - heardAt > heartbeatsOfSilence * settings.heartbeatSeconds * 1000;
}

async function begin(
  deps: ControlDeps,
  { receiving, leases, totalMs }: Situation,
  host: HostCapacity,
): Promise<number> {
  const at = deps.clock.now();
  const { hostId, name, cluster } = host;
  const total = await totalMs();
  if (total === undefined) return 0; // Another process looks in this moment.
  const lease = leases.get(hostId);
  const silentMs = receiving.at - Math.max(lease?.at ?? 0, receiving.since);
  const lost = { cluster, hostId, heardAt: lease?.at ?? host.connectedChangedAt, silentFromMs: total - silentMs };
  const { outcome } = await deps.table.commit([
    ...(host.connected ? [setConnected(host, false, at)] : []),
    leaseIsStill(hostId, lease),
    beginSilence(lost),
  ]);
  // Not done: a heartbeat came in this moment.
  if (outcome !== 'done' || !host.connected) return 0;
  deps.capacity.learned({ ...host, connected: false, connectedChangedAt: at });
  deps.metrics.count('HostSilent', 1, { cluster });
  deps.log.warn({ hostId, host: name, cluster }, 'a host is silent; nothing is placed on it');
  return 1;
}

async function judge(
  deps: ControlDeps,
  situation: Situation,
  { host, record }: { readonly host: HostCapacity; readonly record: LostHost },
): Promise<number> {
  const { cluster, receiving, leases } = situation;
  const lostAfter = hostLostAfterSeconds(cluster);
  const settled = Math.max(settleMs, heartbeatsOfSilence * deps.settings.heartbeatSeconds * 1000);
  if (lostAfter === undefined || receiving.at - receiving.since < settled) return 0;
  const total = await situation.totalMs();
  if (total === undefined || total - record.silentFromMs < lostAfter * 1000) return 0;
  if (goneAtOnce(situation) > Math.max(mostSilent.hosts, mostSilent.share * standing(situation))) {
    const about = { hostId: host.hostId, host: host.name, cluster: cluster.name, silent: situation.silent.size };
    deps.log.warn(about, 'a host is silent for too long, but so many are that nothing is given up');
    return 0;
  }
  const decided = await decide(deps, { host, lost: record, lease: leases.get(host.hostId) });
  return decided === undefined ? 0 : 1 + (await carryOn(deps, decided, { ...host, epoch: host.epoch + 1 }));
}

const isLongLost = ({ receiving, records }: Situation, hostId: string): boolean =>
  receiving.at - (records.get(hostId)?.decided?.at ?? receiving.at) > atOnceMs;

const goneAtOnce = (situation: Situation): number =>
  [...situation.silent].filter((hostId) => !isLongLost(situation, hostId)).length;

const standing = (situation: Situation): number => situation.count - (situation.silent.size - goneAtOnce(situation));

/** Until every task has its verdict, and what is to be replaced is. */
async function carryOn(deps: ControlDeps, record: LostHost, host: HostCapacity): Promise<number> {
  const given = host.connected ? 0 : await giveUpTasks(deps, record);
  const isBack = host.connected && host.reportedEpoch === host.epoch;
  const { changed, left } = await replaceLost(deps, record, isBack);
  const done = isBack && left === 0 ? await forget(deps, record) : 0;
  return given + changed + done;
}

async function forget({ table }: ControlDeps, record: LostHost): Promise<number> {
  const { outcome } = await table.commit([removeLostHost(record)]);
  return outcome === 'done' ? 1 : 0;
}
