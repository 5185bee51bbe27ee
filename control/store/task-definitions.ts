/**
 * Access paths of task definitions. A revision is three items: its body (written once), its status, and, while ACTIVE, a pointer
 * that makes "the newest ACTIVE one" a query of one item. A listing over all families has one partition a status.
 */
import { z } from 'zod';
import { tagSchema } from '../../core/model/cluster.ts';
import {
  type TaskDefinition,
  taskDefinitionSchema,
  taskDefinitionStatusSchema,
} from '../../core/model/task-definition.ts';
import { parseOptional } from './item.ts';
import { keys, partitions } from './keys.ts';
import type { Item, ReadItem, Table } from './table.ts';

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

export const revisionReferenceSchema = z.object({ family: z.string(), revision: z.number().int() });
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

export const counterOf = (item: Item | undefined): number => parseOptional(counterSchema, item)?.last ?? 0;
