/** The key that seals secrets, as it is stored: encrypted under a key of KMS. One a store, made once. */
import { z } from 'zod';
import { itemOf, parseOptional } from './item.ts';
import { keys } from './keys.ts';
import type { Change, Table } from './table.ts';

const encryptedDataKeySchema = z.object({
  /** Base64: what KMS answered as CiphertextBlob. */
  ciphertext: z.string(),
  /** The KMS key that it is encrypted under. */
  keyArn: z.string(),
  createdAt: z.number(),
});
export type EncryptedDataKey = z.infer<typeof encryptedDataKeySchema>;

export const getDataKey = async (table: Table): Promise<EncryptedDataKey | undefined> =>
  parseOptional(encryptedDataKeySchema, await table.get(keys.dataKey()));

/** Refused where there is one already: everybody uses the first. */
export const addDataKey = (dataKey: EncryptedDataKey): Change => ({
  kind: 'put',
  item: itemOf(keys.dataKey(), dataKey),
  when: [{ item: 'absent' }],
});
