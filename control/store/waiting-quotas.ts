/**
 * Access paths of quotas of waiting tasks: a key's bound in a cluster, which is never less than what of its tasks waits there. Letting tasks
 * wait adds to it; only a count sets it lower. Where there is none, a count makes it.
 */
import { z } from 'zod';
import { itemOf, parseOptional } from './item.ts';
import { keys } from './keys.ts';
import type { Change, Table } from './table.ts';

export interface WaitingQuota {
  readonly cluster: string;
  readonly accessKeyId: string;
  readonly maxWaitingTasks: number;
}

const boundSchema = z.object({
  /** At most so many wait. */
  atMost: z.number().int(),
  /** Moves with each change. */
  version: z.number().int(),
});

/** What a key leaves behind goes some time after its last count. */
const lifetimeSeconds = 7 * 24 * 3600;

const keyOf = ({ cluster, accessKeyId }: WaitingQuota) => keys.waitingQuota(accessKeyId, cluster);

/** The version of the bound as it is; undefined where there is none. */
export const boundVersion = async (table: Table, quota: WaitingQuota): Promise<number | undefined> =>
  parseOptional(boundSchema, await table.get(keyOf(quota)))?.version;

/** So many more wait; refused where that could be more than the quota. */
export const raiseBound = (quota: WaitingQuota, more: number): Change => ({
  kind: 'update',
  key: keyOf(quota),
  add: [
    { path: ['atMost'], by: more },
    { path: ['version'], by: 1 },
  ],
  when: [{ path: ['atMost'], is: '<=', value: quota.maxWaitingTasks - more }],
});

/** So many wait, as they were counted after this version was read; refused where somebody has changed it since. */
export const setBound = (quota: WaitingQuota, atMost: number, seen: number | undefined, now: number): Change => ({
  kind: 'put',
  item: itemOf(
    keyOf(quota),
    { atMost, version: (seen ?? 0) + 1 },
    { expiresAt: Math.ceil(now / 1000) + lifetimeSeconds },
  ),
  when: [seen === undefined ? { item: 'absent' } : { path: ['version'], is: '=', value: seen }],
});
