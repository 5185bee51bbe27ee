/**
 * Opens the secret box with the store's data key, which is stored encrypted under a key of KMS: decrypted once a cold start, and made by
 * whoever is the first to need it. A chunk of its own, because most functions seal nothing.
 */
import { DecryptCommand, GenerateDataKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { attempt } from '../control/attempts.ts';
import type { ControlDeps } from '../control/deps.ts';
import { createSecretBox, dataKeyBytes, type SecretBox } from '../control/keys/secret-box.ts';
import { addDataKey, type EncryptedDataKey, getDataKey } from '../control/store/data-key.ts';

/** Bound to the ciphertext and shown in CloudTrail. The table's name is not in it, because a table may be restored under another. */
const EncryptionContext = { purpose: 'gantry-access-keys' };

export async function openSecretBox(
  deps: Pick<ControlDeps, 'table' | 'clock' | 'random' | 'sleep'>,
  { keyArn, region }: { readonly keyArn: string; readonly region: string },
): Promise<SecretBox> {
  const kms = new KMSClient({ region });
  try {
    const dataKey = await attempt(deps, { most: 10, what: 'the data key' }, async () => {
      const stored = await getDataKey(deps.table);
      return stored === undefined ? makeDataKey(deps, kms, keyArn) : decrypt(kms, stored);
    });
    return createSecretBox(dataKey);
  } finally {
    kms.destroy();
  }
}

/** undefined where another process has made one in this moment. */
async function makeDataKey(
  { table, clock }: Pick<ControlDeps, 'table' | 'clock'>,
  kms: KMSClient,
  keyArn: string,
): Promise<Uint8Array | undefined> {
  const made = await kms.send(
    new GenerateDataKeyCommand({ KeyId: keyArn, NumberOfBytes: dataKeyBytes, EncryptionContext }),
  );
  const { Plaintext, CiphertextBlob } = made;
  if (Plaintext === undefined || CiphertextBlob === undefined) throw new Error('KMS answered without a data key');
  const ciphertext = Buffer.from(CiphertextBlob).toString('base64');
  const { outcome } = await table.commit([addDataKey({ ciphertext, keyArn, createdAt: clock.now() })]);
  return outcome === 'done' ? Plaintext : undefined;
}

async function decrypt(kms: KMSClient, { ciphertext, keyArn }: EncryptedDataKey): Promise<Uint8Array> {
  const CiphertextBlob = Buffer.from(ciphertext, 'base64');
  const { Plaintext } = await kms.send(new DecryptCommand({ CiphertextBlob, KeyId: keyArn, EncryptionContext }));
  if (Plaintext === undefined) throw new Error('KMS answered without a plaintext');
  return Plaintext;
}
