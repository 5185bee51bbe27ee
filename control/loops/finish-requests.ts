/** Finishes RunTask requests that a crash left open, or that are longer than their call: their tasks were promised with the first chunk. */
import type { ControlDeps } from '../deps.ts';
import { getRequest, isOpen, type OpenRequest, openRequests, unlistOpenRequest } from '../store/requests.ts';
import { carryOut, nothingMade } from '../tasks/run-request.ts';
import type { LoopResult, StoreLoop } from './loop.ts';

/** A younger one is most likely still in the hands of the call that made it. */
const minAgeMs = 5_000;
/** Of one request in one activation, so that those behind it have their turn too. */
const tasksAtOnce = 1_000;

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
  let isLeft = false;
  for (const request of due) {
    const outcome = await finish(deps, request);
    if (outcome !== 'failed') changed += 1;
    if (outcome === 'begun') isLeft = true;
  }
  if (isLeft) return { changed, againAt: deps.clock.now() };
  const oldestOfOthers = open.find(({ createdAt }) => createdAt + minAgeMs > now);
  return oldestOfOthers === undefined ? { changed } : { changed, againAt: oldestOfOthers.createdAt + minAgeMs };
}

/** One that cannot be finished now does not hold up those behind it. */
async function finish(deps: ControlDeps, listed: OpenRequest): Promise<'finished' | 'begun' | 'failed'> {
  const { cluster, token } = listed;
  try {
    const request = (await getRequest(deps.table, cluster, token, deps.clock.now()))?.request;
    if (request === undefined || !isOpen(request)) {
      await deps.table.commit([unlistOpenRequest(listed)]);
      return 'finished';
    }
    const done = await carryOut(deps, { request, stored: 'yes', ...nothingMade }, request.next + tasksAtOnce);
    if (isOpen(done.request)) return 'begun';
    deps.log.info({ cluster, token }, 'finished a RunTask request that was left open');
    return 'finished';
  } catch (error) {
    deps.log.error({ err: error, cluster, token }, 'an open RunTask request could not be finished; it is tried again');
    return 'failed';
  }
}
