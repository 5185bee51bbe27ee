/**
 * Summaries of hosts' capacity, held in memory so that a placement costs little to read: refreshed at most once a second, corrected by
 * each commit of this process and by the newer state that a refused condition brings. It may be stale, and whoever refuses anything
 * must read strongly first (`readStrongly`); conditions in the store, never this view, keep hosts from being over-committed.
 *
 * A refresh costs the same in a cluster of any size: it reads some hosts of each shard, and the next one goes on after them. A small
 * cluster is therefore read whole each second; of a large one a new process knows a part, which is enough to choose from, and more
 * with each refresh. What does not fit in that part is looked for in the whole.
 */
import type { HostCapacity } from '../core/model/host.ts';
import { afterPlacing, releaseReservation } from '../core/placement/capacity.ts';
import type { Clock } from './deps.ts';
import { KnownHosts } from './known-hosts.ts';
import type { Holding } from './store/host-capacity.ts';
import { clusterHosts, hostsPage } from './store/hosts.ts';
import { allShards, partitions } from './store/keys.ts';
import type { Table } from './store/table.ts';

export interface CapacityView {
  /**
   * Hosts of the cluster to choose from, a second old at most, or read `since` then (epoch milliseconds): a call that takes long does not
   * read twice. The array changes with the view: do not keep it.
   */
  hosts(cluster: string, since?: number): Promise<readonly HostCapacity[]>;
  /** All of the cluster's hosts by a read that begins after this call. */
  readStrongly(cluster: string): Promise<readonly HostCapacity[]>;
  /** A host as it was just read or written. */
  learned(host: HostCapacity): void;
  /** These tasks were just placed on the host. */
  took(cluster: string, hostId: string, holdings: readonly Holding[]): void;
  /** These tasks have just given back what they held of the host. */
  gaveBack(cluster: string, hostId: string, holdings: readonly Holding[]): void;
}

const maxAgeMs = 1000;
/** Of each shard. The first look of a process is a longer one, for a fair choice. */
const hostsPerRefresh = { first: 16, later: 5 };

interface ClusterView {
  readonly known: KnownHosts;
  /** By shard: the last host that was read; the next refresh goes on there. */
  readonly cursors: (string | undefined)[];
  /** When the last read that it comes from began. */
  readAt: number;
  reading: Promise<readonly HostCapacity[]> | undefined;
  /** A read that begins when `reading` is over, for those who must not join one that began before they asked. */
  following: Promise<readonly HostCapacity[]> | undefined;
}

export function createCapacityView(table: Table, clock: Clock): CapacityView {
  const views = new Map<string, ClusterView>();

  function viewOf(cluster: string): ClusterView {
    const view = views.get(cluster) ?? {
      known: new KnownHosts(),
      cursors: [],
      readAt: -Infinity,
      reading: undefined,
      following: undefined,
    };
    views.set(cluster, view);
    return view;
  }

  /** One read at a time. */
  function read(view: ClusterView, fill: () => Promise<void>): Promise<readonly HostCapacity[]> {
    const readAt = clock.now();
    const reading = fill()
      .then(() => {
        view.readAt = readAt;
        return [...view.known.all];
      })
      .finally(() => {
        view.reading = undefined;
      });
    view.reading = reading;
    return reading;
  }

  const refresh = (cluster: string, view: ClusterView): Promise<readonly HostCapacity[]> =>
    read(view, async () => {
      const limit = view.readAt === -Infinity ? hostsPerRefresh.first : hostsPerRefresh.later;
      const pages = await Promise.all(
        allShards.map((shard) => hostsPage(table, cluster, shard, { after: view.cursors[shard], limit })),
      );
      for (const [shard, page] of pages.entries()) {
        view.known.take(partitions.hosts(cluster, shard), page, view.cursors[shard]);
        view.cursors[shard] = page.next;
      }
    });

  function readStrongly(cluster: string): Promise<readonly HostCapacity[]> {
    const view = viewOf(cluster);
    if (view.reading === undefined)
      return read(view, async () => view.known.replaceAll(await clusterHosts(table, cluster)));
    if (view.following === undefined) {
      const begin = (): Promise<readonly HostCapacity[]> => {
        view.following = undefined;
        return readStrongly(cluster);
      };
      view.following = view.reading.then(begin, begin);
    }
    return view.following;
  }

  return {
    async hosts(cluster, since = Number.POSITIVE_INFINITY) {
      const view = viewOf(cluster);
      const isOld = clock.now() - view.readAt >= maxAgeMs && view.readAt < since;
      if (isOld) await (view.reading ?? refresh(cluster, view));
      return view.known.all;
    },
    readStrongly,
    learned: (host) => views.get(host.cluster)?.known.put(host),
    took: (cluster, hostId, holdings) =>
      views.get(cluster)?.known.change(hostId, (host) => afterPlacing(host, holdings)),
    gaveBack: (cluster, hostId, holdings) =>
      views
        .get(cluster)
        ?.known.change(hostId, (host) =>
          holdings.reduce((left, { needs, taskId }) => releaseReservation(left, needs, taskId), host),
        ),
  };
}
