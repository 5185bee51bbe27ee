/**
 * What each function may do with the table, by the keys of control/store/keys.ts: a function that is taken over reads and writes what
 * it handles and no more. Above all, none but `api` comes near access keys. Nothing may scan.
 */
import type * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as iam from 'aws-cdk-lib/aws-iam';
import { keys, partitions } from '../../control/store/keys.ts';
import { tableShape } from '../../control/store/table-shape.ts';
import type { FunctionName } from './functions.ts';

/** The partition keys that begin as this one does, up to its first `#`. */
function family(partitionKey: string): string {
  const end = partitionKey.indexOf('#');
  return end === -1 ? partitionKey : `${partitionKey.slice(0, end + 1)}*`;
}

const [store, clusters] = [family(keys.store().pk), family(partitions.clusters)];
const revisions = family(partitions.family(''));
const definitions = [revisions, family(partitions.revisions('ACTIVE'))];
/** And how many tasks they may let wait. */
const requests = [keys.request('', '').pk, partitions.openRequests, keys.waitingQuota('', '').pk].map(family);
const tasks = [keys.task('').pk, partitions.liveTasks('', 0)].map(family);
const waiting = family(partitions.waitingTasks('', 0));
const stoppedTasks = family(partitions.stoppedTasks('', 0));
/** What was told, and its index. */
const [events, eventListings] = [family(partitions.eventsOf('')), family(partitions.events('', 0))];
/** Desired sets and capacities: what placement writes. */
const hosts = [family(partitions.host('')), family(partitions.hosts('', 0))];
const connections = family(keys.connectionHost('').pk);
const hostNames = [family(keys.hostByKey('').pk), family(keys.hostByName('', '').pk)];
const hostRoles = family(keys.hostRole('').pk);
const instances = family(keys.instance('').pk);
/** What is bought, and what it is bought by. */
const purchases = family(partitions.purchases(''));
const [turn, blames] = [family(keys.capacityTurn('').pk), family(partitions.blames(''))];
const pastPurchases = family(partitions.pastPurchases(''));
const offers = family(partitions.offers(''));
const drains = family(partitions.drains(''));
const lostHosts = family(partitions.lostHosts(''));
const capacityProviders = family(partitions.capacityProviders);
const hostSupplies = family(keys.hostSupply('').pk);
const joinTokens = family(keys.joinToken('').pk);
const webhooks = family(partitions.webhooks(''));
const webhookDeliveries = family(partitions.webhookDeliveries(''));
const registryCredentials = family(partitions.registryCredentials(''));
const accountSettings = family(keys.accountSetting('', '').pk);
const auditEntries = family(partitions.auditEntries(0));
const accessKeys = [family(keys.accessKey('').pk), family(partitions.accessKeys)];

/** Whichever function starts first makes the store and its cluster `default`. */
const everyone = [store, clusters];
/** Tasks that run or wait, and what hosts have of them. */
const onTasks = [...everyone, ...tasks, ...hosts, waiting];
/** What placement changes, and whose sockets are told. */
const placing = [...onTasks, connections];

interface TableAccess {
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  /** Of the index. */
  readonly history: readonly string[];
}

const access: Readonly<Record<FunctionName, TableAccess>> = {
  api: {
    reads: [purchases, turn, blames, offers],
    writes: [
      ...placing,
      ...definitions,
      ...requests,
      ...hostNames,
      instances,
      joinTokens,
      ...accessKeys,
      capacityProviders,
      accountSettings,
      webhooks,
      webhookDeliveries,
      registryCredentials,
      // What it refuses, nothing else in the table shows.
      events,
      auditEntries,
    ],
    history: [stoppedTasks, eventListings],
  },
  // A host that says that it goes has its tasks' successors made at once, and these wait.
  hosts: {
    reads: [hostRoles, registryCredentials],
    // And revisions that only a host knows, where its tasks are adopted.
    writes: [...placing, ...definitions, ...hostNames, instances, joinTokens, drains],
    history: [],
  },
  wake: { reads: [], writes: placing, history: [] },
  events: { reads: [revisions, family(partitions.host(''))], writes: [events], history: [] },
  // It sends webhooks what was told.
  sweep: {
    reads: [webhooks],
    writes: [...placing, ...definitions, ...requests, ...hostNames, instances, drains, lostHosts, webhookDeliveries],
    history: [stoppedTasks, eventListings],
  },
  fleet: {
    reads: [capacityProviders, hostSupplies],
    writes: [...onTasks, ...hostNames, instances, purchases, pastPurchases, turn, blames, offers, drains],
    history: [],
  },
  resources: {
    reads: [purchases],
    writes: [...placing, ...definitions, ...hostNames, hostRoles, instances, capacityProviders, hostSupplies],
    history: [],
  },
};

const readActions = ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query', 'dynamodb:ConditionCheckItem'];
const writeActions = ['dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem'];

export function grantTable(name: FunctionName, table: dynamodb.ITable, role: iam.IGrantable): void {
  const { reads, writes, history } = access[name];
  const statements = [
    onKeys('ReadItems', readActions, table.tableArn, [...reads, ...writes]),
    ...(writes.length > 0 ? [onKeys('WriteItems', writeActions, table.tableArn, writes)] : []),
    ...(history.length > 0 ? [onKeys('ReadHistory', ['dynamodb:Query'], indexArn(table), history)] : []),
  ];
  for (const statement of statements) role.grantPrincipal.addToPrincipalPolicy(statement);
}

const indexArn = (table: dynamodb.ITable): string => `${table.tableArn}/index/${tableShape.history.indexName}`;

/** Every partition key of a request must be one of these; of a batch or a transaction, each. */
const onKeys = (
  sid: string,
  actions: readonly string[],
  resource: string,
  leadingKeys: readonly string[],
): iam.PolicyStatement =>
  new iam.PolicyStatement({
    sid,
    actions: [...actions],
    resources: [resource],
    conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': leadingKeys.toSorted() } },
  });
