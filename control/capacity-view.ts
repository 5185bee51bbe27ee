/**
 * Summaries of hosts' capacity, held in memory so that a placement costs no read: refreshed at most once a second, corrected by each
 * commit of this process and by the newer state that a refused condition brings. It may be stale, and whoever refuses anything must
 * read strongly first (`readStrongly`); conditions in the store, never this view, keep hosts from being over-committed.
 */
import type { HostCapacity } from '../core/model/host.ts';
import { applyReservation, releaseReservation } from '../core/placement/capacity.ts';
import type { Clock } from './deps.ts';
import type { Holding } from './store/host-capacity.ts';
import { clusterHosts } from './store/hosts.ts';
import type { Table } from './store/table.ts';

export interface CapacityView {
  /** The cluster's hosts, at most a second old apart from corrections. The array changes with the view: do not keep it. */
  hosts(cluster: string): Promise<readonly HostCapacity[]>;
  /** The cluster's hosts by a read that begins after this call. */
  readStrongly(cluster: string): Promise<readonly HostCapacity[]>;
  /** A host as it was just read or written. */
  learned(host: HostCapacity): void;
  /** These tasks were just placed on the host. */
  took(cluster: string, hostId: string, holdings: readonly Holding[]): void;
  /** These tasks have just given back what they held of the host. */
  gaveBack(cluster: string, hostId: string, holdings: readonly Holding[]): void;
}

const maxAgeMs = 1000;

interface ClusterView {
  hosts: HostCapacity[];
  position: Map<string, number>;
  /** When the read that it comes from began. */
  readAt: number;
  reading: Promise<readonly HostCapacity[]> | undefined;
  /** A read that begins when `reading` is over, for those who must not join one that began before they asked. */
  following: Promise<readonly HostCapacity[]> | undefined;
}

export function createCapacityView(table: Table, clock: Clock): CapacityView {
  const views = new Map<string, ClusterView>();

  function viewOf(cluster: string): ClusterView {
    let view = views.get(cluster);
    if (view === undefined) {
      view = { hosts: [], position: new Map(), readAt: -Infinity, reading: undefined, following: undefined };
      views.set(cluster, view);
    }
    return view;
  }

  async function read(cluster: string, view: ClusterView): Promise<readonly HostCapacity[]> {
    const readAt = clock.now();
    try {
      const hosts = await clusterHosts(table, cluster);
      view.hosts = [...hosts];
      view.position = new Map(hosts.map((host, index) => [host.hostId, index]));
      view.readAt = readAt;
      return hosts;
    } finally {
      view.reading = undefined;
    }
  }

  function readStrongly(cluster: string): Promise<readonly HostCapacity[]> {
    const view = viewOf(cluster);
    if (view.reading === undefined) {
      view.reading = read(cluster, view);
      return view.reading;
    }
    if (view.following === undefined) {
      const begin = (): Promise<readonly HostCapacity[]> => {
        view.following = undefined;
        return readStrongly(cluster);
      };
      view.following = view.reading.then(begin, begin);
    }
    return view.following;
  }

  function correct(cluster: string, hostId: string, change: (host: HostCapacity) => HostCapacity): void {
    const view = views.get(cluster);
    const position = view?.position.get(hostId);
    const host = position === undefined ? undefined : view?.hosts[position];
    if (view !== undefined && position !== undefined && host !== undefined) view.hosts[position] = change(host);
  }

  return {
    async hosts(cluster) {
      const view = viewOf(cluster);
      if (clock.now() - view.readAt >= maxAgeMs) await (view.reading ?? readStrongly(cluster));
      return view.hosts;
    },
    readStrongly,
    learned(host) {
      const view = views.get(host.cluster);
      if (view === undefined) return;
      if (!view.position.has(host.hostId)) view.position.set(host.hostId, view.hosts.push(host) - 1);
      correct(host.cluster, host.hostId, () => host);
    },
    took: (cluster, hostId, holdings) =>
      correct(cluster, hostId, (host) =>
        holdings.reduce((left, { needs, taskId }) => applyReservation(left, needs, taskId), host),
      ),
    gaveBack: (cluster, hostId, holdings) =>
      correct(cluster, hostId, (host) =>
        holdings.reduce((left, { needs, taskId }) => releaseReservation(left, needs, taskId), host),
      ),
  };
}
