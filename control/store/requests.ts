/**
 * Access paths of request records: what makes RunTask idempotent, and, while a large one is under way, its place in the listing of
 * open requests.
 */
import { z } from 'zod';
import { taskSchema } from '../../core/model/task.ts';
import { explanationSchema } from '../../core/placement/explanation.ts';
import { isExpired, itemOf, parseItem } from './item.ts';
import { keys, partitions } from './keys.ts';
import { queryAll } from './read-all.ts';
import type { Change, Item, Table } from './table.ts';

/** From index `from` on, every task of the call was refused: they are alike, so what does not fit once does not fit again. */
const refusalSchema = z.object({
  from: z.number().int(),
  /** The nearest host, where there is one. */
  hostId: z.string().optional(),
  reason: z.string(),
  detail: z.string(),
  histogram: explanationSchema.shape.histogram.optional(),
});
export type Refusal = z.infer<typeof refusalSchema>;

const runRequestSchema = z.object({
  cluster: z.string(),
  token: z.string(),
  /** Of the request as the caller wrote it: the same token with another hash is a conflict. */
  requestHash: z.string(),
  /** Task ids are derived from it and an index. */
  nonce: z.string(),
  count: z.number().int(),
  /** Tasks with a lower index are made or refused. Each chunk moves it, on the condition that nobody else has. */
  next: z.number().int(),
  /** False where what does not fit is refused; true where it waits. */
  waits: z.boolean(),
  refusal: refusalSchema.optional(),
  /** Under a strategy, which tasks are whose: those below `until` and not below the one before. */
  shares: z.array(z.object({ capacityProvider: z.string(), until: z.number().int() })).optional(),
  /** How many tasks of its caller may wait in the cluster; any number where absent. */
  quota: z.object({ accessKeyId: z.string(), maxWaitingTasks: z.number().int() }).optional(),
  /** Every task of the call, but for its id and its capacity provider. */
  template: taskSchema,
});
export type RunRequest = z.infer<typeof runRequestSchema>;

export const isOpen = (request: RunRequest): boolean => request.next < request.count;

const lifetimeSeconds = 24 * 3600;

export interface FoundRequest {
  readonly request: RunRequest;
  /** Then it is as if it were not there, but what replaces it must name its nonce. */
  readonly expired: boolean;
}

export async function getRequest(
  table: Table,
  cluster: string,
  token: string,
  now: number,
): Promise<FoundRequest | undefined> {
  const item = await table.get(keys.request(cluster, token));
  return item === undefined ? undefined : { request: parseItem(runRequestSchema, item), expired: isExpired(item, now) };
}

/** The record as it is now, from a refused `addRequest` or `advanceRequest`; undefined of anything else that was refused. */
export const refusedRequest = (item: Item | undefined): RunRequest | undefined =>
  item?.sk === requestSortKey ? parseItem(runRequestSchema, item) : undefined;

const requestSortKey = keys.request('', '').sk;

/** The token of a call that nobody can repeat, because nobody else knows it. */
export const tokenForOnce = (id: string): string => `once:${id}`;
export const canBeRepeated = (token: string): boolean => !token.startsWith(tokenForOnce(''));

const itemOfRequest = (request: RunRequest): Item =>
  itemOf(keys.request(request.cluster, request.token), request, {
    expiresAt: Math.ceil(request.template.createdAt / 1000) + lifetimeSeconds,
  });

/** `replaces`: the nonce of an expired record with the same token. */
export const addRequest = (request: RunRequest, replaces: string | undefined): Change => ({
  kind: 'put',
  item: itemOfRequest(request),
  when: [replaces === undefined ? { item: 'absent' } : { path: ['nonce'], is: '=', value: replaces }],
});

/** Replaces `seen` by what it has become; refused where somebody else has moved it on. */
export const advanceRequest = (seen: RunRequest, next: RunRequest): Change => ({
  kind: 'put',
  item: itemOfRequest(next),
  when: [
    { path: ['nonce'], is: '=', value: seen.nonce },
    { path: ['next'], is: '=', value: seen.next },
  ],
});

const openRequestSchema = z.object({ cluster: z.string(), token: z.string(), createdAt: z.number() });
export type OpenRequest = z.infer<typeof openRequestSchema>;

/** Oldest first, as they were some moments ago. */
export const openRequests = async (table: Table): Promise<OpenRequest[]> =>
  (await queryAll(table, partitions.openRequests, { eventual: true })).map((item) =>
    parseItem(openRequestSchema, item),
  );

const openRequestKey = ({ cluster, token, createdAt }: OpenRequest) =>
  keys.openRequest(createdAt, `${cluster}#${token}`);

export const listOpenRequest = (request: OpenRequest): Change => ({
  kind: 'put',
  item: itemOf(openRequestKey(request), {
    cluster: request.cluster,
    token: request.token,
    createdAt: request.createdAt,
  }),
  when: [],
});

export const unlistOpenRequest = (request: OpenRequest): Change => ({
  kind: 'delete',
  key: openRequestKey(request),
  when: [],
});
