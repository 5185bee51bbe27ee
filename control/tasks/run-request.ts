/**
 * Carries out RunTask's request records, chunk by chunk, from wherever they stand: for the call itself, for its replays, and for the
 * loop that finishes what a crash left open. Each chunk is one commit of the record together with its tasks, so a task is made once
 * whoever carries on, and an answer can be given again. Decides nothing about the request; only where its tasks go.
 */
import { createHash } from 'node:crypto';
import { GantryError } from '../../core/errors.ts';
import type { HostCapacity } from '../../core/model/host.ts';
import type { Task } from '../../core/model/task.ts';
import type { Explanation } from '../../core/placement/explanation.ts';
import { underProvider } from '../../core/task/create.ts';
import { placeOn } from '../../core/task/transitions.ts';
import { attempt } from '../attempts.ts';
import type { ControlDeps } from '../deps.ts';
import { clusterIsOpen } from '../store/clusters.ts';
import { addHostTask } from '../store/hosts.ts';
import {
  addRequest,
  advanceRequest,
  canBeRepeated,
  isOpen,
  listOpenRequest,
  type OpenRequest,
  type Refusal,
  type RunRequest,
  refusedRequest,
  unlistOpenRequest,
} from '../store/requests.ts';
import type { Change, CommitResult } from '../store/table.ts';
import { addTask, listTask } from '../store/tasks.ts';
import { listWaiting } from '../store/waiting-tasks.ts';
import { type Assigned, announcePlaced, contended, learnFrom, planPlacement, reserveHosts } from './assign.ts';
import type { QuotaKeeper } from './waiting-quota.ts';

/** Three items a task, at most one host a task, the record, its place among the open ones, the cluster, a quota: a commit's 100 changes. */
const tasksPerChunk = 24;
/** How often a chunk is planned anew after others were quicker; then its tasks wait, and the loop places them. */
const replans = 5;
/** Where tasks may not wait it goes on for longer, and then asks the caller to try again. */
const mostTries = 20;

/** So many tasks an answer lists, the first ones; a call makes no more than these itself. */
export const mostListed = 1000;

/** How far a request is carried out. */
export interface Progress {
  readonly request: RunRequest;
  readonly stored: 'yes' | 'no' | { readonly replacesNonce: string };
  /** Of those that an answer lists: made by this call, by index; others were made by an earlier one. */
  readonly made: ReadonlyMap<number, Task>;
  /** By id: where it has placed tasks. */
  readonly hosts: ReadonlyMap<string, HostCapacity>;
  /** When the call began that has read hosts for its first chunk, which is not to read them again (epoch milliseconds). */
  readonly readSince?: number;
  /** Set once something did not fit: the tasks of a share are alike, so neither does the rest of it. */
  readonly exhausted?: Explanation;
}

export const nothingMade: Pick<Progress, 'made' | 'hosts'> = { made: new Map(), hosts: new Map() };

export const taskIdAt = (request: Pick<RunRequest, 'nonce'>, index: number): string =>
  createHash('sha256').update(`${request.nonce}#${index}`).digest('hex').slice(0, 32);

/** How many tasks were made: those with the lowest indexes. */
export const madeCount = ({ next, refusal }: RunRequest): number => refusal?.from ?? next;

/**
 * Goes on until nothing is open, or so many tasks of the request are settled: what is left is for the loop that finishes requests. A
 * request that another call has stored under the same token takes the place of the given one.
 */
export async function carryOut(deps: ControlDeps, from: Progress, until = Number.POSITIVE_INFINITY): Promise<Progress> {
  let progress = from;
  while (isOpen(progress.request) && progress.request.next < until) progress = await carryOutChunk(deps, progress);
  return progress;
}

