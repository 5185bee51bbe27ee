/**
 * RunTask: from a request to its record and template; control/tasks/run-request.ts carries it out. A replay, by client token or by the
 * SDK's invocation id, answers what the first call made, whatever has happened to revision or hosts since.
 */
import { createHash } from 'node:crypto';
import type { Input, Output } from '../../core/api/operations.ts';
import type { Failure } from '../../core/api/shapes.ts';
import { containerInstanceArn, taskArn } from '../../core/arn.ts';
import { compact } from '../../core/compact.ts';
import { GantryError } from '../../core/errors.ts';
import type { Cluster } from '../../core/model/cluster.ts';
import { runTaskWarnings } from '../../core/model/normalise-run-task.ts';
import type { Task } from '../../core/model/task.ts';
import type { ControlDeps } from '../deps.ts';
import { authorizeRun } from '../http/auth/policy.ts';
import { canBeRepeated, getRequest, isOpen, type RunRequest, tokenForOnce } from '../store/requests.ts';
import { getTasks } from '../store/tasks.ts';
import { carryOut, madeCount, mostListed, nothingMade, type Progress, taskIdAt } from '../tasks/run-request.ts';
import type { Handlers, OperationContext } from './context.ts';
import { newRequest, runnableRevision } from './new-request.ts';
import { activeCluster } from './references.ts';
import { taskViews } from './views/task-views.ts';

export const runTask: Handlers['RunTask'] = async (context, input) => {
  const { deps } = context;
  // ECS looks for the cluster before anything else.
  const known = await activeCluster(deps, input.cluster);
  const cluster = known.name;
  const token = tokenOf(context, input);
  const requestHash = hashOf(input);
  // Most calls are no replays: what a new request needs is read beside the record. Faults are met where the answer is used.
  const readSince = deps.clock.now();
  const fresh = requestFor(context, known, input).then((request) => ({ ...request, token, requestHash }));
  for (const begun of [fresh, deps.capacity.hosts(cluster)]) begun.catch(() => {});
  const found = canBeRepeated(token) ? await getRequest(deps.table, cluster, token, deps.clock.now()) : undefined;
  const from: Progress =
    found === undefined || found.expired
      ? {
          request: await fresh,
          readSince,
          stored: found === undefined ? 'no' : { replacesNonce: found.request.nonce },
          ...nothingMade,
        }
      : { request: found.request, stored: 'yes', ...nothingMade };
  refuseOtherRequest(deps, from.request, requestHash);
  const done = await carryOut(deps, from, mostListed);
  // Another call may have been quicker to store a request under the same token.
  refuseOtherRequest(deps, done.request, requestHash);
  if (isOpen(done.request)) deps.activate('finish-requests');
  return answer(deps, done, runTaskWarnings(input));
};

async function requestFor({ deps, principal }: OperationContext, known: Cluster, input: Input<'RunTask'>) {
  const runnable = await runnableRevision(deps, input.taskDefinition);
  await authorizeRun(principal, deps.realm.accountId, runnable.definition, input.overrides);
  const request = await newRequest(deps, known, runnable, input);
  const { accessKeyId, maxWaitingTasks } = principal;
  if (accessKeyId === undefined || maxWaitingTasks === undefined) return request;
  return (await import('../tasks/waiting-quota.ts')).underQuota(request, { accessKeyId, maxWaitingTasks }, mostListed);
}

/** What a retry of the same call has in common with it. Without any, every call is one of its own. */
function tokenOf({ deps, invocationId }: OperationContext, { clientToken }: Input<'RunTask'>): string {
  if (clientToken !== undefined) {
    if (/^[!-~]{1,64}$/.test(clientToken)) return `token:${clientToken}`;
    throw new GantryError('InvalidParameterException', 'clientToken must be 1 to 64 visible ASCII characters.', {
      field: 'clientToken',
    });
  }
  return invocationId === undefined ? tokenForOnce(deps.newId()) : `call:${sha256(invocationId)}`;
}

/** Of the request as it was written: the same token with another request is a conflict. The cluster is the token's scope. */
const hashOf = (input: Input<'RunTask'>): string =>
  sha256(JSON.stringify(sorted({ ...input, clientToken: undefined, cluster: undefined })));

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The same value with every object's members in one order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(members.map(([name, member]) => [name, sorted(member)]));
}

const mostIdsShown = 100;

function refuseOtherRequest({ realm }: ControlDeps, request: RunRequest, requestHash: string): void {
  if (request.requestHash === requestHash) return;
  const made = Math.min(madeCount(request), mostIdsShown);
  throw new GantryError('ConflictException', 'The client token was used with another request.', {
    field: 'clientToken',
    hint: 'Use a new token for a new request, and the same one only to repeat a request unchanged.',
    resourceIds: Array.from({ length: made }, (_, index) => taskArn(realm, request.cluster, taskIdAt(request, index))),
  });
}

async function answer(
  deps: ControlDeps,
  { request, made, hosts }: Progress,
  warnings: string[],
): Promise<Output<'RunTask'>> {
  const remaining = request.count - mostListed;
  const indexes = Array.from({ length: Math.min(madeCount(request), mostListed) }, (_, index) => index);
  const missing = indexes.filter((index) => !made.has(index)).map((index) => taskIdAt(request, index));
  // Those of an earlier call may have moved on, and after their retention they are gone.
  const earlier = missing.length === 0 ? new Map<string, Task>() : await getTasks(deps.table, missing);
  const tasks = indexes.flatMap((index) => made.get(index) ?? earlier.get(taskIdAt(request, index)) ?? []);
  return {
    tasks: await taskViews(deps, request.cluster, tasks, hosts),
    failures: failuresOf(deps, request),
    warnings,
    ...(remaining > 0 && { remaining }),
  };
}

/** One entry a task that was refused. */
function failuresOf({ realm }: ControlDeps, { cluster, count, refusal }: RunRequest): Failure[] {
  if (refusal === undefined) return [];
  const { hostId, reason, detail, histogram } = refusal;
  const arn = hostId === undefined ? undefined : containerInstanceArn(realm, cluster, hostId);
  return Array.from({ length: count - refusal.from }, () => compact({ arn, reason, detail, histogram }));
}
