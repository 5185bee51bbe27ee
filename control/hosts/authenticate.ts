/** Which host sent a request: the one whose id is in the path and whose key signed it. */
import { GantryError } from '../../core/errors.ts';
import type { HostIdentity } from '../../core/model/host.ts';
import type { ControlDeps } from '../deps.ts';
import { getHostIdentity } from '../store/hosts.ts';
import { type SignedRequest, signatureOf, verifySignature } from './http-signature.ts';

/** Throws one of AWS' authentication errors unless the request is the host's own. */
export async function authenticateHost(
  deps: Pick<ControlDeps, 'table' | 'clock'>,
  hostId: string,
  request: SignedRequest,
): Promise<HostIdentity> {
  const signature = signatureOf(request);
  const identity = signature.keyId === hostId ? await getHostIdentity(deps.table, hostId) : undefined;
  if (identity === undefined) {
    throw new GantryError('UnrecognizedClientException', 'No host with this id signs with this key.', {
      hint: 'The host must register first.',
    });
  }
  verifySignature(request, signature, identity.publicKey, deps.clock.now());
  return identity;
}
