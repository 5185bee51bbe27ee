/**
 * Keeps the tasks that a key lets wait within its quota: exactly, however many calls are under way (docs/adr/0007). Says how many may;
 * the refusal of the others is part of the request, as any other is. Loaded only where somebody has a quota.
 */
import { parameterFault } from '../../core/model/faults.ts';
import { plural } from '../../core/text.ts';
import type { ControlDeps } from '../deps.ts';
import type { Refusal, RunRequest } from '../store/requests.ts';
import type { Change, CommitResult } from '../store/table.ts';
import { boundVersion, raiseBound, setBound, type WaitingQuota } from '../store/waiting-quotas.ts';
import { countOfKey } from '../store/waiting-tasks.ts';
import type { Chunk } from './run-request.ts';

type Limited = Pick<RunRequest, 'count' | 'waits' | 'template'>;

/** `most`: as many refusals as an answer may list. Throws InvalidParameterException where more tasks are asked for. */
export function underQuota<Request extends Limited>(
  request: Request,
  quota: NonNullable<RunRequest['quota']>,
  most: number,
): Request & Pick<RunRequest, 'quota'> {
  if (!request.waits) return request;
  if (request.count > most)
    throw parameterFault(
      'count',
      `count may be at most ${most} with a key that has a quota of waiting tasks; it is ${request.count}.`,
      'Make several calls.',
    );
  return { ...request, quota, template: { ...request.template, quotaOf: quota.accessKeyId } };
}

/** How many were found to wait, and the version of the bound that was read before. */
interface Counted {
  readonly waiting: number;
  readonly version: number | undefined;
}

/** Of one chunk of a request, over its tries. */
export class QuotaKeeper {
  readonly #deps: Pick<ControlDeps, 'table' | 'clock'>;
  readonly #quota: WaitingQuota;
  /** Nothing is counted before a commit was refused for it. */
  #counted: Counted | undefined;

  constructor(deps: Pick<ControlDeps, 'table' | 'clock'>, quota: WaitingQuota) {
    this.#deps = deps;
    this.#quota = quota;
  }

  /** The chunk with those refused that found no room when it was counted. */
  limited(seen: RunRequest, chunk: Chunk): Chunk {
    if (this.#counted === undefined) return chunk;
    const { waiting } = this.#counted;
    const room = Math.max(0, this.#quota.maxWaitingTasks - waiting);
    if (chunk.waiting.length <= room) return chunk;
    const from = seen.next + chunk.assigned.length + room;
    return {
      ...chunk,
      request: { ...chunk.request, next: seen.count, refusal: refusalOf(this.#quota, from, waiting + room) },
      waiting: chunk.waiting.slice(0, room),
      made: new Map([...chunk.made].filter(([index]) => index < from)),
    };
  }

  /** To be committed with so many more that wait; refused where they may not, or it was counted too long ago. */
  changes(more: number): Change[] {
    if (more === 0) return [];
    const counted = this.#counted;
    if (counted === undefined) return [raiseBound(this.#quota, more)];
    return [setBound(this.#quota, counted.waiting + more, counted.version, this.#deps.clock.now())];
  }

  /** `index`: of the change among those that were committed. */
  async learn(result: CommitResult, index: number): Promise<void> {
    if (result.outcome !== 'refused' || !result.failed.some((failed) => failed.index === index)) return;
    const { table } = this.#deps;
    // In this order: whoever lets tasks wait after the version was read changes it.
    const version = await boundVersion(table, this.#quota);
    const { cluster, accessKeyId } = this.#quota;
    this.#counted = { version, waiting: await countOfKey(table, cluster, accessKeyId) };
  }
}

/** Of the tasks of a call from this index on. */
function refusalOf({ accessKeyId, cluster, maxWaitingTasks }: WaitingQuota, from: number, waiting: number): Refusal {
  const detail =
    `the access key ${accessKeyId} may have ${plural(maxWaitingTasks, 'task')} waiting in the cluster ${cluster} (maxWaitingTasks), ` +
    `and ${waiting} wait now: ask again when some of them have been placed`;
  return { from, reason: 'QUOTA:WAITING_TASKS', detail };
}
