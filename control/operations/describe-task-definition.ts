/** DescribeTaskDefinition. */
import { GantryError } from '../../core/errors.ts';
import type { Handlers } from './context.ts';
import { revisionMeant } from './references.ts';
import { readRevision } from './task-definitions.ts';
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
