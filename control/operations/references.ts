/**
 * How requests name things: by name or id, or by ARN. Every handler reads a reference here, so that each kind is read in one way: an ARN
 * must be of the kind that the member takes, of this account and region, and of the cluster that was named beside it. The errors are
 * ECS' own. Whether what is named exists is asked only where a function says so.
 */
import { type ArnKind, containerInstanceArn, type ParsedArn, parseArn, type Realm, taskArn } from '../../core/arn.ts';
import { GantryError } from '../../core/errors.ts';
import { type Cluster, defaultClusterName, namePattern } from '../../core/model/cluster.ts';
import { clientFault, parameterFault, type Refuse } from '../../core/model/faults.ts';
import type { ControlDeps } from '../deps.ts';
import { getCluster } from '../store/clusters.ts';
import { latestActiveRevision, type RevisionReference } from '../store/task-definitions.ts';

type HasRealm = Pick<ControlDeps, 'realm'>;
type NamedKind = Exclude<ArnKind, 'container'>;

/** What is within a cluster. */
const arnOf = { task: taskArn, 'container-instance': containerInstanceArn } as const;

/** The parts of an ARN of this kind, account and region; of any text that is no ARN the text itself. */
export function partsNamed(
  { realm }: HasRealm,
  kind: NamedKind,
  reference: string,
  { field, refuse = parameterFault }: { readonly field: string; readonly refuse?: Refuse },
): readonly string[] {
  if (reference === '') throw refuse(field, `${field} can not be blank.`);
  if (!reference.startsWith('arn:')) return [reference];
  const arn = parseArn(reference);
  // The short format of old has no cluster.
  if (arn?.kind !== kind || arn.path.length > (kind in arnOf ? 2 : 1))
    throw refuse(field, `Invalid identifier: ${reference} is not the ARN of a ${kind.replace('-', ' ')}.`);
  const strange = strangenessOf(realm, arn);
  if (strange !== undefined) throw refuse(field, strange);
  return arn.path;
}

/** What is wrong with an ARN that is of another account or region, in ECS' words. */
export function strangenessOf(realm: Realm, { accountId, region, partition }: ParsedArn): string | undefined {
  if (accountId !== realm.accountId) return `Identifier is for ${accountId}. Your accountId is ${realm.accountId}`;
  if (region !== realm.region) return `Identifier is for ${region}. Your region is ${realm.region}`;
  // Gantry writes `aws` wherever it is; tools that know the region may write its own.
  if (partition === 'aws' || partition === partitionOf(region)) return undefined;
  return `Identifier is for ${partition}. Your partition is ${partitionOf(region)}`;
}

const partitionOf = (region: string): string =>
  region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';

/** The name within a cluster's ARN, or the text; `default` where none is given. For who only compares names: it refuses nothing. */
export function clusterName(reference: string | undefined): string {
  if (reference === undefined) return defaultClusterName;
  const arn = parseArn(reference);
  return arn?.kind === 'cluster' ? (arn.path[0] ?? reference) : reference;
}

/** The name of the cluster that is meant; `default` where none is given. */
export const clusterMeant = (deps: HasRealm, reference = defaultClusterName, field = 'cluster'): string =>
  partsNamed(deps, 'cluster', reference, { field })[0] ?? '';

export const clusterNotFound = (message = 'Cluster not found.'): GantryError =>
  new GantryError('ClusterNotFoundException', message, {
    field: 'cluster',
    hint: 'ListClusters shows which there are.',
  });

export const clusterInactive = 'The referenced cluster was inactive.';

/** Throws ClusterNotFoundException unless it is ACTIVE. */
export function refuseInactive(cluster: Cluster | undefined): asserts cluster is Cluster {
  if (cluster === undefined) throw clusterNotFound();
  if (cluster.status === 'INACTIVE') throw clusterNotFound(clusterInactive);
}

/** A cluster that is ACTIVE, or was within the last second. Throws ClusterNotFoundException. */
export async function activeCluster(deps: ControlDeps, reference: string | undefined): Promise<Cluster> {
  const name = clusterMeant(deps, reference);
  // What cannot be a name is no key either.
  if (!namePattern.test(name)) throw clusterNotFound();
  const recent = await deps.recent.activeCluster(name);
  if (recent !== undefined) return recent;
  const cluster = await getCluster(deps.table, name);
  refuseInactive(cluster);
  return cluster;
}

