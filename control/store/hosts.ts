/**
 * Access paths of hosts. A host's facts are items of their own, split by writer: identity, capacity, lease, and one entry a task of
 * its desired set. Arithmetic on capacity is in host-capacity.ts.
 */
import { z } from 'zod';
import {
  type HostCapacity,
  type HostIdentity,
  type HostLease,
  hostCapacitySchema,
  hostIdentitySchema,
  hostLeaseSchema,
} from '../../core/model/host.ts';
import { type Desired, desiredSchema, type Task, taskOverridesSchema } from '../../core/model/task.ts';
import { type TaskSpec, taskSpecSchema } from '../../core/model/task-spec.ts';
import { itemOf, parseItem, parseOptional } from './item.ts';
import { allShards, keys, partitions } from './keys.ts';
import { type MergeOptions, mergeShards, type Positioned } from './merge-shards.ts';
import { getAll, queryAll } from './read-all.ts';
import type { Change, Item, ReadItem, ReadOptions, Table } from './table.ts';

/** One entry of a host's desired set: with the revision's body, all that the task's spec is made of. */
const hostTaskSchema = z.object({
  taskId: z.string(),
  cluster: z.string(),
  family: z.string(),
  revision: z.number().int(),
  overrides: taskOverridesSchema,
  timeoutSeconds: z.number().int().optional(),
  cpuLimitUnits: z.number().int().optional(),
  desired: desiredSchema,
  /** As its host had it, of a task that was adopted: its overrides are not known any more. */
  spec: taskSpecSchema.optional(),
});
export type HostTask = z.infer<typeof hostTaskSchema>;

const hostReferenceSchema = z.object({ hostId: z.string() });
/** `retired`: the key is not admitted again, as this host or another. */
const hostKeySchema = hostReferenceSchema.extend({ retired: z.boolean().optional() });

export const getHostIdentity = async (table: Table, hostId: string): Promise<HostIdentity | undefined> =>
  parseOptional(hostIdentitySchema, await table.get(keys.hostIdentity(hostId)));

/** As `read` finds it: within a commit. */
export const hostIdentityIn = (read: ReadItem, hostId: string): HostIdentity | undefined =>
  parseOptional(hostIdentitySchema, read(keys.hostIdentity(hostId)));

export const getHostIdentities = async (table: Table, hostIds: readonly string[]): Promise<HostIdentity[]> =>
  (await getAll(table, hostIds.map(keys.hostIdentity))).map((item) => parseItem(hostIdentitySchema, item));

export const getHostCapacity = async (
  table: Table,
  cluster: string,
  hostId: string,
  options: ReadOptions = {},
): Promise<HostCapacity | undefined> =>
  parseOptional(hostCapacitySchema, await table.get(keys.hostCapacity(cluster, hostId), options));

export const getHostCapacities = async (
  table: Table,
  cluster: string,
  hostIds: readonly string[],
): Promise<HostCapacity[]> =>
  (
    await getAll(
      table,
      hostIds.map((hostId) => keys.hostCapacity(cluster, hostId)),
    )
  ).map((item) => parseItem(hostCapacitySchema, item));

/** The newer state of hosts among the items of a refused commit. */
export const refusedHosts = (failed: readonly { readonly item?: Item }[]): HostCapacity[] =>
  failed.flatMap(({ item }) =>
    item?.pk.startsWith(partitions.hostsPrefix) ? [parseItem(hostCapacitySchema, item)] : [],
  );

/** All hosts of a cluster, whatever their status. */
export async function clusterHosts(table: Table, cluster: string, options: ReadOptions = {}): Promise<HostCapacity[]> {
  const shards = await Promise.all(
    allShards.map((shard) => queryAll(table, partitions.hosts(cluster, shard), options)),
  );
  return shards.flat().map((item) => parseItem(hostCapacitySchema, item));
}

export interface HostsPage {
  /** In the order of their ids. */
  readonly hosts: readonly HostCapacity[];
  /** Pass as `after` to go on; absent at the end. */
  readonly next: string | undefined;
}

/** Some hosts of one shard of a cluster, some moments old. */
export async function hostsPage(
  table: Table,
  cluster: string,
  shard: number,
  { after, limit }: { readonly after: string | undefined; readonly limit: number },
): Promise<HostsPage> {
  const from = after === undefined ? {} : { after };
  const page = await table.query(partitions.hosts(cluster, shard), { ...from, limit, eventual: true });
  return { hosts: page.items.map((item) => parseItem(hostCapacitySchema, item)), next: page.next };
}

/** A cluster's hosts, whatever their status, in the order of their ids, which are the positions. */
export const hostsInOrder = (
  table: Table,
  cluster: string,
  options: MergeOptions,
): AsyncGenerator<Positioned<HostCapacity>, undefined> =>
  mergeShards(options, async (shard, query) => {
    const page = await table.query(partitions.hosts(cluster, shard), query);
    const entries = page.items.map((item) => ({ position: item.sk, entry: parseItem(hostCapacitySchema, item) }));
    return page.next === undefined ? { entries } : { entries, next: page.next };
  });

/** Some moments old. */
export const getHostLeases = async (table: Table, hostIds: readonly string[]): Promise<Map<string, HostLease>> => {
  const items = await getAll(table, hostIds.map(keys.hostLease), { eventual: true });
  return new Map(items.map((item) => [item.pk.slice(partitions.host('').length), parseItem(hostLeaseSchema, item)]));
};

