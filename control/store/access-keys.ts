/**
 * Access paths of the keys that principals sign with: the key itself, read by whoever verifies a signature, and its listing, which has
 * no secret.
 */
import { z } from 'zod';
import { everyRight, rightsSchema } from '../../core/model/rights.ts';
import { itemOf, parseItem, parseOptional } from './item.ts';
import { keys, partitions } from './keys.ts';
import type { Change, Table } from './table.ts';

const { clusters, taskRoles, hostAccess } = rightsSchema.shape;

/** A key that was made before there was a limit has none. */
const principalSchema = rightsSchema.extend({
  arn: z.string(),
  clusters: clusters.default(everyRight.clusters),
  taskRoles: taskRoles.default([...everyRight.taskRoles]),
  hostAccess: hostAccess.default([...everyRight.hostAccess]),
});

const listedAccessKeySchema = z.object({
  accessKeyId: z.string(),
  /** Who signs with it, and what they may do. */
  principal: principalSchema,
  createdAt: z.number(),
});
export type ListedAccessKey = z.infer<typeof listedAccessKeySchema>;

/** One of the two secrets: as it is (verifying SigV4 needs the secret itself), or sealed (keys/secret-box.ts). */
const storedAccessKeySchema = listedAccessKeySchema.extend({
  secretAccessKey: z.string().optional(),
  sealedSecret: z.string().optional(),
});
export type StoredAccessKey = z.infer<typeof storedAccessKeySchema>;

export const getAccessKey = async (table: Table, accessKeyId: string): Promise<StoredAccessKey | undefined> =>
  parseOptional(storedAccessKeySchema, await table.get(keys.accessKey(accessKeyId)));

export function addAccessKey(accessKey: StoredAccessKey): Change[] {
  const { accessKeyId, principal, createdAt } = accessKey;
  const listed: ListedAccessKey = { accessKeyId, principal, createdAt };
  return [
    { kind: 'put', item: itemOf(keys.accessKey(accessKeyId), accessKey), when: [{ item: 'absent' }] },
    { kind: 'put', item: itemOf(keys.accessKeyListing(accessKeyId), listed), when: [] },
  ];
}

/** In place of the secret as it is; refused where the key is gone, or its secret is sealed. */
export const sealAccessKey = (accessKeyId: string, sealedSecret: string): Change => ({
  kind: 'update',
  key: keys.accessKey(accessKeyId),
  set: [{ path: ['sealedSecret'], value: sealedSecret }],
  remove: [['secretAccessKey']],
  when: [{ path: ['secretAccessKey'], is: 'exists' }],
});

/** Refused where there is no such key. */
export const removeAccessKey = (accessKeyId: string): Change[] => [
  { kind: 'delete', key: keys.accessKey(accessKeyId), when: [{ item: 'exists' }] },
  { kind: 'delete', key: keys.accessKeyListing(accessKeyId), when: [] },
];

/** In the order of their ids; `after` is an id. Keys that were made before there was a listing are not in it. */
export async function accessKeysPage(
  table: Table,
  options: { readonly after?: string; readonly limit: number },
): Promise<{ readonly accessKeys: ListedAccessKey[]; readonly next?: string }> {
  const page = await table.query(partitions.accessKeys, options);
  const accessKeys = page.items.map((item) => parseItem(listedAccessKeySchema, item));
  return page.next === undefined ? { accessKeys } : { accessKeys, next: page.next };
}
