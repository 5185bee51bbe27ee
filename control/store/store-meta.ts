/** What a store is: its region, account and epoch, fixed when it is made; and when the control plane was last receiving. */
import { z } from 'zod';
import { itemOf, parseOptional } from './item.ts';
import { keys } from './keys.ts';
import type { Change, Table } from './table.ts';

const storeMetaSchema = z.object({
  region: z.string(),
  accountId: z.string(),
  /** Changes when the store is restored or copied; agents that meet an unknown one remove nothing. */
  epoch: z.string(),
  /** Those that it had before, the newest last. */
  earlierEpochs: z.array(z.string()).optional(),
  createdAt: z.number(),
});
export type StoreMeta = z.infer<typeof storeMetaSchema>;

export const getStoreMeta = async (table: Table): Promise<StoreMeta | undefined> =>
  parseOptional(storeMetaSchema, await table.get(keys.store()));

export const addStoreMeta = (meta: StoreMeta): Change => ({
  kind: 'put',
  item: itemOf(keys.store(), meta),
  when: [{ item: 'absent' }],
});

/** For the commit that makes a store: refused where a copy of one is being made. */
export const isNoCopy = (): Change => ({ kind: 'check', key: keys.storeCopy(), when: [{ item: 'absent' }] });

/** Refused where another process has changed it. */
export const changeStoreEpoch = (seen: StoreMeta, epoch: string): Change => ({
  kind: 'put',
  item: itemOf(keys.store(), { ...seen, epoch, earlierEpochs: [...(seen.earlierEpochs ?? []), seen.epoch] }),
  when: [{ path: ['epoch'], is: '=', value: seen.epoch }],
});

const receivingSchema = z.object({
  /** Since when the control plane has been receiving without a gap. */
  since: z.number(),
  /** When it last said so. */
  at: z.number(),
  /** For how long it was in all, up to then. */
  totalMs: z.number().optional(),
});
export type Receiving = z.infer<typeof receivingSchema>;

export const getReceiving = async (table: Table): Promise<Receiving | undefined> =>
  parseOptional(receivingSchema, await table.get(keys.receiving()));

/** Refused where another process has written since it was read. */
export const writeReceiving = (receiving: Receiving, seen: Receiving | undefined): Change => ({
  kind: 'put',
  item: itemOf(keys.receiving(), receiving),
  when: [seen === undefined ? { item: 'absent' } : { path: ['at'], is: '=', value: seen.at }],
});
