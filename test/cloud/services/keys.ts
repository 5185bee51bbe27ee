/** KMS' GenerateDataKey and Decrypt for symmetric keys: really encrypts, so that a wrong key or context does not decrypt. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { ServiceError, type ServiceOperation } from './aws-services.ts';

export class EncryptionKeys {
  readonly #secrets = new Map<string, Buffer>();
  decryptions = 0;

  add(arn: string): void {
    if (!this.#secrets.has(arn)) this.#secrets.set(arn, randomBytes(32));
  }

  readonly generateDataKey: ServiceOperation = {
    call: ({ KeyId }) => ({ action: 'kms:GenerateDataKey', resource: String(KeyId) }),
    run: ({ KeyId, EncryptionContext, KeySpec, NumberOfBytes }) => {
      const length = KeySpec === 'AES_128' ? 16 : KeySpec === 'AES_256' ? 32 : Number(NumberOfBytes);
      const plaintext = randomBytes(length);
      const blob = this.#encrypt(String(KeyId), plaintext, EncryptionContext);
      return { KeyId, Plaintext: plaintext.toString('base64'), CiphertextBlob: blob.toString('base64') };
    },
  };

  readonly decrypt: ServiceOperation = {
    call: ({ CiphertextBlob }) => ({ action: 'kms:Decrypt', resource: keyOf(blobOf(CiphertextBlob)) }),
    run: ({ CiphertextBlob, EncryptionContext }) => {
      this.decryptions += 1;
      const blob = blobOf(CiphertextBlob);
      const plaintext = this.#decrypt(blob, EncryptionContext);
      return { KeyId: keyOf(blob), Plaintext: plaintext.toString('base64'), EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' };
    },
  };

  #secret(arn: string): Buffer {
    const secret = this.#secrets.get(arn);
    if (secret === undefined) throw new ServiceError('NotFoundException', `Key '${arn}' does not exist`);
    return secret;
  }

  /** The key's ARN up to a NUL, the nonce, the tag, what is encrypted. */
  #encrypt(arn: string, plaintext: Buffer, context: unknown): Buffer {
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.#secret(arn), nonce).setAAD(contextBytes(context));
    const encrypted = Buffer.concat([cipher.update(plaintext), cipher.final()]);
    return Buffer.concat([Buffer.from(`${arn}\0`), nonce, cipher.getAuthTag(), encrypted]);
  }

  #decrypt(blob: Buffer, context: unknown): Buffer {
    const rest = blob.subarray(blob.indexOf(0) + 1);
    const decipher = createDecipheriv('aes-256-gcm', this.#secret(keyOf(blob)), rest.subarray(0, 12));
    decipher.setAAD(contextBytes(context)).setAuthTag(rest.subarray(12, 28));
    try {
      return Buffer.concat([decipher.update(rest.subarray(28)), decipher.final()]);
    } catch {
      throw new ServiceError('InvalidCiphertextException', 'the ciphertext or its context is wrong');
    }
  }
}

const blobOf = (value: unknown): Buffer => Buffer.from(String(value), 'base64');
const keyOf = (blob: Buffer): string => blob.subarray(0, Math.max(0, blob.indexOf(0))).toString('utf8');
const contextBytes = (context: unknown): Buffer =>
  Buffer.from(JSON.stringify(Object.entries(Object(context ?? {})).sort(([a], [b]) => (a < b ? -1 : 1))));
