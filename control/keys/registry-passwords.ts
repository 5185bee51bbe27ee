/** Passwords of private registries: as they are stored, and sealed to the one request of a host that may have them. docs/adr/0011. */
import {
  createCipheriv,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { GantryError } from '../../core/errors.ts';
import { passwordContext, type SealedPassword } from '../../core/host-protocol.ts';
import type { RegistryCredentials } from '../../core/model/registry-credentials.ts';
import type { ControlDeps } from '../deps.ts';

type Named = Pick<RegistryCredentials, 'cluster' | 'name'>;

const owner = ({ cluster, name }: Named): string => `registry-credentials/${cluster}/${name}`;

export const storedPassword = (
  { secretBox }: Pick<ControlDeps, 'secretBox'>,
  named: Named,
  password: string,
): Pick<RegistryCredentials, 'password' | 'sealedPassword'> =>
  secretBox === undefined ? { password } : { sealedPassword: secretBox.seal(password, owner(named)) };

export async function passwordOf(
  { secretBox, laterSecretBox }: Pick<ControlDeps, 'secretBox' | 'laterSecretBox'>,
  credentials: RegistryCredentials,
): Promise<string> {
  const { password, sealedPassword, name } = credentials;
  if (sealedPassword === undefined && password !== undefined) return password;
  const box = secretBox ?? (await laterSecretBox?.());
  if (sealedPassword !== undefined && box !== undefined) return box.open(sealedPassword, owner(credentials));
  throw new Error(
    `the password of the credentials ${name} is sealed, and this control plane was given no key to open it`,
  );
}

/**
 * Only whoever has the private half of `publicKey` (X25519, SPKI DER in base64) can open it.
 * Throws InvalidParameterException where that is no such key.
 */
export function sealToRequest(
  password: string,
  publicKey: string,
  about: { hostId: string; name: string },
): SealedPassword {
  const theirs = x25519Key(publicKey);
  const ours = generateKeyPairSync('x25519');
  const ourPublic = ours.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
  const shared = diffieHellman({ privateKey: ours.privateKey, publicKey: theirs });
  const context = passwordContext({ ...about, askedWith: publicKey, answeredWith: ourPublic });
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', Buffer.from(hkdfSync('sha256', shared, '', context, 32)), nonce);
  const sealed = Buffer.concat([nonce, cipher.update(password, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return { publicKey: ourPublic, sealed: sealed.toString('base64') };
}

function x25519Key(publicKey: string): KeyObject {
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), type: 'spki', format: 'der' });
    if (key.asymmetricKeyType === 'x25519') return key;
  } catch {
    // Then it is no key at all.
  }
  throw new GantryError('InvalidParameterException', 'publicKey must be an X25519 key, SPKI DER in base64.', {
    field: 'publicKey',
  });
}
