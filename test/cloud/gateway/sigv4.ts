/** Who signed a request for `execute-api`: signs it again with AWS' own library over the headers that the client says it signed. */
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Identities, Identity } from '../iam/identities.ts';
import type { HttpRequest } from './http-event.ts';

const pattern =
  /^AWS4-HMAC-SHA256\s+Credential=([^/,\s]+)\/\d{8}\/([^/,\s]+)\/execute-api\/aws4_request,\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})$/;
const maxSkewMs = 5 * 60_000;

/** Undefined where nobody known signed it, for this service, now. */
export async function signerOf(
  request: HttpRequest,
  identities: Identities,
  region: string,
): Promise<Identity | undefined> {
  const [, accessKeyId, signedRegion, signedHeaders = '', signature] =
    pattern.exec(request.headers.authorization ?? '') ?? [];
  const identity = identities.find(accessKeyId);
  const date = request.headers['x-amz-date'] ?? '';
  const signingDate = new Date(date.replace(/^(.{4})(..)(.{5})(..)(.+)$/, '$1-$2-$3:$4:$5'));
  const isCurrent = Math.abs(signingDate.getTime() - Date.now()) <= maxSkewMs;
  if (identity === undefined || signedRegion !== region || !isCurrent) return undefined;
  const names = signedHeaders.split(';');
  if (!names.includes('host') || !names.includes('x-amz-date')) return undefined;
  const expected = await sign(request, identity, { names, signingDate, region });
  return expected === signature ? identity : undefined;
}

async function sign(
  { method, target, headers, body }: HttpRequest,
  { accessKeyId, secretAccessKey }: Identity,
  { names, signingDate, region }: { names: readonly string[]; signingDate: Date; region: string },
): Promise<string | undefined> {
  const credentials = { accessKeyId, secretAccessKey };
  const signer = new SignatureV4({ credentials, region, service: 'execute-api', sha256: Sha256, applyChecksum: false });
  const url = new URL(target, `http://${headers.host}`);
  const query: Record<string, string | string[]> = {};
  for (const name of new Set(url.searchParams.keys())) {
    const [first = '', ...more] = url.searchParams.getAll(name);
    query[name] = more.length === 0 ? first : [first, ...more];
  }
  const signed = await signer.sign(
    {
      method,
      protocol: 'http:',
      hostname: url.hostname,
      path: url.pathname,
      query,
      headers: Object.fromEntries(names.map((name) => [name, headers[name] ?? ''])),
      ...(body.length > 0 && { body }),
    },
    { signingDate, signableHeaders: new Set(names) },
  );
  return /Signature=([0-9a-f]{64})$/.exec(signed.headers.authorization ?? '')?.[1];
}
