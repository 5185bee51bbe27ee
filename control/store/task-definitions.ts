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
import { queryAll } from './read-all.ts';
import type { Change, Item, Path, ReadItem, Table } from './table.ts';

/** What of a revision may change. */
const revisionStatusSchema = z.object({
  status: taskDefinitionStatusSchema,
  tags: z.array(tagSchema),
  /** Grows with each change of the tags; absent while they are as they were registered. */
  tagsVersion: z.number().int().optional(),
  deregisteredAt: z.number().optional(),
  deleteRequestedAt: z.number().optional(),
});
export type RevisionStatus = z.infer<typeof revisionStatusSchema>;

const revisionReferenceSchema = z.object({ family: z.string(), revision: z.number().int() });
export type RevisionReference = z.infer<typeof revisionReferenceSchema>;

const counterSchema = z.object({ last: z.number().int() });

export const getRevisionBody = async (table: Table, at: RevisionReference): Promise<TaskDefinition | undefined> =>
  parseOptional(taskDefinitionSchema, await table.get(keys.revisionBody(at.family, at.revision)));

/** As `read` finds it: within a commit. */
export const revisionBodyIn = (read: ReadItem, at: RevisionReference): TaskDefinition | undefined =>
  parseOptional(taskDefinitionSchema, read(keys.revisionBody(at.family, at.revision)));

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
export const deregisterRevision = (at: RevisionReference, deregisteredAt: number): Change[] => [
  ...moveRevision(at, ['ACTIVE', 'INACTIVE'], { path: ['deregisteredAt'], value: deregisteredAt }),
  { kind: 'delete', key: keys.revisionActive(at.family, at.revision), when: [] },
];

/** INACTIVE to DELETE_IN_PROGRESS, on the condition that it is INACTIVE. */
export const beginDeletion = (at: RevisionReference, deleteRequestedAt: number): Change[] =>
  moveRevision(at, ['INACTIVE', 'DELETE_IN_PROGRESS'], { path: ['deleteRequestedAt'], value: deleteRequestedAt });

/** Leaves the tags alone, which others may be changing. */
function moveRevision(
  { family, revision }: RevisionReference,
  [from, to]: readonly [TaskDefinitionStatus, TaskDefinitionStatus],
  when: { readonly path: Path; readonly value: number },
): Change[] {
  return [
    {
      kind: 'update',
      key: keys.revisionStatus(family, revision),
      set: [{ path: ['status'], value: to }, when],
      when: [{ path: ['status'], is: '=', value: from }],
    },
    { kind: 'delete', key: keys.revisionListing(from, family, revision), when: [] },
    { kind: 'put', item: itemOf(keys.revisionListing(to, family, revision), { family, revision }), when: [] },
  ];
}

/** Leaves the status alone, which others may be changing. */
export const setRevisionTags = (at: RevisionReference, seen: RevisionStatus, tags: RevisionStatus['tags']): Change => ({
  kind: 'update',
  key: keys.revisionStatus(at.family, at.revision),
  set: [
    { path: ['tags'], value: tags },
    { path: ['tagsVersion'], value: (seen.tagsVersion ?? 0) + 1 },
  ],
  when: [
    seen.tagsVersion === undefined
      ? { path: ['tagsVersion'], is: 'absent' }
      : { path: ['tagsVersion'], is: '=', value: seen.tagsVersion },
  ],
});

/**
 * The end of a revision that is DELETE_IN_PROGRESS. Its body is kept until `bodyExpiresAt` (epoch seconds): tasks that have stopped are
 * still told of. Its number is never given out again.
 */
export const endDeletion = (body: TaskDefinition, bodyExpiresAt: number): Change[] => [
  {
    kind: 'delete',
    key: keys.revisionStatus(body.family, body.revision),
    when: [{ path: ['status'], is: '=', value: 'DELETE_IN_PROGRESS' }],
  },
  { kind: 'delete', key: keys.revisionListing('DELETE_IN_PROGRESS', body.family, body.revision), when: [] },
  {
    kind: 'put',
    item: itemOf(keys.revisionBody(body.family, body.revision), body, { expiresAt: bodyExpiresAt }),
    when: [],
  },
];

/** Those that are DELETE_IN_PROGRESS, as they were some moments ago. */
export const revisionsInDeletion = async (table: Table): Promise<RevisionReference[]> =>
  (await queryAll(table, partitions.revisions('DELETE_IN_PROGRESS'), { eventual: true })).map((item) =>
    parseItem(revisionReferenceSchema, item),
  );

/** Names of families that have a revision of this status, in their order; each costs one query at most. */
export async function* familiesInOrder(
  table: Table,
  status: TaskDefinitionStatus,
  options: { readonly prefix: string; readonly after: string | undefined },
): AsyncGenerator<string, undefined> {
  let after = options.after === undefined ? undefined : partitions.revisionsEnd(options.after);
  for (;;) {
    const page = await table.query(partitions.revisions(status), {
      prefix: options.prefix,
      limit: revisionsAtOnce,
      ...(after === undefined ? {} : { after }),
    });
    const families = new Set(page.items.map((item) => parseItem(revisionReferenceSchema, item).family));
    yield* families;
    const last = [...families].at(-1);
    if (page.next === undefined) return;
    // The rest of a family's revisions, which may be a million, is passed over.
    after = last === undefined ? page.next : partitions.revisionsEnd(last);
  }
}

const revisionsAtOnce = 50;

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
