/** A call of one of AWS' query APIs (STS, EC2): a signed form, answered with JSON where the service can, else with XML. */
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Credentials } from '../../client/signer.ts';

export interface QueryCall {
  readonly service: 'sts' | 'ec2';
  readonly region: string;
  readonly credentials: Credentials;
  /** `Action` and `Version` among them. */
  readonly form: Readonly<Record<string, string>>;
}

/** Throws with what the service says where it refuses. */
export async function callQueryApi({ service, region, credentials, form }: QueryCall): Promise<string> {
  const hostname = `${service}.${region}.amazonaws.com`;
  const body = new URLSearchParams(form).toString();
  const signer = new SignatureV4({ credentials, region, service, sha256: Sha256 });
  const { headers } = await signer.sign({
    method: 'POST',
    protocol: 'https:',
    hostname,
    path: '/',
    headers: { host: hostname, accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
    body,
  });
  const answer = await fetch(`https://${hostname}/`, { method: 'POST', headers, body });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${service} refuses ${form.Action} (${answer.status}): ${text}`);
  return text;
}
