/** Signs requests with AWS Signature Version 4, as an ECS client does. */
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

interface Unsigned {
  readonly method: string;
  readonly url: URL;
  readonly body: string | undefined;
}

/** Answers the headers to send. Without credentials nothing is signed. */
export function createSigner({ region, credentials }: { region: string; credentials?: Credentials | undefined }) {
  const signer =
    credentials && new SignatureV4({ credentials, region, service: 'ecs', sha256: Sha256, applyChecksum: true });
  return async ({ method, url, body }: Unsigned): Promise<Record<string, string>> => {
    const headers = { host: url.host, ...(body !== undefined && { 'content-type': 'application/json' }) };
    if (signer === undefined) return headers;
    const signed = await signer.sign({
      method,
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      query: queryOf(url),
      headers,
      ...(body !== undefined && { body }),
    });
    return signed.headers;
  };
}

function queryOf({ searchParams }: URL): Record<string, string | string[]> {
  const query: Record<string, string | string[]> = {};
  for (const name of new Set(searchParams.keys())) {
    const [first = '', ...more] = searchParams.getAll(name);
    query[name] = more.length === 0 ? first : [first, ...more];
  }
  return query;
}
