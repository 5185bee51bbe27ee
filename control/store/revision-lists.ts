/** Lists of revisions and of their families, by status. */
import type { TaskDefinitionStatus } from '../../core/model/task-definition.ts';
import { parseItem } from './item.ts';
import { partitions } from './keys.ts';
import { queryAll } from './read-all.ts';
import type { Table } from './table.ts';
import { type RevisionReference, revisionReferenceSchema } from './task-definitions.ts';

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
