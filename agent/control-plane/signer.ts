/** Signs requests with the host's key in the profile of core/host-signature.ts. Owns hashing and time, not the key. */
import { createHash } from 'node:crypto';
import { contentDigest, type SignatureHeaders, signatureBase, signatureHeaders } from '../../core/host-signature.ts';
import type { Clock } from '../clock.ts';
import type { Identity } from '../identity.ts';

export type SignRequest = (method: 'GET' | 'POST', url: URL, body: string) => SignatureHeaders;

/** `keyId`: the host's id once it was admitted; the public key while it registers. */
export function createSigner(identity: Identity, clock: Clock, keyId: string): SignRequest {
  return (method, url, body) => {
    const digest = createHash('sha256').update(body).digest('base64');
    const request = { method, path: url.pathname, contentDigest: contentDigest(digest) };
    const input = { createdSeconds: Math.floor(clock.now() / 1000), keyId };
    return signatureHeaders(request, input, identity.sign(signatureBase(request, input)));
  };
}