async function carryOutChunk(deps: ControlDeps, progress: Progress): Promise<Progress> {
  const what = `cluster ${progress.request.cluster}`;
  const quota = await keeperOf(deps, progress.request);
  return attempt(deps, { most: mostTries, what }, async (tries) => {
    const planned = await planChunk(deps, progress, tries >= replans);
    const chunk = quota?.limited(progress.request, planned) ?? planned;
    // Nothing was made, so there is nothing to remember: a retry of the same call is a new try.
    if (progress.stored !== 'yes' && madeCount(chunk.request) === 0) {
      countRefused(deps, chunk);
      return { ...progress, request: chunk.request };
    }
    const changes = changesOf(progress, chunk);
    const result = await deps.table.commit([...changes, ...(quota?.changes(chunk.waiting.length) ?? [])]);
    if (result.outcome === 'done') {
      countRefused(deps, chunk);
      await announce(deps, chunk);
      const hosts = new Map([...progress.hosts, ...chunk.assigned.map(({ host }) => [host.hostId, host] as const)]);
      return { request: chunk.request, stored: 'yes', made: chunk.made, hosts, ...exhaustion(chunk) };
    }
    if (isShutOut(changes, result)) {
      const ended = await (await import('./shut-out.ts')).openOrEnd(deps, progress);
      if (ended !== undefined) return ended;
    }
    learnFrom(deps, progress.request.cluster, result);
    await quota?.learn(result, changes.length);
    return overtaken(progress, result);
  });
}

async function keeperOf(deps: ControlDeps, { cluster, quota }: RunRequest): Promise<QuotaKeeper | undefined> {
  if (quota === undefined) return undefined;
  const { QuotaKeeper } = await import('./waiting-quota.ts');
  return new QuotaKeeper(deps, { cluster, ...quota });
}

/** The chunk in which something is refused is a request's last one. */
function countRefused({ metrics }: ControlDeps, { request: { refusal, cluster, count } }: Chunk): void {
  if (refusal === undefined) return;
  metrics.count('PlacementRejected', count - refusal.from, { cluster, reason: refusal.reason });
}

export interface Chunk {
  readonly request: RunRequest;
  readonly assigned: readonly Assigned[];
  readonly waiting: readonly Task[];
  readonly made: ReadonlyMap<number, Task>;
  readonly exhausted: Explanation | undefined;
}

const exhaustion = ({ exhausted }: Chunk): Pick<Progress, 'exhausted'> =>
  exhausted === undefined ? {} : { exhausted };

async function planChunk(deps: ControlDeps, progress: Progress, giveUp: boolean): Promise<Chunk> {
  const { request, readSince } = progress;
  const { until, taskAt } = shareAt(request);
  const size = Math.min(tasksPerChunk, until - request.next);
  const letWait = request.waits && (giveUp || progress.exhausted !== undefined);
  if (letWait) return chunkOf(deps, progress, size, [], progress.exhausted ?? contended);
  const { assignments, reasons, explanation, hosts } = await planPlacement(deps, {
    cluster: request.cluster,
    needs: taskAt(request.next).needs,
    count: size,
    since: readSince, // Of hosts that were taken meanwhile, refusals have told.
  });
  if (progress.stored !== 'yes' && !request.waits && hosts.every((host) => host.status === 'INACTIVE')) throw noHosts();
  const placed = assignments.map((host, offset) => ({ host, reason: reasons[offset] ?? '' }));
  return chunkOf(deps, progress, size, placed, explanation);
}

export interface ShareOfTasks {
  /** The first index that is not of the share. */
  readonly until: number;
  readonly taskAt: (index: number) => Task;
}

/** The tasks of a chunk are alike: under a strategy, those of one capacity provider. */
export function shareAt(request: Pick<RunRequest, 'next' | 'count' | 'shares' | 'template' | 'nonce'>): ShareOfTasks {
  const share = request.shares?.find(({ until }) => request.next < until);
  const taskAt = (index: number): Task => ({ ...request.template, id: taskIdAt(request, index) });
  if (share === undefined) return { until: request.count, taskAt };
  return { until: share.until, taskAt: (index) => underProvider(taskAt(index), share.capacityProvider) };
}

const noHosts = (): GantryError =>
  new GantryError('InvalidParameterException', 'No Container Instances were found in your cluster.', {
    field: 'cluster',
    hint: 'Start a host (`gantry up`, `gantry join`), or leave launchType out: then the task waits for one.',
  });

