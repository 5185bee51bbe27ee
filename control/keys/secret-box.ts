/**
 * Seals what is stored but must not be readable in the store: the secrets of access keys, which verifying SigV4 needs themselves. On AWS
 * the data key is stored encrypted under a KMS key, so a copy of the table is worth nothing without the right to use that key. On one
 * machine it is a file beside the store (local/data-key.ts): a copy of the store without that file opens nothing.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { UnopenedSecret } from './unopened-secret.ts';

export interface SecretBox {
  /** `owner` is bound to the secret: what was sealed for one cannot be opened for another. */
  seal(secret: string, owner: string): string;
  /** Throws UnopenedSecret where it was sealed with another key or for another owner, or was changed since. */
  open(sealed: string, owner: string): string;
}

export const dataKeyBytes = 32;
const algorithm = 'aes-256-gcm';
const version = 'v1';
const nonceBytes = 12;
const tagBytes = 16;

/** AES-256-GCM under this key; a new nonce each time (random: fewer than 2^32 secrets are ever sealed with one key). */
export function createSecretBox(dataKey: Uint8Array): SecretBox {
  if (dataKey.length !== dataKeyBytes) throw new RangeError(`a data key has ${dataKeyBytes} bytes`);
  return {
    seal(secret, owner) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv(algorithm, dataKey, nonce, { authTagLength: tagBytes }).setAAD(Buffer.from(owner));
      const sealed = Buffer.concat([nonce, cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return `${version}.${sealed.toString('base64url')}`;
    },
    open(sealed, owner) {
      const [form, text = ''] = sealed.split('.');
      if (form !== version) throw new Error(`a secret is sealed in the form ${form}, which is not known here`);
      const bytes = Buffer.from(text, 'base64url');
      const decipher = createDecipheriv(algorithm, dataKey, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes })
        .setAAD(Buffer.from(owner))
        .setAuthTag(bytes.subarray(-tagBytes));
      const secret = decipher.update(bytes.subarray(nonceBytes, -tagBytes));
      try {
        return Buffer.concat([secret, decipher.final()]).toString('utf8');
      } catch (cause) {
        throw new UnopenedSecret(owner, { cause });
      }
    },
  };
}
