/** The proof of which role and instance this is, as core/instance-proof.ts describes it: headers of a request that is not sent. */
import { createHash } from 'node:crypto';
import { type InstanceProof, instanceProof, stsHost } from '../../core/instance-proof.ts';
import type { InstanceRole } from './role.ts';

/** For this key alone, and for a few minutes. Throws MetadataError. */
export async function proveInstance(role: InstanceRole, region: string, publicKey: string): Promise<InstanceProof> {
  const headers = await role.sign({
    method: instanceProof.method,
    url: new URL(`https://${stsHost(region)}${instanceProof.path}`),
    headers: {
      'content-type': instanceProof.contentType,
      [instanceProof.keyHeader]: createHash('sha256').update(publicKey).digest('hex'),
    },
    body: instanceProof.body,
    service: instanceProof.service,
    region,
  });
  return { headers };
}
