/** What becomes of a RunTask whose tasks may not begin to wait, because its cluster is deleted or is just being deleted. */
import type { ControlDeps } from '../deps.ts';
import { clusterInactive, clusterNotFound } from '../operations/references.ts';
import { advanceRequest, unlistOpenRequest } from '../store/requests.ts';
import { openGate } from './cluster-gate.ts';
import { openRequestOf, overtaken, type Progress } from './run-request.ts';

/**
 * Opens the gate, so that it may try again: then this is undefined. Where the cluster is deleted, of a request that was begun the rest is
 * refused; one that was not is none.
 */
export async function openOrEnd(deps: ControlDeps, progress: Progress): Promise<Progress | undefined> {
  const { request: seen, stored } = progress;
  if (await openGate(deps, seen.cluster)) return undefined;
  if (stored !== 'yes') throw clusterNotFound(clusterInactive);
  const refusal = { from: seen.next, reason: 'INACTIVE', detail: 'the cluster was deleted before they were made' };
  const request = { ...seen, next: seen.count, refusal };
  const result = await deps.table.commit([advanceRequest(seen, request), unlistOpenRequest(openRequestOf(seen))]);
  return result.outcome === 'done' ? { ...progress, request } : overtaken(progress, result);
}
