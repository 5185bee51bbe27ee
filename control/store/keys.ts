/**
 * Every key of the single table, and nothing else. docs/adr/0002 explains each shape against DynamoDB's rules. Ids within a sort key
 * are fixed-width, so that their order is the order of the thing they count.
 */
import type { TaskDefinitionStatus } from '../../core/model/task-definition.ts';
import type { Key } from './table.ts';

/** Lists that many writers touch are spread over this many partitions, by a hash of the id. */
const shardCount = 8;

/** Ids are hexadecimal and uniformly distributed, so their first digits choose the shard. */
const shardOf = (id: string): number => Number.parseInt(id.slice(0, 4), 16) % shardCount;

export const allShards: readonly number[] = Array.from({ length: shardCount }, (_, shard) => shard);

/** Sortable form of a revision (at most 1,000,000 a family). */
const revisionKey = (revision: number): string => revision.toString().padStart(7, '0');

/** Sortable form of epoch milliseconds. */
export const timeKey = (epochMs: number): string => epochMs.toString().padStart(timeKeyLength, '0');
const timeKeyLength = 15;

export const keys = {
  /** Region, account and epoch of the store. */
  store: (): Key => ({ pk: 'store', sk: 'meta' }),
  /** When the control plane was last receiving heartbeats: what it did not see is no host's silence. */
  receiving: (): Key => ({ pk: 'store', sk: 'receiving' }),
  /** There while the store is a copy that is not whole. */
  storeCopy: (): Key => ({ pk: 'store', sk: 'copy' }),

  cluster: (name: string): Key => ({ pk: 'clusters', sk: name }),
  capacityProvider: (name: string): Key => ({ pk: 'capacity-providers', sk: name }),

  /** The last revision number given out in a family. */
  familyCounter: (family: string): Key => ({ pk: `family#${family}`, sk: 'counter' }),
  revisionBody: (family: string, revision: number): Key => ({
    pk: `family#${family}`,
    sk: `body#${revisionKey(revision)}`,
  }),
  /** Status and tags: what of a revision may change. */
  revisionStatus: (family: string, revision: number): Key => ({
    pk: `family#${family}`,
    sk: `status#${revisionKey(revision)}`,
  }),
  /** Exists while the revision is ACTIVE: the newest one is what a bare family name means. */
  revisionActive: (family: string, revision: number): Key => ({
    pk: `family#${family}`,
    sk: `active#${revisionKey(revision)}`,
  }),
  /** The listing over all families, one partition a status. */
  revisionListing: (status: TaskDefinitionStatus, family: string, revision: number): Key => ({
    pk: `revisions#${status}`,
    sk: `${family}#${revisionKey(revision)}`,
  }),

  task: (taskId: string): Key => ({ pk: `task#${taskId}`, sk: 'task' }),
  /** In the listing of its cluster from creation until STOPPED. */
  liveTask: (cluster: string, taskId: string): Key => ({ pk: `live#${cluster}#${shardOf(taskId)}`, sk: taskId }),
  /** While it waits for a host; oldest first within a shard. */
  waitingTask: (cluster: string, createdAt: number, taskId: string): Key => ({
    pk: `waiting#${cluster}#${shardOf(taskId)}`,
    sk: `${timeKey(createdAt)}#${taskId}`,
  }),
  /** How many tasks of a key wait in a cluster, at most: only of keys with a quota. */
  waitingQuota: (accessKeyId: string, cluster: string): Key => ({ pk: `waiting-quota#${accessKeyId}`, sk: cluster }),
  /** Position in the history index once STOPPED; newest last. */
  stoppedTask: (cluster: string, stoppedAt: number, taskId: string): Key => ({
    pk: `stopped#${cluster}#${shardOf(taskId)}`,
    sk: `${timeKey(stoppedAt)}#${taskId}`,
  }),

  /** What is bought for a cluster and not over yet. */
  purchase: (cluster: string, orderId: string): Key => ({ pk: `purchases#${cluster}`, sk: orderId }),
  /** What was, newest last. */
  pastPurchase: (cluster: string, closedAt: number, orderId: string): Key => ({
    pk: `past-purchases#${cluster}`,
    sk: `${timeKey(closedAt)}#${orderId}`,
  }),
  /** Moves with everything that is bought for a cluster, so that no two plans are carried out beside each other. */
  capacityTurn: (cluster: string): Key => ({ pk: `capacity#${cluster}`, sk: 'turn' }),
  /** An offer that was refused lately. */
  blame: (cluster: string, market: string, offer: string, zone: string): Key => ({
    pk: `blames#${cluster}`,
    sk: `${market}#${offer}#${zone}`,
  }),
  /** A part of what the cluster's fleet offers. */
  offers: (cluster: string, part: number): Key => ({ pk: `offers#${cluster}`, sk: part.toString().padStart(3, '0') }),
  /** What the cluster's hosts are launched from. */
  hostSupply: (cluster: string): Key => ({ pk: `host-supply#${cluster}`, sk: 'host-supply' }),
  /** A host that is being emptied. */
  drain: (cluster: string, hostId: string): Key => ({ pk: `drains#${cluster}`, sk: hostId }),
  /** A host that is not heard. */
  lostHost: (cluster: string, hostId: string): Key => ({ pk: `lost-hosts#${cluster}`, sk: hostId }),

  /** What is told of a task, a host, an order or a call (`subject`), once for each `origin`: what is told twice is one item. */
  event: (subject: string, origin: string): Key => ({ pk: `event#${subject}`, sk: origin }),
  /** Its place among the events of its cluster, in the order in which they were written down. */
  eventListing: (cluster: string, subject: string, eventId: string): Key => ({
    pk: `events#${cluster}#${shardOf(subject)}`,
    sk: eventId,
  }),

  /** Where events of the cluster are sent. */
  webhook: (cluster: string, webhookId: string): Key => ({ pk: `webhooks#${cluster}`, sk: webhookId }),
  /** How far that has got. */
  webhookDelivery: (cluster: string, webhookId: string): Key => ({
    pk: `webhook-deliveries#${cluster}`,
    sk: webhookId,
  }),

  /** What images of a private registry are pulled with. */
  registryCredentials: (cluster: string, name: string): Key => ({ pk: `registry-credentials#${cluster}`, sk: name }),

  /** A call, by the time at which it came. */
  auditEntry: (id: string): Key => ({ pk: `audit#${shardOf(id.slice(timeKeyLength + 1))}`, sk: id }),

  request: (cluster: string, token: string): Key => ({ pk: `request#${cluster}#${token}`, sk: 'request' }),
  /** A request too large for one commit is listed here until all of its tasks are made. */
  openRequest: (createdAt: number, token: string): Key => ({
    pk: 'open-requests',
    sk: `${timeKey(createdAt)}#${token}`,
  }),

  hostIdentity: (hostId: string): Key => ({ pk: `host#${hostId}`, sk: 'identity' }),
  hostLease: (hostId: string): Key => ({ pk: `host#${hostId}`, sk: 'lease' }),
  hostConnection: (hostId: string): Key => ({ pk: `host#${hostId}`, sk: 'connection' }),
  /** Whose connection it is, where a gateway tells only the connection's id. */
  connectionHost: (connectionId: string): Key => ({ pk: `connection#${connectionId}`, sk: 'host' }),
  /** One entry of the host's desired set. */
  hostTask: (hostId: string, taskId: string): Key => ({ pk: `host#${hostId}`, sk: `task#${taskId}` }),
  hostCapacity: (cluster: string, hostId: string): Key => ({ pk: `hosts#${cluster}#${shardOf(hostId)}`, sk: hostId }),
  /** Which host a public key belongs to, so that a host that registers again stays the same host. */
  hostByKey: (publicKeyDigest: string): Key => ({ pk: `host-key#${publicKeyDigest}`, sk: 'host' }),
  hostByName: (cluster: string, name: string): Key => ({ pk: `host-name#${cluster}`, sk: name }),

  /** A role whose instances may become hosts, by its unique id (`AROA…`). */
  hostRole: (roleId: string): Key => ({ pk: `host-role#${roleId}`, sk: 'host-role' }),
  /** An EC2 instance that may become a host, or has. */
  instance: (instanceId: string): Key => ({ pk: `instance#${instanceId}`, sk: 'instance' }),

  accountSetting: (principalArn: string, name: string): Key => ({
    pk: 'account-settings',
    sk: `${principalArn}#${name}`,
  }),

  accessKey: (accessKeyId: string): Key => ({ pk: `access-key#${accessKeyId}`, sk: 'access-key' }),
  /** What may be shown of an access key: never its secret. */
  accessKeyListing: (accessKeyId: string): Key => ({ pk: 'access-keys', sk: accessKeyId }),
  /** The key that seals secrets, itself encrypted. */
  dataKey: (): Key => ({ pk: 'store', sk: 'data-key' }),
  joinToken: (tokenDigest: string): Key => ({ pk: `join-token#${tokenDigest}`, sk: 'join-token' }),
} as const;

