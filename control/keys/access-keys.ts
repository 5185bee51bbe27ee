/**
 * The keys that principals sign with (SigV4): making, finding, sealing and deleting them. What a principal may do is decided elsewhere. A
 * deleted key is refused at once by the process that deleted it, and within ten seconds by every other (RecentReads).
 */
import { createHash } from 'node:crypto';
import type { ControlDeps } from '../deps.ts';
import type { Principal } from '../operations/context.ts';
import {
  accessKeysPage,
  addAccessKey,
  getAccessKey,
  type ListedAccessKey,
  removeAccessKey,
} from '../store/access-keys.ts';
import { type AccessKey, findAccessKey, sealSecret } from './find-access-key.ts';

export interface AccessKeys {
  /** A new key for this principal, whose own key does not matter. */
  create(principal: Omit<Principal, 'accessKeyId'>): Promise<AccessKey>;
  /** Throws UnopenedSecret where its secret is sealed with another data key. */
  find(accessKeyId: string): Promise<AccessKey | undefined>;
  /** False where there is no such key. */
  delete(accessKeyId: string): Promise<boolean>;
  /** Seals the secrets that were stored before there was a data key; `unlisted` is one of which there may be no listing. */
  sealAll(unlisted?: string): Promise<void>;
}

type Deps = Pick<ControlDeps, 'table' | 'clock' | 'newId' | 'recent' | 'secretBox'>;

export const createAccessKeys = ({ table, clock, newId, recent, secretBox }: Deps): AccessKeys => ({
  async create({ arn, actions, clusters, taskRoles, hostAccess, maxWaitingTasks }) {
    // As long as AWS' own, because clients check that.
    const accessKeyId = `GKIA${newId().slice(0, 16).toUpperCase()}`;
    const secretAccessKey = newSecret(newId);
    const principal = {
      arn,
      actions: [...actions],
      clusters: clusters === 'all' ? clusters : [...clusters],
      taskRoles: [...taskRoles],
      hostAccess: [...hostAccess],
      ...(maxWaitingTasks !== undefined && { maxWaitingTasks }),
    };
    const listed: ListedAccessKey = { accessKeyId, principal, createdAt: clock.now() };
    const secret =
      secretBox === undefined ? { secretAccessKey } : { sealedSecret: secretBox.seal(secretAccessKey, accessKeyId) };
    const { outcome } = await table.commit(addAccessKey({ ...listed, ...secret }));
    if (outcome !== 'done') throw new Error('the id of a new access key is taken');
    return { ...listed, secretAccessKey };
  },
  find: (accessKeyId) => findAccessKey({ table, recent, secretBox }, accessKeyId),
  async delete(accessKeyId) {
    const { outcome } = await table.commit(removeAccessKey(accessKeyId));
    recent.accessKeyChanged(accessKeyId);
    return outcome === 'done';
  },
  async sealAll(unlisted) {
    let after: string | undefined;
    const ids = unlisted === undefined ? [] : [unlisted];
    do {
      const page = await accessKeysPage(table, { limit: 100, ...(after !== undefined && { after }) });
      ids.push(...page.accessKeys.map(({ accessKeyId }) => accessKeyId));
      after = page.next;
    } while (after !== undefined);
    for (const accessKeyId of ids) {
      const stored = await getAccessKey(table, accessKeyId);
      if (stored !== undefined) await sealSecret({ table, secretBox }, stored);
    }
  },
});

/** 240 bits as 40 characters that need no quoting in a shell. */
const newSecret = (newId: () => string): string =>
  createHash('sha256').update(`${newId()}${newId()}`).digest('base64url').slice(0, 40);
