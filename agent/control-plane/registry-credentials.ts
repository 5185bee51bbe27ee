/**
 * Credentials of private registries as the control plane keeps them: asked for by name when an image is pulled with them, opened here,
 * and kept in memory for a minute. Never on disk. docs/adr/0011.
 */
import { createDecipheriv, createPublicKey, diffieHellman, generateKeyPairSync, hkdfSync } from 'node:crypto';
import { passwordContext, type RegistryCredentialsAnswer } from '../../core/host-protocol.ts';
import type { Clock } from '../clock.ts';
import type { Identity } from '../identity.ts';
import { CredentialsError } from '../images/credentials.ts';
import type { Credentials } from '../images/registry.ts';
import { ControlPlaneError, type CredentialsSource } from './client.ts';

/** Long enough for a burst of tasks, short enough for a password that was replaced. */
const keptMs = 60_000;
const nonceBytes = 12;
const tagBytes = 16;

/**
 * What a container's image is pulled with, by the name in its spec, or by its registry's; undefined where there is nothing for the whole
 * registry. Throws CredentialsError.
 */
export type NamedCredentials = (registry: string, name: string) => Promise<Credentials | undefined>;

interface Kept {
  readonly asked: Promise<RegistryCredentialsAnswer & { readonly opened: string }>;
  readonly until: number;
}

export function controlPlaneCredentials(
  controlPlane: CredentialsSource,
  identity: Pick<Identity, 'admission'>,
  clock: Clock,
): NamedCredentials {
  const kept = new Map<string, Kept>();
  const ask = async (name: string): Promise<Awaited<Kept['asked']>> => {
    const hostId = identity.admission?.hostId;
    if (hostId === undefined)
      throw new CredentialsError(`its credentials ${name} cannot be asked for: this host is not admitted yet`, {
        retryable: true,
      });
    const { privateKey, publicKey } = generateKeyPairSync('x25519');
    const askedWith = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
    const answer = await controlPlane.registryCredentials(hostId, { name, publicKey: askedWith });
    const { publicKey: answeredWith, sealed } = answer.password;
    const theirs = createPublicKey({ key: Buffer.from(answeredWith, 'base64'), type: 'spki', format: 'der' });
    const context = passwordContext({ hostId, name, askedWith, answeredWith });
    const key = Buffer.from(hkdfSync('sha256', diffieHellman({ privateKey, publicKey: theirs }), '', context, 32));
    return { ...answer, opened: opened(key, Buffer.from(sealed, 'base64')) };
  };

  return async (registry, name) => {
    const known = kept.get(name);
    const { asked } = known !== undefined && clock.now() < known.until ? known : keep(kept, name, ask(name), clock);
    const answer = await asked.catch((error: unknown) => {
      if (name === registry && error instanceof ControlPlaneError && error.status === 404) return undefined;
      throw asCredentialsError(name, error);
    });
    if (answer === undefined) return undefined;
    const { registry: meant, username, opened: password } = answer;
    if (meant === registry) return { username, password };
    throw new CredentialsError(
      `the credentials ${name} are for ${meant}; name others in repositoryCredentials, or put them for ${registry}`,
      { retryable: false },
    );
  };
}

function keep(kept: Map<string, Kept>, name: string, asked: Kept['asked'], clock: Clock): Kept {
  const entry = { asked, until: clock.now() + keptMs };
  kept.set(name, entry);
  asked.catch(() => {
    if (kept.get(name) === entry) kept.delete(name);
  });
  return entry;
}

function opened(key: Uint8Array, sealed: Buffer): string {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, nonceBytes), { authTagLength: tagBytes });
  decipher.setAuthTag(sealed.subarray(-tagBytes));
  return Buffer.concat([decipher.update(sealed.subarray(nonceBytes, -tagBytes)), decipher.final()]).toString('utf8');
}

function asCredentialsError(name: string, error: unknown): CredentialsError {
  if (error instanceof CredentialsError) return error;
  const status = error instanceof ControlPlaneError ? error.status : undefined;
  if (status === 404 || status === 400)
    return new CredentialsError(
      `its cluster has no credentials ${name}: put them there with \`gantry registries login\``,
      { retryable: false, cause: error },
    );
  const why = error instanceof Error ? error.message : String(error);
  return new CredentialsError(`the control plane does not give its credentials ${name} now (${why})`, {
    retryable: true,
    cause: error,
  });
}
