/** Signs requests with AWS Signature Version 4, for whoever checks them: Gantry as an ECS endpoint, or IAM before API Gateway. */
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** The service that the signature is made for: Gantry's own keys sign for `ecs`, IAM's for `execute-api`. */
export type SigningService = 'ecs' | 'execute-api';

export interface SigningOptions {
  readonly region: string;
  /** Absent: requests are not signed (`--auth none`). A function is asked again when what it answered has expired. */
  readonly credentials?: Credentials | (() => Promise<Credentials>) | undefined;
  /** Where absent, the endpoint says it: `execute-api` of a gateway of AWS', `ecs` of anything else. */
  readonly signingService?: SigningService | undefined;
}

interface Unsigned {
  readonly method: string;
  readonly url: URL;
  readonly body: string | undefined;
}

/** `https://{api}.execute-api.{region}.amazonaws.com` (or `.amazonaws.com.cn`) says for what and where to sign. */
export function gatewayRegion(endpoint: string): string | undefined {
  return /\.execute-api\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$/.exec(new URL(endpoint).hostname)?.[1];
}

/** Answers the headers to send. Without credentials nothing is signed. */
export function createSigner(endpoint: string, { region, credentials, signingService }: SigningOptions) {
  const service = signingService ?? (gatewayRegion(endpoint) === undefined ? 'ecs' : 'execute-api');
  const signer = credentials && new SignatureV4({ credentials, region, service, sha256: Sha256, applyChecksum: true });
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
