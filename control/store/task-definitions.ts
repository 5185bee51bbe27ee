/**
 * Access paths of task definitions. A revision is three items: its body (written once), its status, and, while ACTIVE, a pointer
 * that makes "the newest ACTIVE one" a query of one item. A listing over all families has one partition a status.
 */
import { z } from 'zod';
import { tagSchema } from '../../core/model/cluster.ts';
import {
  type TaskDefinition,
  type TaskDefinitionStatus,
  taskDefinitionSchema,
  taskDefinitionStatusSchema,
} from '../../core/model/task-definition.ts';
import { itemOf, parseItem, parseOptional } from './item.ts';
import { keys, partitions } from './keys.ts';
import type { Change, Item, Table } from './table.ts';

/** What of a revision may change. */
const revisionStatusSchema = z.object({
  status: taskDefinitionStatusSchema,
  tags: z.array(tagSchema),
  deregisteredAt: z.number().optional(),
});
export type RevisionStatus = z.infer<typeof revisionStatusSchema>;

const revisionReferenceSchema = z.object({ family: z.string(), revision: z.number().int() });
export type RevisionReference = z.infer<typeof revisionReferenceSchema>;

const counterSchema = z.object({ last: z.number().int() });

export const getRevisionBody = async (table: Table, at: RevisionReference): Promise<TaskDefinition | undefined> =>
  parseOptional(taskDefinitionSchema, await table.get(keys.revisionBody(at.family, at.revision)));

export const getRevisionStatus = async (table: Table, at: RevisionReference): Promise<RevisionStatus | undefined> =>
  parseOptional(revisionStatusSchema, await table.get(keys.revisionStatus(at.family, at.revision)));

export async function latestActiveRevision(table: Table, family: string): Promise<number | undefined> {
  const page = await table.query(partitions.family(family), {
    prefix: partitions.activeRevisionPrefix,
    descending: true,
    limit: 1,
  });
  return parseOptional(revisionReferenceSchema, page.items[0])?.revision;
}

/** The last revision number given out in a family; 0 for a new family. */
export const lastRevision = async (table: Table, family: string): Promise<number> =>
  counterOf(await table.get(keys.familyCounter(family)));

const counterOf = (item: Item | undefined): number => parseOptional(counterSchema, item)?.last ?? 0;

/**
 * Everything that makes `body.revision` exist, on the condition that `body.revision - 1` is still the last one given out. The
 * counter is the first change: where it is refused, `refusedCounter` tells the newer number.
 */
export function registerRevision(body: TaskDefinition, status: RevisionStatus): Change[] {
  const { family, revision } = body;
  const reference = { family, revision };
  return [
    {
      kind: 'put',
      item: itemOf(keys.familyCounter(family), { last: revision }),
      when: revision === 1 ? [{ item: 'absent' }] : [{ path: ['last'], is: '=', value: revision - 1 }],
    },
    { kind: 'put', item: itemOf(keys.revisionBody(family, revision), body), when: [{ item: 'absent' }] },
    { kind: 'put', item: itemOf(keys.revisionStatus(family, revision), status), when: [{ item: 'absent' }] },
    { kind: 'put', item: itemOf(keys.revisionActive(family, revision), reference), when: [{ item: 'absent' }] },
    { kind: 'put', item: itemOf(keys.revisionListing('ACTIVE', family, revision), reference), when: [] },
  ];
}

/** The family's newer last revision, from a refused `registerRevision`. */
export function refusedCounter(
  failed: readonly { readonly index: number; readonly item?: Item }[],
): number | undefined {
  const counter = failed.find(({ index }) => index === 0)?.item;
  return counter === undefined ? undefined : counterOf(counter);
}

/** ACTIVE to INACTIVE, on the condition that it is ACTIVE. */
export function deregisterRevision(at: RevisionReference, next: RevisionStatus): Change[] {
  const { family, revision } = at;
  return [
    {
      kind: 'put',
      item: itemOf(keys.revisionStatus(family, revision), next),
      when: [{ path: ['status'], is: '=', value: 'ACTIVE' }],
    },
    { kind: 'delete', key: keys.revisionActive(family, revision), when: [] },
    { kind: 'delete', key: keys.revisionListing('ACTIVE', family, revision), when: [] },
    { kind: 'put', item: itemOf(keys.revisionListing('INACTIVE', family, revision), { family, revision }), when: [] },
  ];
}

/** In the order of families and revisions; `after` is the position that `next` named. */
export async function revisionsPage(
  table: Table,
  status: TaskDefinitionStatus,
  options: { family?: string; after?: string; limit: number; descending: boolean },
): Promise<{ revisions: RevisionReference[]; next?: string }> {
  const { family, after, limit, descending } = options;
  const page = await table.query(partitions.revisions(status), {
    limit,
    descending,
    ...(family === undefined ? {} : { prefix: `${family}#` }),
    ...(after === undefined ? {} : { after }),
  });
  const revisions = page.items.map((item) => parseItem(revisionReferenceSchema, item));
  return page.next === undefined ? { revisions } : { revisions, next: page.next };
}
