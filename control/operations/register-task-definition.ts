/** RegisterTaskDefinition: a body with its defaults, under the family's next number. */
import { GantryError } from '../../core/errors.ts';
import { normaliseTaskDefinition } from '../../core/model/normalise-task-definition.ts';
import type { TaskDefinition } from '../../core/model/task-definition.ts';
import { attempt } from '../attempts.ts';
import type { ControlDeps } from '../deps.ts';
import { authorizeDefinition } from '../http/auth/task-rights.ts';
import { refusedCounter, registerRevision } from '../store/revision-changes.ts';
import { lastRevision, type RevisionStatus } from '../store/task-definitions.ts';
import type { Handlers } from './context.ts';
import { taskDefinitionView } from './views/task-definition-view.ts';

const mostRevisions = 1_000_000;

export const registerTaskDefinition: Handlers['RegisterTaskDefinition'] = async ({ deps, principal }, input) => {
  authorizeDefinition(principal, deps.realm.accountId, input);
  const { definition, tags, warnings } = normaliseTaskDefinition(input);
  const registered = await allocate(deps, { ...definition, registeredBy: principal.arn }, tags);
  return { taskDefinition: taskDefinitionView(deps.realm, registered, { status: 'ACTIVE' }), tags, warnings };
};

/**
 * Gives the body the family's next number. Whoever is overtaken learns the newer number from the refusal; the many tries are for
 * many registrations of one family at once, of which one a round succeeds.
 */
function allocate(
  deps: ControlDeps,
  body: Omit<TaskDefinition, 'revision' | 'registeredAt'>,
  tags: RevisionStatus['tags'],
): Promise<TaskDefinition> {
  const { table, clock } = deps;
  const what = `family ${body.family}`;
  let last: number | undefined;
  return attempt(deps, { most: 100, what, longestPauseMs: 50 }, async () => {
    last ??= await lastRevision(table, body.family);
    if (last >= mostRevisions) {
      throw new GantryError('LimitExceededException', `A family has at most ${mostRevisions} revisions.`, {
        hint: 'Register under another family.',
      });
    }
    const definition: TaskDefinition = { ...body, revision: last + 1, registeredAt: clock.now() };
    const result = await table.commit(registerRevision(definition, { status: 'ACTIVE', tags }));
    if (result.outcome === 'done') return definition;
    last = result.outcome === 'refused' ? refusedCounter(result.failed) : undefined;
    return undefined;
  });
}
