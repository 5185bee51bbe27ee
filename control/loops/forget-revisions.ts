/**
 * Ends the deletion of revisions: once no task that has not stopped, and no request that is still being carried out, is of a revision
 * that is DELETE_IN_PROGRESS, it is gone. Its body stays for as long as tasks that have stopped are told of.
 */
import type { ControlDeps } from '../deps.ts';
import { livelyClusterNames } from '../store/clusters.ts';
import { getRequest, openRequests } from '../store/requests.ts';
import { endDeletion } from '../store/revision-changes.ts';
import { revisionsInDeletion } from '../store/revision-lists.ts';
import { getRevisionBody, getRevisionStatus, type RevisionReference } from '../store/task-definitions.ts';
import { getTasks, liveTasks } from '../store/tasks.ts';
import type { LoopResult, StoreLoop } from './loop.ts';

/** A RunTask that saw the revision ACTIVE has made its tasks, or is listed as open, long before this is over. */
const minAgeMs = 60_000;
/** A task may stop just before its revision is gone, and clocks differ. */
const graceSeconds = 24 * 3600;
const entriesAtOnce = 1000;

export const forgetRevisions: StoreLoop = {
  name: 'forget-revisions',
  scope: 'store',
  periodSeconds: () => 3600,
  activate,
};

async function activate(deps: ControlDeps): Promise<LoopResult> {
  const listed = await revisionsInDeletion(deps.table);
  if (listed.length === 0) return { changed: 0 };
  const now = deps.clock.now();
  const due: RevisionReference[] = [];
  let againAt = Infinity;
  for (const at of listed) {
    const requestedAt = (await getRevisionStatus(deps.table, at))?.deleteRequestedAt;
    if (requestedAt === undefined) continue;
    if (requestedAt + minAgeMs <= now) due.push(at);
    else againAt = Math.min(againAt, requestedAt + minAgeMs);
  }
  const inUse =
    due.length === 0 ? new Set<string>() : await revisionsInUse(deps, new Set(due.map(({ family }) => family)));
  let changed = 0;
  for (const at of due) if (!inUse.has(nameOf(at)) && (await end(deps, at))) changed += 1;
  return Number.isFinite(againAt) ? { changed, againAt } : { changed };
}

const nameOf = ({ family, revision }: RevisionReference): string => `${family}:${revision}`;

/** Of these families: what live tasks and open requests are of. */
async function revisionsInUse({ table, clock }: ControlDeps, families: ReadonlySet<string>): Promise<Set<string>> {
  const used = new Set<string>();
  for (const { cluster, token } of await openRequests(table)) {
    const found = await getRequest(table, cluster, token, clock.now());
    if (found !== undefined) used.add(nameOf(found.request.template));
  }
  for (const cluster of await livelyClusterNames(table, clock.now())) {
    const ids: string[] = [];
    for await (const { entry } of liveTasks(table, cluster, { pageSize: entriesAtOnce }))
      if (families.has(entry.family)) ids.push(entry.taskId);
    for (const task of (await getTasks(table, ids)).values()) used.add(nameOf(task));
  }
  return used;
}

async function end({ table, clock, settings, log }: ControlDeps, at: RevisionReference): Promise<boolean> {
  const body = await getRevisionBody(table, at);
  if (body === undefined) return false;
  const expiresAt = Math.ceil(clock.now() / 1000) + settings.retentionSeconds + graceSeconds;
  const { outcome } = await table.commit(endDeletion(body, expiresAt));
  if (outcome === 'done') log.info({ ...at }, 'a deleted revision is gone');
  return outcome === 'done';
}
