/** The keys that principals sign with (SigV4): making and finding them. What a principal may do is decided elsewhere. */
import { createHash } from 'node:crypto';
import type { ControlDeps } from '../deps.ts';
import type { Principal } from '../operations/context.ts';
import { type AccessKey, addAccessKey, getAccessKey } from '../store/access-keys.ts';

export interface AccessKeys {
  /** A new key for this principal. */
  create(principal: Principal): Promise<AccessKey>;
  find(accessKeyId: string): Promise<AccessKey | undefined>;
}

export const createAccessKeys = ({
  table,
  clock,
  newId,
}: Pick<ControlDeps, 'table' | 'clock' | 'newId'>): AccessKeys => ({
  async create({ arn, actions }) {
    const accessKey: AccessKey = {
      // As long as AWS' own, because clients check that.
      accessKeyId: `GKIA${newId().slice(0, 16).toUpperCase()}`,
      secretAccessKey: secret(newId),
      principal: { arn, actions: [...actions] },
      createdAt: clock.now(),
    };
    const { outcome } = await table.commit([addAccessKey(accessKey)]);
    if (outcome !== 'done') throw new Error('the id of a new access key is taken');
    return accessKey;
  },
  find: (accessKeyId) => getAccessKey(table, accessKeyId),
});

/** 240 bits as 40 characters that need no quoting in a shell. */
const secret = (newId: () => string): string =>
  createHash('sha256').update(`${newId()}${newId()}`).digest('base64url').slice(0, 40);
