/**
 * Finding the key that a request was signed with, with its secret in the clear: all of access keys that a call needs which is not about
 * them. A secret that was stored before there was a data key is sealed when it is used.
 */
import type { ControlDeps } from '../deps.ts';
import { type ListedAccessKey, type StoredAccessKey, sealAccessKey } from '../store/access-keys.ts';
import { UnopenedSecret } from './unopened-secret.ts';

/** With its secret in the clear: for whoever made it, once, and for verifying a signature. */
export interface AccessKey extends ListedAccessKey {
  readonly secretAccessKey: string;
}

type Deps = Pick<ControlDeps, 'table' | 'recent' | 'secretBox'>;

/** Throws UnopenedSecret where its secret is sealed with another data key. */
export async function findAccessKey(deps: Deps, accessKeyId: string): Promise<AccessKey | undefined> {
  const { recent, secretBox } = deps;
  const stored = await recent.accessKey(accessKeyId);
  if (stored === undefined) return undefined;
  if (await sealSecret(deps, stored)) recent.accessKeyChanged(accessKeyId);
  return { ...stored, secretAccessKey: secretOf(stored, secretBox) };
}

/** False where there is nothing to seal, or nothing to seal it with. Refused where somebody else has sealed or deleted it: that is as well. */
export async function sealSecret(
  { table, secretBox }: Pick<Deps, 'table' | 'secretBox'>,
  { accessKeyId, secretAccessKey }: StoredAccessKey,
): Promise<boolean> {
  if (secretBox === undefined || secretAccessKey === undefined) return false;
  await table.commit([sealAccessKey(accessKeyId, secretBox.seal(secretAccessKey, accessKeyId))]);
  return true;
}

function secretOf(stored: StoredAccessKey, secretBox: Deps['secretBox']): string {
  const { accessKeyId, secretAccessKey, sealedSecret } = stored;
  if (sealedSecret !== undefined && secretBox !== undefined) return secretBox.open(sealedSecret, accessKeyId);
  if (secretAccessKey !== undefined) return secretAccessKey;
  throw new UnopenedSecret(accessKeyId);
}
