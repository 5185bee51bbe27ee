/** RegisterTaskDefinition, DescribeTaskDefinition, ListTaskDefinitions, DeregisterTaskDefinition. */
import { z } from 'zod';
import { taskDefinitionArn } from '../../core/arn.ts';
import { GantryError } from '../../core/errors.ts';
import { namePattern } from '../../core/model/cluster.ts';
import { normaliseTaskDefinition } from '../../core/model/normalise-task-definition.ts';
import type { TaskDefinition } from '../../core/model/task-definition.ts';
import { attempt } from '../attempts.ts';
import type { ControlDeps } from '../deps.ts';
import {
  deregisterRevision,
  getRevisionStatus,
  lastRevision,
  type RevisionReference,
  type RevisionStatus,
  refusedCounter,
  registerRevision,
  revisionsPage,
} from '../store/task-definitions.ts';
import type { Handlers } from './context.ts';
import { decodeToken, nextTokenOf, pageSize } from './paging.ts';
import { namedRevision, revisionMeant } from './references.ts';
import { taskDefinitionView } from './views/task-definition-view.ts';

const mostRevisions = 1_000_000;

export const registerTaskDefinition: Handlers['RegisterTaskDefinition'] = async ({ deps, principal }, input) => {
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

export const describeTaskDefinition: Handlers['DescribeTaskDefinition'] = async ({ deps }, input) => {
  const meant = await revisionMeant(deps, input.taskDefinition);
  const found = meant === undefined ? undefined : await readRevision(deps, meant);
  if (found === undefined) {
    throw new GantryError('ClientException', 'Unable to describe task definition.', {
      field: 'taskDefinition',
      hint: `Nothing is registered as ${input.taskDefinition}, or the family has no ACTIVE revision.`,
    });
  }
  return { taskDefinition: taskDefinitionView(deps.realm, found.definition, found.status), tags: found.status.tags };
};

/** The body from memory, the status strongly; undefined where there is no such revision. */
export async function readRevision(
  { recent, table }: Pick<ControlDeps, 'recent' | 'table'>,
  at: RevisionReference,
): Promise<{ readonly definition: TaskDefinition; readonly status: RevisionStatus } | undefined> {
  const [definition, status] = await Promise.all([recent.revisionBody(at), getRevisionStatus(table, at)]);
  return definition === undefined || status === undefined ? undefined : { definition, status };
}

export const listTaskDefinitions: Handlers['ListTaskDefinitions'] = async ({ deps }, input) => {
  const size = pageSize(input.maxResults, 'maxResults');
  const { status = 'ACTIVE', familyPrefix: family, sort = 'ASC' } = input;
  const isName = family === undefined || namePattern.test(family);
  if (status === 'DELETE_IN_PROGRESS' || !isName) return { taskDefinitionArns: [] };
  const after = input.nextToken === undefined ? {} : { after: decodeToken(positionSchema, input.nextToken) };
  const { revisions, next } = await revisionsPage(deps.table, status, {
    ...(family === undefined ? {} : { family }),
    ...after,
    limit: size,
    descending: sort === 'DESC',
  });
  const arns = revisions.map((at) => taskDefinitionArn(deps.realm, at.family, at.revision));
  return { taskDefinitionArns: arns, ...nextTokenOf(next) };
};

const positionSchema = z.string().regex(/^[a-zA-Z0-9_-]{1,255}#\d{7}$/);

export const deregisterTaskDefinition: Handlers['DeregisterTaskDefinition'] = async ({ deps }, input) => {
  const { family, revision } = namedRevision(input.taskDefinition);
  if (revision === undefined) {
    throw new GantryError('ClientException', 'Revision is missing.', {
      field: 'taskDefinition',
      hint: 'Name the revision as family:revision.',
    });
  }
  const at = { family, revision };
  return attempt(deps, { most: 10, what: `${family}:${revision}` }, async () => {
    const found = namePattern.test(family) ? await readRevision(deps, at) : undefined;
    if (found === undefined) {
      throw new GantryError('ClientException', 'The specified task definition does not exist.', {
        field: 'taskDefinition',
      });
    }
    const { definition, status } = found;
    // Asked again, or lost the answer: it is as it was asked for.
    if (status.status === 'INACTIVE') return { taskDefinition: taskDefinitionView(deps.realm, definition, status) };
    const inactive: RevisionStatus = { ...status, status: 'INACTIVE', deregisteredAt: deps.clock.now() };
    const { outcome } = await deps.table.commit(deregisterRevision(at, inactive));
    if (outcome !== 'done') return undefined;
    return { taskDefinition: taskDefinitionView(deps.realm, definition, inactive) };
  });
};
