/** DeregisterTaskDefinition, DeleteTaskDefinitions. What is left of a deleted revision is taken away by the loop forget-revisions. */
import type { TaskDefinitionView } from '../../core/api/shapes.ts';
import { parseArn, taskDefinitionArn } from '../../core/arn.ts';
import { GantryError } from '../../core/errors.ts';
import { namePattern } from '../../core/model/cluster.ts';
import { clientFault, parameterFault } from '../../core/model/faults.ts';
import { attempt } from '../attempts.ts';
import type { ControlDeps } from '../deps.ts';
import { beginDeletion, deregisterRevision } from '../store/revision-changes.ts';
import type { RevisionReference } from '../store/task-definitions.ts';
import type { Handlers } from './context.ts';
import { namedRevision, strangenessOf } from './references.ts';
import { readRevision } from './task-definitions.ts';
import { taskDefinitionView } from './views/task-definition-view.ts';

export const deregisterTaskDefinition: Handlers['DeregisterTaskDefinition'] = async ({ deps }, input) => {
  const { family, revision } = namedRevision(deps, input.taskDefinition);
  if (revision === undefined)
    throw clientFault('taskDefinition', 'Revision is missing.', 'Name the revision as family:revision.');
  const at = { family, revision };
  return attempt(deps, { most: 10, what: `${family}:${revision}` }, async () => {
    const found = namePattern.test(family) ? await readRevision(deps, at) : undefined;
    if (found === undefined) throw clientFault('taskDefinition', 'The specified task definition does not exist.');
    const { definition, status } = found;
    // Asked again, or lost the answer: it is as it was asked for.
    if (status.status !== 'ACTIVE') return { taskDefinition: taskDefinitionView(deps.realm, definition, status) };
    const deregisteredAt = deps.clock.now();
    const { outcome } = await deps.table.commit(deregisterRevision(at, deregisteredAt));
    if (outcome !== 'done') return undefined;
    const inactive = { status: 'INACTIVE' as const, deregisteredAt };
    return { taskDefinition: taskDefinitionView(deps.realm, definition, inactive) };
  });
};

/** ECS' own limit. */
const mostDeletions = 10;

export const deleteTaskDefinitions: Handlers['DeleteTaskDefinitions'] = async (
  { deps },
  { taskDefinitions: names },
) => {
  if (names.length === 0)
    throw parameterFault('taskDefinitions', 'size of TaskDefinition references list must be greater than 0');
  if (names.length > mostDeletions)
    throw parameterFault('taskDefinitions', `Size of TaskDefinition references list cannot exceed ${mostDeletions}`);
  const taskDefinitions: TaskDefinitionView[] = [];
  const failures: { arn: string; reason: string }[] = [];
  for (const name of new Set(names)) {
    const result = await deleteOne(deps, name);
    if ('reason' in result) {
      if (!failures.some(({ arn }) => arn === result.arn)) failures.push(result);
    } else if (!taskDefinitions.some(({ taskDefinitionArn: known }) => known === result.taskDefinitionArn))
      taskDefinitions.push(result);
  }
  if (taskDefinitions.length > 0) deps.activate('forget-revisions');
  return { taskDefinitions, failures };
};

/** ECS' own words. */
const refusals = {
  unreadable: 'The specified task definition identifier is invalid. Specify a valid name or ARN and try again.',
  missing: 'The specified task definition does not exist. Specify a valid account, family, revision and try again.',
  active: 'The specified task definition is still in ACTIVE status. Please deregister the target and try again.',
} as const;

function deleteOne(deps: ControlDeps, name: string): Promise<TaskDefinitionView | { arn: string; reason: string }> {
  const at = revisionNamed(deps, name);
  if (at === undefined) {
    const parsed = parseArn(name);
    const isStrange = parsed?.kind === 'task-definition' && strangenessOf(deps.realm, parsed) !== undefined;
    return Promise.resolve({ arn: name, reason: isStrange ? refusals.missing : refusals.unreadable });
  }
  const arn = taskDefinitionArn(deps.realm, at.family, at.revision);
  return attempt(deps, { most: 10, what: `${at.family}:${at.revision}` }, async () => {
    const found = await readRevision(deps, at);
    if (found === undefined) return { arn, reason: refusals.missing };
    const { definition, status } = found;
    if (status.status === 'ACTIVE') return { arn, reason: refusals.active };
    if (status.status === 'DELETE_IN_PROGRESS') return taskDefinitionView(deps.realm, definition, status);
    const deleteRequestedAt = deps.clock.now();
    const { outcome } = await deps.table.commit(beginDeletion(at, deleteRequestedAt));
    if (outcome !== 'done') return undefined;
    return taskDefinitionView(deps.realm, definition, { ...status, status: 'DELETE_IN_PROGRESS', deleteRequestedAt });
  });
}

/** Undefined where the reference names no revision. */
function revisionNamed(deps: ControlDeps, name: string): RevisionReference | undefined {
  try {
    const { family, revision } = namedRevision(deps, name);
    return revision === undefined || !namePattern.test(family) ? undefined : { family, revision };
  } catch (error) {
    if (error instanceof GantryError) return undefined;
    throw error;
  }
}
