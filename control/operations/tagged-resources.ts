/**
 * What can be tagged: how each kind is found by its ARN, in ECS' own words where it is not, and the change that gives it other tags.
 * Tags are of the item that they are shown with, so each change is refused where that item was changed since.
 */
import { type ArnKind, type ParsedArn, parseArn, type Realm } from '../../core/arn.ts';
import { compact } from '../../core/compact.ts';
import { GantryError } from '../../core/errors.ts';
import { namePattern, type Tag } from '../../core/model/cluster.ts';
import { parameterFault } from '../../core/model/faults.ts';
import { refuseLimitChange } from '../../core/model/task-limits.ts';
import { hasReplaceableTag, type Replaceability, replaceabilityOf } from '../../core/task/replaceable.ts';
import { lastStatus } from '../../core/task/status.ts';
import type { ControlDeps } from '../deps.ts';
import { authorizeCluster, authorizeStore } from '../http/auth/policy.ts';
import { getCapacityProvider, replaceCapacityProvider } from '../store/capacity-providers.ts';
import { getCluster, replaceCluster } from '../store/clusters.ts';
import { getHostCapacity, getHostIdentity, replaceHostIdentity } from '../store/hosts.ts';
import { setRevisionTags } from '../store/revision-changes.ts';
import type { Change } from '../store/table.ts';
import { getRevisionStatus } from '../store/task-definitions.ts';
import { getTask, replaceTask } from '../store/tasks.ts';
import type { OperationContext } from './context.ts';
import { clusterNotFound, isId, namedRevision, strangenessOf } from './references.ts';
import { isForgotten } from './tasks.ts';

export type TaggableKind = Exclude<ArnKind, 'container'>;

export interface TagTarget extends ParsedArn {
  readonly kind: TaggableKind;
}

export interface Tagged {
  readonly tags: readonly Tag[];
  /** Throws where its tags can be changed no more. */
  readonly changes: (tags: Tag[]) => Change[] | Promise<Change[]>;
  /** After the commit: what this process remembers follows. */
  readonly changed: () => void;
}

/** Throws InvalidParameterException unless it is the ARN of something that can be tagged, of this account and region. */
export function tagTarget(realm: Realm, resourceArn: string): TagTarget {
  const refuse = (message: string, hint?: string) => parameterFault('resourceArn', message, hint);
  const arn = parseArn(resourceArn);
  if (arn === undefined || arn.kind === 'container')
    throw refuse(
      `Invalid identifier: ${resourceArn} names nothing that has tags.`,
      'Name a task, task definition, cluster, container instance or capacity provider by its ARN.',
    );
  const { kind, path } = arn;
  const isLong = path.length === (kind === 'task' || kind === 'container-instance' ? 2 : 1);
  if (!isLong) throw refuse('Long arn format must be used for tagging operations');
  const strange = strangenessOf(realm, arn);
  if (strange !== undefined) throw refuse(strange);
  return { ...arn, kind };
}

type Read = (context: OperationContext, path: readonly string[]) => Promise<Tagged>;

const readers: Readonly<Record<TaggableKind, Read>> = {
  cluster: readCluster,
  task: readTask,
  'container-instance': readHost,
  'task-definition': readRevision,
  'capacity-provider': readProvider,
};

/** Throws where there is no such resource, or the principal may not use its cluster. */
export const readTagged = (context: OperationContext, { kind, path }: TagTarget): Promise<Tagged> =>
  readers[kind](context, path);

const missing = (what: string): GantryError =>
  new GantryError('ResourceNotFoundException', `The specified ${what} does not exist.`, { field: 'resourceArn' });

const over = (what: string, state: string, wanted: string): GantryError =>
  parameterFault('resourceArn', `The specified ${what} is ${state}. Specify ${wanted} ${what} and try again.`);

async function activeCluster({ deps, principal }: OperationContext, name: string) {
  authorizeCluster(principal, name);
  const cluster = namePattern.test(name) ? await getCluster(deps.table, name) : undefined;
  if (cluster === undefined) throw clusterNotFound();
  if (cluster.status === 'INACTIVE') throw over('cluster', 'inactive', 'an active');
  return cluster;
}

async function readCluster(context: OperationContext, [name = '']: readonly string[]): Promise<Tagged> {
  const cluster = await activeCluster(context, name);
  return {
    tags: cluster.tags,
    changes: (tags) => [replaceCluster(cluster, { ...cluster, tags })],
    changed: () => context.deps.recent.clusterChanged(name),
  };
}

async function readTask(context: OperationContext, [clusterName = '', id = '']: readonly string[]): Promise<Tagged> {
  const { deps } = context;
  const { name } = await activeCluster(context, clusterName);
  const task = isId(id) ? await getTask(deps.table, id) : undefined;
  if (task === undefined || task.cluster !== name || isForgotten(deps, task)) throw missing('task');
  return {
    tags: task.tags,
    async changes(tags) {
      if (lastStatus(task) === 'STOPPED') throw over('task', 'stopped', 'a running');
      refuseLimitChange(task.tags, tags);
      const { replaceable, replaceWhenLost } = await replaceabilityBy(deps, task, tags);
      const next = compact({ ...task, tags, replaceable, replaceWhenLost });
      return [replaceTask(task, next, deps.settings.retentionSeconds)];
    },
    changed: () => deps.feed.changed(task.id),
  };
}

/** The tag `gantry:replaceable` holds from the moment that it is given, or no more. */
async function replaceabilityBy(
  { table }: ControlDeps,
  task: Replaceability & {
    readonly family: string;
    readonly revision: number;
    readonly tags: readonly Tag[];
  },
  tags: readonly Tag[],
): Promise<Replaceability> {
  if (!hasReplaceableTag(task.tags) && !hasReplaceableTag(tags)) return task;
  return replaceabilityOf(tags, (await getRevisionStatus(table, task))?.tags ?? []);
}

async function readHost(context: OperationContext, [clusterName = '', id = '']: readonly string[]): Promise<Tagged> {
  const { deps } = context;
  const { name } = await activeCluster(context, clusterName);
  if (!isId(id)) throw missing('container instance');
  const [identity, capacity] = await Promise.all([
    getHostIdentity(deps.table, id),
    getHostCapacity(deps.table, name, id),
  ]);
  if (identity === undefined || capacity === undefined) throw missing('container instance');
  if (capacity.status === 'INACTIVE') throw over('container instance', 'inactive', 'an active');
  return {
    tags: identity.tags ?? [],
    changes: (tags) => [replaceHostIdentity(identity, { ...identity, tags })],
    changed: () => deps.recent.hostChanged(id),
  };
}

async function readRevision({ deps }: OperationContext, [reference = '']: readonly string[]): Promise<Tagged> {
  const { family, revision } = namedRevision(deps, reference);
  const at = revision === undefined || !namePattern.test(family) ? undefined : { family, revision };
  const status = at === undefined ? undefined : await getRevisionStatus(deps.table, at);
  if (at === undefined || status === undefined) throw missing('task definition');
  return {
    tags: status.tags,
    changes: (tags) => [setRevisionTags(at, status, tags)],
    changed: () => undefined,
  };
}

async function readProvider({ deps, principal }: OperationContext, [name = '']: readonly string[]): Promise<Tagged> {
  authorizeStore(principal, 'use capacity providers');
  const provider = namePattern.test(name) ? await getCapacityProvider(deps.table, name) : undefined;
  if (provider?.status !== 'ACTIVE') throw missing('capacity provider');
  return {
    tags: provider.tags,
    changes: (tags) => [replaceCapacityProvider(provider, { ...provider, tags })],
    changed: () => undefined,
  };
}
