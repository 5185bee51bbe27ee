/**
 * What this process has read lately and may read again from memory: the bodies of revisions, which never change, and for a stated time
 * clusters that are ACTIVE, the identities of hosts and access keys. Holds nothing that must be read strongly.
 */
import type { Offer } from '../core/model/capacity.ts';
import type { Cluster } from '../core/model/cluster.ts';
import type { HostIdentity } from '../core/model/host.ts';
import type { RegistryCredentials } from '../core/model/registry-credentials.ts';
import type { TaskDefinition } from '../core/model/task-definition.ts';
import type { Clock } from './deps.ts';
import { getAccessKey, type StoredAccessKey } from './store/access-keys.ts';
import { getCluster } from './store/clusters.ts';
import { clusterHosts, getHostIdentities, getHostIdentity } from './store/hosts.ts';
import type { Receiving } from './store/store-meta.ts';
import type { Table } from './store/table.ts';
import { getRevisionBody, type RevisionReference } from './store/task-definitions.ts';

export interface RecentReads {
  /** undefined where there is no such revision. */
  revisionBody(at: RevisionReference): Promise<TaskDefinition | undefined>;
  /** The cluster if it is ACTIVE, or was within the last second. */
  activeCluster(name: string): Promise<Cluster | undefined>;
  /** The cluster was changed by this process. */
  clusterChanged(name: string): void;
  /** Who a host is, or was within the last five minutes: another process may have retired it since. Its capacity says so at once. */
  hostIdentity(hostId: string): Promise<HostIdentity | undefined>;
  /** As many as there are, in any order; those that are not in memory by one read. */
  hostIdentities(hostIds: readonly string[]): Promise<HostIdentity[]>;
  hostChanged(hostId: string): void;
  /** Ids of a cluster's hosts that are not INACTIVE, as another process left them up to five minutes ago. */
  hostIds(cluster: string): Promise<readonly string[]>;
  /** This process has admitted a host to the cluster. */
  hostAdmitted(cluster: string): void;
  /** The key if it is there, or was within the last ten seconds: so soon takes effect that another process deletes it. */
  accessKey(accessKeyId: string): Promise<StoredAccessKey | undefined>;
  accessKeyChanged(accessKeyId: string): void;
  /** By cluster: the names of its credentials of private registries, as they were read. */
  readonly registryNames: Map<
    string,
    { readonly known: readonly Pick<RegistryCredentials, 'name'>[]; readonly readAt: number }
  >;
  /** By cluster: when this process has last compared what its fleet has with what was bought. */
  readonly fleetSweeps: Map<string, number>;
  /** By cluster: what its fleet offers, as it was read. */
  readonly offers: Map<string, { readonly offers: readonly Offer[]; readonly readAt: number }>;
  /** What this process has last said of when the control plane was receiving, and when it stored that. */
  receiving: { readonly said: Receiving; readonly storedAt: number } | undefined;
}

const ageMs = {
  revision: Infinity,
  cluster: 1000,
  hostIdentity: 300_000,
  hostIds: 300_000,
  accessKey: 10_000,
};
/** Of each kind; the longest known are dropped first. */
const mostEntries = 10_000;
const mostRevisions = 1000;

export function createRecentReads(table: Table, clock: Clock): RecentReads {
  const revisions = new Memory<TaskDefinition>(clock, ageMs.revision, mostRevisions);
  const clusters = new Memory<Cluster>(clock, ageMs.cluster, mostEntries);
  const hosts = new Memory<HostIdentity>(clock, ageMs.hostIdentity, mostEntries);
  const hostIds = new Memory<readonly string[]>(clock, ageMs.hostIds, mostEntries);
  const accessKeys = new Memory<StoredAccessKey>(clock, ageMs.accessKey, mostEntries);

  return {
    revisionBody: (at) => revisions.get(`${at.family}:${at.revision}`, () => getRevisionBody(table, at)),
    activeCluster: (name) =>
      clusters.get(name, async () => {
        const cluster = await getCluster(table, name);
        return cluster?.status === 'ACTIVE' ? cluster : undefined;
      }),
    clusterChanged: (name) => clusters.forget(name),
    hostIdentity: (hostId) => hosts.get(hostId, () => getHostIdentity(table, hostId)),
    async hostIdentities(hostIds) {
      const readAt = clock.now();
      const known = hostIds.flatMap((hostId) => hosts.known(hostId) ?? []);
      const missing = hostIds.filter((hostId) => hosts.known(hostId) === undefined);
      const read = missing.length === 0 ? [] : await getHostIdentities(table, missing);
      for (const identity of read) hosts.keep(identity.hostId, identity, readAt);
      return [...known, ...read];
    },
    hostChanged: (hostId) => hosts.forget(hostId),
    hostIds: async (cluster) =>
      (await hostIds.get(cluster, async () => {
        const all = await clusterHosts(table, cluster, { eventual: true });
        return all.filter(({ status }) => status !== 'INACTIVE').map(({ hostId }) => hostId);
      })) ?? [],
    hostAdmitted: (cluster) => hostIds.forget(cluster),
    accessKey: (accessKeyId) => accessKeys.get(accessKeyId, () => getAccessKey(table, accessKeyId)),
    accessKeyChanged: (accessKeyId) => accessKeys.forget(accessKeyId),
    registryNames: new Map(),
    fleetSweeps: new Map(),
    offers: new Map(),
    receiving: undefined,
  };
}

/** Remembers what was found, never that something was not. */
class Memory<T> {
  readonly #entries = new Map<string, { readonly value: T; readonly readAt: number }>();
  readonly #clock: Clock;
  readonly #ageMs: number;
  readonly #most: number;

  constructor(clock: Clock, maxAgeMs: number, most: number) {
    this.#clock = clock;
    this.#ageMs = maxAgeMs;
    this.#most = most;
  }

  async get(name: string, read: () => Promise<T | undefined>): Promise<T | undefined> {
    // The age counts from before the read: what was read may have changed while it was under way.
    const readAt = this.#clock.now();
    const known = this.known(name);
    if (known !== undefined) return known;
    const value = await read();
    if (value !== undefined) this.keep(name, value, readAt);
    return value;
  }

  /** What is remembered and not too old. */
  known(name: string): T | undefined {
    const entry = this.#entries.get(name);
    if (entry !== undefined && this.#clock.now() - entry.readAt < this.#ageMs) return entry.value;
    this.#entries.delete(name);
    return undefined;
  }

  keep(name: string, value: T, readAt: number): void {
    const oldest = this.#entries.keys().next().value;
    if (this.#entries.size >= this.#most && oldest !== undefined) this.#entries.delete(oldest);
    this.#entries.set(name, { value, readAt });
  }

  forget(name: string): void {
    this.#entries.delete(name);
  }
}
