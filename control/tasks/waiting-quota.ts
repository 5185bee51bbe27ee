/**
 * Keeps the tasks that a key lets wait within its quota: exactly, however many calls are under way (docs/adr/0007). Says how many may;
 * the refusal of the others is part of the request, as any other is.
 */
import type { GantryError } from '../../core/errors.ts';
import { parameterFault } from '../../core/model/faults.ts';
import type { Rights } from '../../core/model/rights.ts';
import { plural } from '../../core/text.ts';
import type { ControlDeps } from '../deps.ts';
import type { Refusal, RunRequest } from '../store/requests.ts';
import type { Change } from '../store/table.ts';
import { boundVersion, raiseBound, setBound, type WaitingQuota } from '../store/waiting-quotas.ts';
import { countOfKey } from '../store/waiting-tasks.ts';

type Limited = Pick<RunRequest, 'cluster' | 'count' | 'waits' | 'template'>;

/** `most`: as many refusals as an answer may list. Throws InvalidParameterException where more tasks are asked for. */
export function underQuota<Request extends Limited>(
  request: Request,
  { accessKeyId, maxWaitingTasks }: Pick<Rights, 'maxWaitingTasks'> & { readonly accessKeyId?: string | undefined },
  most: number,
): Request & Pick<RunRequest, 'quota'> {
  if (!request.waits || accessKeyId === undefined || maxWaitingTasks === undefined) return request;
  if (request.count > most) throw tooManyAtOnce(request.count, most);
  const template = { ...request.template, quotaOf: accessKeyId };
  return { ...request, template, quota: { accessKeyId, maxWaitingTasks } };
}

const tooManyAtOnce = (count: number, most: number): GantryError =>
  parameterFault(
    'count',
    `count may be at most ${most} with a key that has a quota of waiting tasks; it is ${count}.`,
    'Make several calls.',
  );

/** How many were found to wait, and what that was counted under. */
export interface Counted {
  readonly waiting: number;
  readonly version: number | undefined;
}

export async function countWaiting({ table }: ControlDeps, quota: WaitingQuota): Promise<Counted> {
  // In this order: whoever lets tasks wait after the version was read changes it.
  const version = await boundVersion(table, quota);
  return { version, waiting: await countOfKey(table, quota.cluster, quota.accessKeyId) };
}

export const quotaOf = ({ cluster, quota }: RunRequest): WaitingQuota | undefined => quota && { cluster, ...quota };

/** Refused where they may not wait, or it was counted too long ago. */
export const letWait = (quota: WaitingQuota, more: number, counted: Counted | undefined, now: number): Change =>
  counted === undefined ? raiseBound(quota, more) : setBound(quota, counted.waiting + more, counted.version, now);

/** Of the tasks of a call from this index on. */
export function quotaRefusal(
  { accessKeyId, cluster, maxWaitingTasks }: WaitingQuota,
  from: number,
  waiting: number,
): Refusal {
  const detail =
    `the access key ${accessKeyId} may have ${plural(maxWaitingTasks, 'task')} waiting in the cluster ${cluster} (maxWaitingTasks), ` +
    `and ${waiting} waited already: ask again when some of them have been placed`;
  return { from, reason: 'QUOTA:WAITING_TASKS', detail };
}
