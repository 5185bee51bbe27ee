/** Reading revisions, for whatever needs one whole. Registering, describing and retiring them have files of their own. */
import type { TaskDefinition } from '../../core/model/task-definition.ts';
import type { ControlDeps } from '../deps.ts';
import { getRevisionStatus, type RevisionReference, type RevisionStatus } from '../store/task-definitions.ts';

/** The body from memory, the status strongly; undefined where there is no such revision. */
export async function readRevision(
  { recent, table }: Pick<ControlDeps, 'recent' | 'table'>,
  at: RevisionReference,
): Promise<{ readonly definition: TaskDefinition; readonly status: RevisionStatus } | undefined> {
  const [definition, status] = await Promise.all([recent.revisionBody(at), getRevisionStatus(table, at)]);
  return definition === undefined || status === undefined ? undefined : { definition, status };
}
