/**
 * How requests name things: by name or id, or by ARN. What is named must exist and be of the cluster that was named beside it; the
 * errors are ECS' own.
 */
import { type ArnKind, parseArn } from '../../core/arn.ts';
import { GantryError } from '../../core/errors.ts';
import { type Cluster, defaultClusterName, namePattern } from '../../core/model/cluster.ts';
import type { ControlDeps } from '../deps.ts';
import { latestActiveRevision, type RevisionReference } from '../store/task-definitions.ts';

/** The cluster's name; `default` where none is given. Whether it exists is not asked. */
export function clusterName(reference: string | undefined): string {
  if (reference === undefined) return defaultClusterName;
  const arn = parseArn(reference);
  return arn?.kind === 'cluster' ? (arn.path[0] ?? reference) : reference;
}

export const clusterNotFound = (): GantryError =>
  new GantryError('ClusterNotFoundException', 'Cluster not found.', {
    field: 'cluster',
    hint: 'ListClusters shows which there are.',
  });

/** A cluster that is ACTIVE, or was within the last second. Throws ClusterNotFoundException. */
export async function activeCluster(deps: ControlDeps, reference: string | undefined): Promise<Cluster> {
  const name = clusterName(reference);
  // What cannot be a name is no key either.
  const cluster = namePattern.test(name) ? await deps.recent.activeCluster(name) : undefined;
  if (cluster === undefined) throw clusterNotFound();
  return cluster;
}

/** The name of a cluster that is ACTIVE. Throws ClusterNotFoundException. */
export const activeClusterName = async (deps: ControlDeps, reference: string | undefined): Promise<string> =>
  (await activeCluster(deps, reference)).name;

const idPattern = /^[0-9a-f]{32}$/;

/**
 * The id that a reference to a task or a container instance names within `cluster`; undefined where it names none (as an id that
 * nothing has). Throws InvalidParameterException where an ARN names another cluster.
 */
export function idWithin(cluster: string, kind: ArnKind, reference: string): string | undefined {
  const arn = parseArn(reference);
  if (arn !== undefined && arn.kind !== kind) return undefined;
  // The short format of old has no cluster.
  const [first = '', second] = arn?.path ?? [reference];
  if (second === undefined || first === cluster) return idPattern.test(second ?? first) ? (second ?? first) : undefined;
  const message = `Identifier is for cluster ${first}. Your cluster is ${cluster}`;
  throw new GantryError('InvalidParameterException', message, { hint: 'Name the cluster of the ARN in `cluster`.' });
}

/** `family` (its latest ACTIVE revision), `family:revision` or an ARN. */
interface NamedRevision {
  readonly family: string;
  readonly revision: number | undefined;
}

/** Throws ClientException where the revision is no number. */
export function namedRevision(reference: string): NamedRevision {
  const arn = parseArn(reference);
  const name = arn?.kind === 'task-definition' ? (arn.path[0] ?? '') : reference;
  const colon = name.indexOf(':');
  if (colon === -1) return { family: name, revision: undefined };
  const text = name.slice(colon + 1);
  if (!/^[1-9]\d{0,6}$/.test(text)) {
    throw new GantryError('ClientException', `Invalid revision number. Number: ${text}`, { field: 'taskDefinition' });
  }
  return { family: name.slice(0, colon), revision: Number(text) };
}

/** Which revision is meant; undefined where a bare family has no ACTIVE one. Whether `family:revision` exists is not asked. */
export async function revisionMeant(
  { table }: Pick<ControlDeps, 'table'>,
  reference: string,
): Promise<RevisionReference | undefined> {
  const { family, revision } = namedRevision(reference);
  if (!namePattern.test(family)) return undefined;
  if (revision !== undefined) return { family, revision };
  const latest = await latestActiveRevision(table, family);
  return latest === undefined ? undefined : { family, revision: latest };
}
