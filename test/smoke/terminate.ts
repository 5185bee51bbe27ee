/** Ends an EC2 instance, as its owner or a spot interruption would: what the control plane must notice by EC2's own event. */
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Credentials } from '../../client/signer.ts';

export async function terminateInstance(instanceId: string, region: string, credentials: Credentials): Promise<void> {
  const hostname = `ec2.${region}.amazonaws.com`;
  const body = new URLSearchParams({
    Action: 'TerminateInstances',
    Version: '2016-11-15',
    'InstanceId.1': instanceId,
  }).toString();
  const signer = new SignatureV4({ credentials, region, service: 'ec2', sha256: Sha256 });
  const { headers } = await signer.sign({
    method: 'POST',
    protocol: 'https:',
    hostname,
    path: '/',
    headers: { host: hostname, 'content-type': 'application/x-www-form-urlencoded' },
    body,
  });
  const answer = await fetch(`https://${hostname}/`, { method: 'POST', headers, body });
  if (!answer.ok) throw new Error(`EC2 answered ${answer.status}: ${await answer.text()}`);
}
