/**
 * Who this host is: an Ed25519 key that it made itself and that never leaves its directory, and what the control plane answered when
 * the key was admitted. Losing the key makes this machine another host, so an unreadable key is never replaced in silence.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { z } from 'zod';
import { makePrivateDirectory, writeDurably } from './durable-file.ts';
import { NewerFormat, refuseNewer } from './stored-format.ts';

/** What is kept of the first registration. */
const admissionSchema = z.object({
  version: z.literal(1),
  hostId: z.string(),
  cluster: z.string(),
  /** The store that this host belongs to; tasks of another one are not touched. */
  storeEpoch: z.string(),
  /** The greatest generation of its desired set that it was given: a smaller one is of a store that was put back. */
  generation: z.number().int().optional(),
  /** Its store was put back, or does not know it any more, and it is not decided yet what becomes of what it runs. */
  isStranded: z.boolean().optional(),
});
export type Admission = Omit<z.infer<typeof admissionSchema>, 'version'>;

export interface Identity {
  /** SPKI DER in base64. */
  readonly publicKey: string;
  /** Absent until the host was admitted. */
  readonly admission: Admission | undefined;
  /** Ed25519 signature of the text's bytes, in base64. */
  sign(text: string): string;
  /** Keeps what registration answered; durable when it resolves. */
  admit(admission: Admission): Promise<void>;
}

/** Reads the identity, or makes one at the first start. Throws where there is a key that cannot be read. */
export async function openIdentity(directory: string, log: Logger): Promise<Identity> {
  makePrivateDirectory(directory);
  const key = await readOrMakeKey(join(directory, 'host-key.pem'));
  const admissionPath = join(directory, 'host.json');
  let admission = await readAdmission(admissionPath, log);
  return {
    publicKey: createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64'),
    get admission() {
      return admission;
    },
    sign: (text) => sign(null, Buffer.from(text), key).toString('base64'),
    async admit(next) {
      await writeDurably(admissionPath, `${JSON.stringify({ version: 1, ...next })}\n`);
      admission = next;
    },
  };
}

async function readOrMakeKey(path: string): Promise<KeyObject> {
  const pem = readIfThere(path);
  if (pem === undefined) {
    const { privateKey } = generateKeyPairSync('ed25519');
    await writeDurably(path, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
    return privateKey;
  }
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType !== 'ed25519') throw new Error(`it is an ${key.asymmetricKeyType} key`);
    return key;
  } catch (error) {
    throw new Error(
      `The host's key ${path} is not a readable Ed25519 key. Put it back from a copy; or remove it, and this machine joins as a new host.`,
      { cause: error },
    );
  }
}

/** An unreadable admission costs nothing: registering again with the same key answers the same host. */
async function readAdmission(path: string, log: Logger): Promise<Admission | undefined> {
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  try {
    const stored: unknown = JSON.parse(text);
    refuseNewer(path, stored, { member: 'version', format: 1 });
    const { version: _, ...admission } = admissionSchema.parse(stored);
    return admission;
  } catch (error) {
    if (error instanceof NewerFormat) throw error;
    log.warn({ path, err: error }, 'the record of this host’s admission is unreadable and was moved aside');
    await rename(path, `${path}.unreadable`);
    return undefined;
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