/** Partitions and prefixes that are queried whole. */
export const partitions = {
  clusters: 'clusters',
  capacityProviders: 'capacity-providers',
  family: (family: string): string => `family#${family}`,
  activeRevisionPrefix: 'active#',
  revisions: (status: TaskDefinitionStatus): string => `revisions#${status}`,
  /** Behind every revision of the family in a listing, and before every other family: no name has a byte below `#`. */
  revisionsEnd: (family: string): string => `${family}#~`,
  liveTasks: (cluster: string, shard: number): string => `live#${cluster}#${shard}`,
  waitingTasks: (cluster: string, shard: number): string => `waiting#${cluster}#${shard}`,
  stoppedTasks: (cluster: string, shard: number): string => `stopped#${cluster}#${shard}`,
  openRequests: 'open-requests',
  purchases: (cluster: string): string => `purchases#${cluster}`,
  pastPurchases: (cluster: string): string => `past-purchases#${cluster}`,
  blames: (cluster: string): string => `blames#${cluster}`,
  offers: (cluster: string): string => `offers#${cluster}`,
  drains: (cluster: string): string => `drains#${cluster}`,
  lostHosts: (cluster: string): string => `lost-hosts#${cluster}`,
  accessKeys: 'access-keys',
  eventsOf: (subject: string): string => `event#${subject}`,
  events: (cluster: string, shard: number): string => `events#${cluster}#${shard}`,
  webhooks: (cluster: string): string => `webhooks#${cluster}`,
  webhookDeliveries: (cluster: string): string => `webhook-deliveries#${cluster}`,
  registryCredentials: (cluster: string): string => `registry-credentials#${cluster}`,
  auditEntries: (shard: number): string => `audit#${shard}`,
  host: (hostId: string): string => `host#${hostId}`,
  hostTaskPrefix: 'task#',
  hostsPrefix: 'hosts#',
  hosts: (cluster: string, shard: number): string => `hosts#${cluster}#${shard}`,
} as const;
