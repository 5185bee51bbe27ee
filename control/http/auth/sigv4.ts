/**
 * Verifies AWS Signature Version 4 with keys that Gantry issues, as AWS' own services do, error names included: the request is signed
 * again by AWS' library over the headers that the client says it signed, and the two signatures are compared in constant time.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';
import { GantryError } from '../../../core/errors.ts';
import type { Principal } from '../../operations/context.ts';

/** What a signature covers. `url` is the one that the client used; `body` the bytes as they came. */
export interface SignedRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

export interface AccessKeyFinder {
  find(accessKeyId: string): Promise<{ secretAccessKey: string; principal: Principal } | undefined>;
}

interface Authorization {
  readonly accessKeyId: string;
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

/** AWS signs the calls of an ECS client for this service; our own client does the same on REST. */
const serviceName = 'ecs';
const maxSkewMs = 5 * 60_000;

/** Resolves with who signed; throws a GantryError with AWS' code otherwise. */
export async function verifySigV4(
  request: SignedRequest,
  keys: AccessKeyFinder,
  surroundings: { readonly region: string; readonly now: number },
): Promise<Principal> {
  const authorization = parseAuthorization(request.headers.get('authorization'));
  checkSignedHeaders(request, authorization);
  const signedAt = checkDate(request, authorization, surroundings.now);
  checkScope(authorization, surroundings.region);
  checkBodyHash(request);
  const key = await keys.find(authorization.accessKeyId);
  if (key === undefined)
    throw new GantryError('UnrecognizedClientException', 'The security token included in the request is invalid.', {
      hint: `The access key ${authorization.accessKeyId} is not one of this control plane's. \`gantry up\` prints the environment to use.`,
    });
  const expected = await signatureOf(request, authorization, signedAt, key.secretAccessKey);
  if (!equalInConstantTime(expected, authorization.signature))
    throw new GantryError(
      'InvalidSignatureException',
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.',
    );
  return { ...key.principal, accessKeyId: authorization.accessKeyId };
}

const authorizationPattern =
  /^AWS4-HMAC-SHA256\s+Credential=([^/,\s]+)\/(\d{8})\/([^/,\s]+)\/([^/,\s]+)\/aws4_request,\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})$/;

function parseAuthorization(header: string | null): Authorization {
  if (header === null)
    throw new GantryError('MissingAuthenticationTokenException', 'Missing Authentication Token', {
      hint: 'Sign the request with AWS Signature Version 4; `gantry up` prints the environment for clients.',
    });
  const match = authorizationPattern.exec(header.trim());
  if (match === null)
    throw new GantryError(
      'IncompleteSignatureException',
      'The Authorization header must be AWS4-HMAC-SHA256 with Credential (five parts), SignedHeaders and Signature.',
    );
  const [, accessKeyId = '', date = '', region = '', service = '', signedHeaders = '', signature = ''] = match;
  return { accessKeyId, date, region, service, signedHeaders: signedHeaders.split(';'), signature };
}

/** What must not be left unsigned: without the target, a signed read could be sent again as a write. */
function checkSignedHeaders({ headers }: SignedRequest, { signedHeaders }: Authorization): void {
  const needed = ['host', 'x-amz-date', 'x-amz-target', 'x-amz-security-token'];
  for (const name of needed)
    if ((headers.has(name) || name === 'host' || name === 'x-amz-date') && !signedHeaders.includes(name))
      throw new GantryError('InvalidSignatureException', `The header ${name} must be sent and signed.`);
  for (const name of signedHeaders)
    if (!headers.has(name))
      throw new GantryError('InvalidSignatureException', `The signed header ${name} is not in the request.`);
}

function checkDate({ headers }: SignedRequest, { date }: Authorization, now: number): Date {
  const text = headers.get('x-amz-date') ?? '';
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  const signedAt = new Date(match === null ? Number.NaN : text.replace(/^(.{4})(..)(.{5})(..)(.+)$/, '$1-$2-$3:$4:$5'));
  if (Number.isNaN(signedAt.getTime()) || !text.startsWith(date))
    throw new GantryError(
      'IncompleteSignatureException',
      `X-Amz-Date must be like 20260101T000000Z and of the same day as the credential's scope (${date}).`,
    );
  const skewMs = signedAt.getTime() - now;
  if (Math.abs(skewMs) > maxSkewMs) throw staleSignature(text, skewMs, now);
  return signedAt;
}

/** SDKs look for these words to set their clock by our Date header and try again. */
function staleSignature(text: string, skewMs: number, now: number): GantryError {
  const compact = (epochMs: number) => new Date(epochMs).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const message =
    skewMs < 0
      ? `Signature expired: ${text} is now earlier than ${compact(now - maxSkewMs)} (${compact(now)} - 5 min.)`
      : `Signature not yet current: ${text} is still later than ${compact(now + maxSkewMs)} (${compact(now)} + 5 min.)`;
  return new GantryError('InvalidSignatureException', message, { hint: "Set this machine's clock." });
}

function checkScope({ region, service }: Authorization, ownRegion: string): void {
  if (service !== serviceName)
    throw new GantryError(
      'InvalidSignatureException',
      `Credential should be scoped to correct service: '${serviceName}'.`,
    );
  if (region !== ownRegion)
    throw new GantryError(
      'InvalidSignatureException',
      `Credential should be scoped to a valid region: this control plane is ${ownRegion}, the request was signed for ${region}.`,
      { hint: `Set AWS_REGION=${ownRegion}.` },
    );
}

/** The library takes a hash that the client sent for the body's own; whether it is, is for us to see. */
function checkBodyHash({ headers, body }: SignedRequest): void {
  const sent = headers.get('x-amz-content-sha256');
  if (sent !== null && sent !== createHash('sha256').update(body).digest('hex'))
    throw new GantryError(
      'InvalidSignatureException',
      'The body does not match x-amz-content-sha256: it was changed after it was signed.',
    );
}

async function signatureOf(
  { method, url, headers, body }: SignedRequest,
  { accessKeyId, region, signedHeaders }: Authorization,
  signingDate: Date,
  secretAccessKey: string,
): Promise<string | undefined> {
  const signer = new SignatureV4({
    credentials: { accessKeyId, secretAccessKey },
    region,
    service: serviceName,
    sha256: Sha256,
    applyChecksum: false,
  });
  const signed = await signer.sign(
    {
      method,
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      query: queryOf(url),
      headers: Object.fromEntries(signedHeaders.map((name) => [name, headers.get(name) ?? ''])),
      body,
    },
    { signingDate, signableHeaders: new Set(signedHeaders) },
  );
  return /Signature=([0-9a-f]{64})$/.exec(signed.headers.authorization ?? '')?.[1];
}

function queryOf(url: URL): Record<string, string | string[]> {
  const query: Record<string, string | string[]> = {};
  for (const name of new Set(url.searchParams.keys())) {
    const values = url.searchParams.getAll(name);
    query[name] = values.length === 1 ? (values[0] ?? '') : values;
  }
  return query;
}

function equalInConstantTime(expected: string | undefined, given: string): boolean {
  const [a, b] = [Buffer.from(expected ?? ''), Buffer.from(given)];
  return a.length === b.length && timingSafeEqual(a, b);
}
