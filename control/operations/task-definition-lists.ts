/** ListTaskDefinitions, ListTaskDefinitionFamilies. */
import { z } from 'zod';
import { taskDefinitionArn } from '../../core/arn.ts';
import { namePattern } from '../../core/model/cluster.ts';
import type { ControlDeps } from '../deps.ts';
import { familiesInOrder, revisionsPage } from '../store/revision-lists.ts';
import type { Handlers } from './context.ts';
import { decodeToken, nextTokenOf, pageSize, takePage } from './paging.ts';

export const listTaskDefinitions: Handlers['ListTaskDefinitions'] = async ({ deps }, input) => {
  const size = pageSize(input.maxResults, 'maxResults');
  const { status = 'ACTIVE', familyPrefix: family, sort = 'ASC' } = input;
  const after = input.nextToken === undefined ? {} : { after: decodeToken(positionSchema, input.nextToken) };
  if (family !== undefined && !namePattern.test(family)) return { taskDefinitionArns: [] };
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

/** As ECS has it: an INACTIVE family is one without an ACTIVE revision, and what is being deleted is none at all. */
export const listTaskDefinitionFamilies: Handlers['ListTaskDefinitionFamilies'] = async ({ deps }, input) => {
  const size = pageSize(input.maxResults, 'maxResults');
  const { status = 'ALL', familyPrefix: prefix = '', nextToken } = input;
  const after = nextToken === undefined ? undefined : decodeToken(z.string().regex(namePattern), nextToken);
  // What is no name begins no name.
  if (prefix !== '' && !namePattern.test(prefix)) return { families: [] };
  const { taken, resumeAfter } = await takePage(families(deps, status, { prefix, after }), size);
  return { families: taken, ...nextTokenOf(resumeAfter) };
};

async function* families(
  { table }: ControlDeps,
  status: 'ACTIVE' | 'INACTIVE' | 'ALL',
  range: { readonly prefix: string; readonly after: string | undefined },
): AsyncGenerator<{ position: string; entry: string }, undefined> {
  const [active, inactive] = [familiesInOrder(table, 'ACTIVE', range), familiesInOrder(table, 'INACTIVE', range)];
  if (status === 'ACTIVE') {
    for await (const family of active) yield { position: family, entry: family };
    return;
  }
  let [a, b] = await Promise.all([active.next(), inactive.next()]);
  while (!(a.done === true && b.done === true)) {
    // Both are in the order of bytes, which for names is that of strings.
    const isActive = a.done !== true && (b.done === true || a.value <= b.value);
    const family = (isActive ? a.value : b.value) ?? '';
    if (!isActive || status === 'ALL') yield { position: family, entry: family };
    const [usedA, usedB] = [isActive, b.value === family];
    [a, b] = await Promise.all([usedA ? active.next() : a, usedB ? inactive.next() : b]);
  }
}