/** The first tasks of the chunk go to `placed`, in order; what is left waits or is refused. */
function chunkOf(
  deps: ControlDeps,
  { request, made: madeBefore }: Progress,
  size: number,
  placed: readonly { host: Assigned['host']; reason: string }[],
  exhausted: Explanation | undefined,
): Chunk {
  const at = deps.clock.now();
  const { taskAt, until } = shareAt(request);
  const assigned = placed.map(({ host, reason }, offset): Assigned => {
    const task = taskAt(request.next + offset);
    const assignment = { hostId: host.hostId, hostName: host.name, reason, at };
    return { host, task: placeOn(task, assignment) ?? task };
  });
  const firstUnplaced = request.next + placed.length;
  const end = request.next + size;
  const waiting: Task[] = [];
  if (request.waits && exhausted !== undefined) {
    for (let index = firstUnplaced; index < end; index += 1) waiting.push({ ...taskAt(index), explanation: exhausted });
  }
  const refuses = !request.waits && exhausted !== undefined;
  const made = new Map(madeBefore);
  for (const [offset, task] of [...assigned.map((entry) => entry.task), ...waiting].entries()) {
    if (request.next + offset < mostListed) made.set(request.next + offset, task);
  }
  return {
    request: refuses
      ? { ...request, next: request.count, refusal: refusalOf(exhausted, firstUnplaced) }
      : { ...request, next: end },
    assigned,
    waiting,
    made,
    // The next share is of other hosts.
    exhausted: end === until ? undefined : exhausted,
  };
}

/** ECS' failure: the nearest host, the commonest reason, and the whole histogram, as a sentence and as data. */
function refusalOf(explanation: Explanation, from: number): Refusal {
  const nearest = explanation.nearest[0]?.hostId;
  return {
    from,
    ...(nearest === undefined ? {} : { hostId: nearest }),
    reason: explanation.histogram[0]?.reason ?? 'RESOURCE:*',
    detail: explanation.sentence,
    histogram: explanation.histogram,
  };
}

export const openRequestOf = ({ cluster, token, template }: RunRequest): OpenRequest => ({
  cluster,
  token,
  createdAt: template.createdAt,
});

function changesOf({ request: seen, stored }: Progress, { request, assigned, waiting }: Chunk): Change[] {
  const open = openRequestOf(seen);
  return [
    ...recordOf(seen, stored, request),
    // A request that fits one commit is never open.
    ...(isOpen(request) ? [listOpenRequest(open)] : seen.next > 0 ? [unlistOpenRequest(open)] : []),
    ...assigned.flatMap(({ task, host }) => [addTask(task), listTask(task), addHostTask(host.hostId, task)]),
    ...waiting.flatMap((task) => [addTask(task), listTask(task), listWaiting(task)]),
    ...reserveHosts(assigned),
    ...(waiting.length > 0 ? [clusterIsOpen(seen.cluster)] : []),
  ];
}

/** Whether tasks may not begin to wait, as the cluster is deleted or is just being deleted. */
function isShutOut(changes: readonly Change[], result: CommitResult): boolean {
  const gate = changes.findIndex(({ kind }) => kind === 'check');
  return result.outcome === 'refused' && result.failed.some(({ index }) => index === gate);
}

/** Always the first change. A request that is done with one commit and that nobody can repeat needs no record. */
function recordOf(seen: RunRequest, stored: Progress['stored'], next: RunRequest): Change[] {
  if (stored === 'yes') return [advanceRequest(seen, next)];
  if (stored !== 'no') return [addRequest(next, stored.replacesNonce)];
  return isOpen(next) || canBeRepeated(next.token) ? [addRequest(next, undefined)] : [];
}

async function announce(deps: ControlDeps, { request, assigned, waiting }: Chunk): Promise<void> {
  if (waiting.length > 0) {
    // A host that became free before these were listed has not woken them.
    deps.activate('place-pending', request.cluster);
    deps.activate('expire-waiting', request.cluster);
    deps.activate('buy-capacity', request.cluster);
  }
  await announcePlaced(deps, assigned);
}

/** The record is the first change: where it was refused, somebody else has stored or moved it, and we go on from there. */
export function overtaken(progress: Progress, result: CommitResult): Progress | undefined {
  if (result.outcome !== 'refused') return undefined;
  const item = result.failed.find(({ index }) => index === 0)?.item;
  const request = refusedRequest(item);
  if (request === undefined) return undefined;
  const isOurs = request.nonce === progress.request.nonce;
  return { request, stored: 'yes', ...(isOurs ? { made: progress.made, hosts: progress.hosts } : nothingMade) };
}