/** The name of a cluster that is ACTIVE. Throws ClusterNotFoundException. */
export const activeClusterName = async (deps: ControlDeps, reference: string | undefined): Promise<string> =>
  (await activeCluster(deps, reference)).name;

const idPattern = /^[0-9a-f]{32}$/;
/** As Gantry makes them: those of before 2018, with hyphens, are of nothing here. */
export const isId = (text: string | undefined): text is string => text !== undefined && idPattern.test(text);

type InCluster = 'task' | 'container-instance';

/** The last part of a reference to what is within `cluster`. Throws InvalidParameterException where an ARN names another cluster. */
export function partWithin(deps: HasRealm, cluster: string, kind: InCluster, reference: string, field: string): string {
  const [first = '', second] = partsNamed(deps, kind, reference, { field });
  if (second === undefined || first === cluster) return second ?? first;
  throw parameterFault(
    field,
    `Identifier is for cluster ${first}. Your cluster is ${cluster}`,
    'Name the cluster of the ARN in `cluster`.',
  );
}

/** The id of the task that is meant; undefined where the text is no id, as of one that nothing has. */
export function taskIdMeant(deps: HasRealm, cluster: string, reference: string, field = 'task'): string | undefined {
  const id = partWithin(deps, cluster, 'task', reference, field);
  return isId(id) ? id : undefined;
}

/** One reference of a list, with what it means. */
export interface Named {
  readonly reference: string;
  readonly id: string | undefined;
}

export const tasksMeant = (deps: HasRealm, cluster: string, references: readonly string[]): Named[] =>
  references.map((reference, index) => ({
    reference,
    id: taskIdMeant(deps, cluster, reference, `tasks[${index}]`),
  }));

/** ECS' entry in failures[] of what a reference to a task or a host did not find, or found unfit. */
export const failureOf = <Reason extends string>(
  { realm }: HasRealm,
  kind: InCluster,
  cluster: string,
  reference: string,
  reason: Reason,
): { arn: string; reason: Reason } => ({
  arn: reference.startsWith('arn:') ? reference : arnOf[kind](realm, cluster, reference),
  reason,
});

/** MISSING, once for each reference that `isFound` does not know. */
export const missingOf = (
  deps: HasRealm,
  kind: InCluster,
  cluster: string,
  named: readonly Named[],
  isFound: (id: string) => boolean,
): { arn: string; reason: 'MISSING' }[] =>
  [...new Set(named.filter(({ id }) => id === undefined || !isFound(id)).map(({ reference }) => reference))].map(
    (reference) => failureOf(deps, kind, cluster, reference, 'MISSING'),
  );

/** `family` (its latest ACTIVE revision), `family:revision` or an ARN. */
interface NamedRevision {
  readonly family: string;
  readonly revision: number | undefined;
}

/** Throws ClientException where the text names no revision of this account and region. */
export function namedRevision(deps: HasRealm, reference: string): NamedRevision {
  const [name = ''] = partsNamed(deps, 'task-definition', reference, { field: 'taskDefinition', refuse: clientFault });
  const colon = name.indexOf(':');
  if (colon === -1) return { family: name, revision: undefined };
  const text = name.slice(colon + 1);
  if (!/^[1-9]\d{0,6}$/.test(text)) throw clientFault('taskDefinition', `Invalid revision number. Number: ${text}`);
  return { family: name.slice(0, colon), revision: Number(text) };
}

/** Which revision is meant; undefined where a bare family has no ACTIVE one. Whether `family:revision` exists is not asked. */
export async function revisionMeant(
  deps: Pick<ControlDeps, 'realm' | 'table'>,
  reference: string,
): Promise<RevisionReference | undefined> {
  const { family, revision } = namedRevision(deps, reference);
  if (!namePattern.test(family)) return undefined;
  if (revision !== undefined) return { family, revision };
  const latest = await latestActiveRevision(deps.table, family);
  return latest === undefined ? undefined : { family, revision: latest };
}
