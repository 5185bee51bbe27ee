/**
 * The keys that principals sign with (SigV4): making, finding and deleting them. What a principal may do is decided elsewhere. A deleted
 * key is refused at once by the process that deleted it, and within ten seconds by every other (RecentReads).
 */
import { createHash } from 'node:crypto';
import type { ControlDeps } from '../deps.ts';
import type { Principal } from '../operations/context.ts';
import { addAccessKey, type ListedAccessKey, removeAccessKey, type StoredAccessKey } from '../store/access-keys.ts';

/** With its secret in the clear: for whoever made it, once, and for verifying a signature. */
export interface AccessKey extends ListedAccessKey {
  readonly secretAccessKey: string;
}

export interface AccessKeys {
  /** A new key for this principal. */
  create(principal: Principal): Promise<AccessKey>;
  find(accessKeyId: string): Promise<AccessKey | undefined>;
  /** False where there is no such key. */
  delete(accessKeyId: string): Promise<boolean>;
}

type Deps = Pick<ControlDeps, 'table' | 'clock' | 'newId' | 'recent' | 'secretBox'>;

export const createAccessKeys = ({ table, clock, newId, recent, secretBox }: Deps): AccessKeys => ({
  async create({ arn, actions, clusters }) {
    // As long as AWS' own, because clients check that.
    const accessKeyId = `GKIA${newId().slice(0, 16).toUpperCase()}`;
    const secretAccessKey = newSecret(newId);
    const principal = { arn, actions: [...actions], clusters: clusters === 'all' ? clusters : [...clusters] };
    const listed: ListedAccessKey = { accessKeyId, principal, createdAt: clock.now() };
    const secret =
      secretBox === undefined ? { secretAccessKey } : { sealedSecret: secretBox.seal(secretAccessKey, accessKeyId) };
    const { outcome } = await table.commit(addAccessKey({ ...listed, ...secret }));
    if (outcome !== 'done') throw new Error('the id of a new access key is taken');
    return { ...listed, secretAccessKey };
  },
  async find(accessKeyId) {
    const stored = await recent.accessKey(accessKeyId);
    return stored === undefined ? undefined : { ...stored, secretAccessKey: secretOf(stored, secretBox) };
  },
  async delete(accessKeyId) {
    const { outcome } = await table.commit(removeAccessKey(accessKeyId));
    recent.accessKeyChanged(accessKeyId);
    return outcome === 'done';
  },
});

/** 240 bits as 40 characters that need no quoting in a shell. */
const newSecret = (newId: () => string): string =>
  createHash('sha256').update(`${newId()}${newId()}`).digest('base64url').slice(0, 40);

function secretOf(stored: StoredAccessKey, secretBox: Deps['secretBox']): string {
  const { accessKeyId, secretAccessKey, sealedSecret } = stored;
  if (sealedSecret !== undefined && secretBox !== undefined) return secretBox.open(sealedSecret, accessKeyId);
  if (secretAccessKey !== undefined) return secretAccessKey;
  throw new Error(`the access key ${accessKeyId} is sealed, and this control plane was given no key to open it`);
}