export const writeHostLease = (hostId: string, lease: HostLease): Change => ({
  kind: 'put',
  item: itemOf(keys.hostLease(hostId), lease),
  when: [],
});

/** Holds while no heartbeat has come since the lease was read. */
export const leaseIsStill = (hostId: string, lease: HostLease | undefined): Change => ({
  kind: 'check',
  key: keys.hostLease(hostId),
  when: [lease === undefined ? { item: 'absent' } : { path: ['at'], is: '=', value: lease.at }],
});

/** The host that a public key belongs to. */
export const hostByKey = async (
  table: Table,
  publicKeyDigest: string,
): Promise<z.infer<typeof hostKeySchema> | undefined> =>
  parseOptional(hostKeySchema, await table.get(keys.hostByKey(publicKeyDigest)));

/** The host that has, or last had, a name in a cluster. */
export const hostIdByName = async (table: Table, cluster: string, name: string): Promise<string | undefined> =>
  parseOptional(hostReferenceSchema, await table.get(keys.hostByName(cluster, name)))?.hostId;

export const addHostIdentity = (identity: HostIdentity): Change => ({
  kind: 'put',
  item: itemOf(keys.hostIdentity(identity.hostId), identity),
  when: [{ item: 'absent' }],
});

export const replaceHostIdentity = (seen: HostIdentity, next: HostIdentity): Change => ({
  kind: 'put',
  item: itemOf(keys.hostIdentity(seen.hostId), { ...next, version: seen.version + 1 }),
  when: [{ path: ['version'], is: '=', value: seen.version }],
});

/** The identity and the key of a host that is none any more; the identity may be forgotten some time later. */
export const retireIdentity = (
  seen: HostIdentity,
  publicKeyDigest: string,
  retired: NonNullable<HostIdentity['retired']>,
  retentionSeconds: number,
): Change[] => [
  {
    kind: 'put',
    item: itemOf(
      keys.hostIdentity(seen.hostId),
      { ...seen, retired, version: seen.version + 1 },
      { expiresAt: Math.ceil(retired.at / 1000) + retentionSeconds },
    ),
    when: [{ path: ['version'], is: '=', value: seen.version }],
  },
  {
    kind: 'put',
    item: itemOf(keys.hostByKey(publicKeyDigest), { hostId: seen.hostId, retired: true }),
    when: [],
  },
];

/** Takes away what placement and listings know of a host that was retired; its identity has a time of its own. */
export const buryHost = ({ cluster, hostId, epoch }: HostCapacity): Change[] => [
  {
    kind: 'delete',
    key: keys.hostCapacity(cluster, hostId),
    when: [{ path: ['epoch'], is: '=', value: epoch }],
  },
  { kind: 'delete', key: keys.hostLease(hostId), when: [] },
];

/** Gives a name back that nobody else has taken. */
export const freeHostName = ({ cluster, name, hostId }: HostCapacity): Change => ({
  kind: 'delete',
  key: keys.hostByName(cluster, name),
  when: [{ path: ['hostId'], is: '=', value: hostId }],
});

export const addHostCapacity = (capacity: HostCapacity): Change => ({
  kind: 'put',
  item: itemOf(keys.hostCapacity(capacity.cluster, capacity.hostId), capacity),
  when: [{ item: 'absent' }],
});

export const claimHostKey = (publicKeyDigest: string, hostId: string): Change => ({
  kind: 'put',
  item: itemOf(keys.hostByKey(publicKeyDigest), { hostId }),
  when: [{ item: 'absent' }],
});

/** Takes a name that nobody has, or that `previousHostId` had. */
export const claimHostName = (
  cluster: string,
  name: string,
  hostId: string,
  previousHostId: string | undefined,
): Change => ({
  kind: 'put',
  item: itemOf(keys.hostByName(cluster, name), { hostId }),
  when: [previousHostId === undefined ? { item: 'absent' } : { path: ['hostId'], is: '=', value: previousHostId }],
});

/** The whole desired set, read strongly. */
export const hostTasks = async (table: Table, hostId: string): Promise<HostTask[]> =>
  (await queryAll(table, partitions.host(hostId), { prefix: partitions.hostTaskPrefix })).map((item) =>
    parseItem(hostTaskSchema, item),
  );

export const addHostTask = (hostId: string, task: Task, adopted?: TaskSpec): Change => ({
  kind: 'put',
  item: itemOf(keys.hostTask(hostId, task.id), {
    taskId: task.id,
    cluster: task.cluster,
    family: task.family,
    revision: task.revision,
    overrides: task.overrides,
    timeoutSeconds: task.timeoutSeconds,
    cpuLimitUnits: task.cpuLimitUnits,
    desired: task.desired,
    spec: adopted,
  } satisfies HostTask),
  when: [{ item: 'absent' }],
});

export const changeHostTask = (hostId: string, taskId: string, desired: Desired): Change => ({
  kind: 'update',
  key: keys.hostTask(hostId, taskId),
  set: [{ path: ['desired'], value: desired }],
  when: [{ item: 'exists' }],
});

export const removeHostTask = (hostId: string, taskId: string): Change => ({
  kind: 'delete',
  key: keys.hostTask(hostId, taskId),
  when: [],
});
