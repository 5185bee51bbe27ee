/** Finishes RunTask requests that a crash left open: their tasks were promised with the first chunk. */
import type { ControlDeps } from '../deps.ts';
import { getRequest, type OpenRequest, openRequests, unlistOpenRequest } from '../store/requests.ts';
import { carryOut } from '../tasks/run-request.ts';
import type { LoopResult, StoreLoop } from './loop.ts';

/** A younger one is most likely still in the hands of the call that made it. */
const minAgeMs = 5_000;

export const finishRequests: StoreLoop = {
  name: 'finish-requests',
  scope: 'store',
  periodSeconds: (deps) => deps.settings.heartbeatSeconds,
  activate,
};

async function activate(deps: ControlDeps): Promise<LoopResult> {
  const now = deps.clock.now();
  const open = await openRequests(deps.table);
  const due = open.filter(({ createdAt }) => createdAt + minAgeMs <= now);
  for (const request of due) await finish(deps, request);
  const youngest = open.find(({ createdAt }) => createdAt + minAgeMs > now);
  return youngest === undefined
    ? { changed: due.length }
    : { changed: due.length, againAt: youngest.createdAt + minAgeMs };
}

async function finish(deps: ControlDeps, listed: OpenRequest): Promise<void> {
  const found = await getRequest(deps.table, listed.cluster, listed.token, deps.clock.now());
  if (found === undefined) {
    await deps.table.commit([unlistOpenRequest(listed)]);
    return;
  }
  await carryOut(deps, { request: found.request, stored: 'yes', made: new Map() });
  deps.log.info({ cluster: listed.cluster, token: listed.token }, 'finished a RunTask request that was left open');
}
