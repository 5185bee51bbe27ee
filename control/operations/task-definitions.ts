/** DescribeTaskDefinition, and reading revisions. Registering and retiring them have files of their own. */
import { GantryError } from '../../core/errors.ts';
import type { TaskDefinition } from '../../core/model/task-definition.ts';
import type { ControlDeps } from '../deps.ts';
import { getRevisionStatus, type RevisionReference, type RevisionStatus } from '../store/task-definitions.ts';
import type { Handlers } from './context.ts';
import { revisionMeant } from './references.ts';
import { taskDefinitionView } from './views/task-definition-view.ts';
import { withTags } from './views/with-tags.ts';

export const describeTaskDefinition: Handlers['DescribeTaskDefinition'] = async ({ deps }, input) => {
  const meant = await revisionMeant(deps, input.taskDefinition);
  const found = meant === undefined ? undefined : await readRevision(deps, meant);
  if (found === undefined) {
    throw new GantryError('ClientException', 'Unable to describe task definition.', {
      field: 'taskDefinition',
      hint: `Nothing is registered as ${input.taskDefinition}, or the family has no ACTIVE revision.`,
    });
  }
  const { definition, status } = found;
  return withTags(
    { taskDefinition: taskDefinitionView(deps.realm, definition, status), tags: status.tags },
    input.include,
  );
};

/** The body from memory, the status strongly; undefined where there is no such revision. */
export async function readRevision(
  { recent, table }: Pick<ControlDeps, 'recent' | 'table'>,
  at: RevisionReference,
): Promise<{ readonly definition: TaskDefinition; readonly status: RevisionStatus } | undefined> {
  const [definition, status] = await Promise.all([recent.revisionBody(at), getRevisionStatus(table, at)]);
  return definition === undefined || status === undefined ? undefined : { definition, status };
}
