/** Finishes RunTask requests that a crash left open: their tasks were promised with the first chunk. */
import type { ControlDeps } from '../deps.ts';
import { getRequest, isOpen, type OpenRequest, openRequests, unlistOpenRequest } from '../store/requests.ts';
import { carryOut, nothingMade } from '../tasks/run-request.ts';
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
  let changed = 0;
  for (const request of due) if (await finish(deps, request)) changed += 1;
  const oldestOfOthers = open.find(({ createdAt }) => createdAt + minAgeMs > now);
  return oldestOfOthers === undefined ? { changed } : { changed, againAt: oldestOfOthers.createdAt + minAgeMs };
}

/** One that cannot be finished now does not hold up those behind it. */
async function finish(deps: ControlDeps, listed: OpenRequest): Promise<boolean> {
  const { cluster, token } = listed;
  try {
    const request = (await getRequest(deps.table, cluster, token, deps.clock.now()))?.request;
    if (request === undefined || !isOpen(request)) {
      await deps.table.commit([unlistOpenRequest(listed)]);
      return true;
    }
    await carryOut(deps, { request, stored: 'yes', ...nothingMade });
    deps.log.info({ cluster, token }, 'finished a RunTask request that was left open');
    return true;
  } catch (error) {
    deps.log.error({ err: error, cluster, token }, 'an open RunTask request could not be finished; it is tried again');
    return false;
  }
}
