/**
 * Which host sent a request: the one whose id is in the path and whose key signed it. A key never changes; that a host was retired is
 * known here within five minutes (RecentReads). Even then it may ask what is desired of it, which is nothing, and say how its tasks ended.
 */
import { GantryError } from '../../core/errors.ts';
import type { HostIdentity } from '../../core/model/host.ts';
import type { ControlDeps } from '../deps.ts';
import { type SignedRequest, signatureOf, verifySignature } from './http-signature.ts';

/** Throws one of AWS' authentication errors unless the request is the host's own. */
export async function authenticateHost(
  deps: Pick<ControlDeps, 'recent' | 'clock'>,
  hostId: string,
  request: SignedRequest,
): Promise<HostIdentity> {
  const signature = signatureOf(request);
  const identity = signature.keyId === hostId ? await deps.recent.hostIdentity(hostId) : undefined;
  if (identity === undefined) {
    throw new GantryError('UnrecognizedClientException', 'No host with this id signs with this key.', {
      hint: 'The host must register first.',
    });
  }
  verifySignature(request, signature, identity.publicKey, deps.clock.now());
  return identity;
}
