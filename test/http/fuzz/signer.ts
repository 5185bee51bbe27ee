/** AWS Signature Version 4 as short as it can be: the derived key is kept, so that thousands of requests can be signed in a second. */
import { createHash, createHmac } from 'node:crypto';
import type { Credentials } from '../../../client/signer.ts';

export interface Unsigned {
  readonly method: string;
  /** As it is sent: percent-encoded, with its query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
}

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
const sha256 = (content: Uint8Array | string): string => createHash('sha256').update(content).digest('hex');

export function createFastSigner(region: string) {
  const derived = new Map<string, Buffer>();

  function keyOf({ secretAccessKey }: Credentials, day: string): Buffer {
    const name = `${secretAccessKey}/${day}`;
    const known = derived.get(name);
    if (known !== undefined) return known;
    const key = ['ecs', 'aws4_request'].reduce(hmac, hmac(hmac(`AWS4${secretAccessKey}`, day), region));
    derived.set(name, key);
    return key;
  }

  /** The headers to send. */
  return (request: Unsigned, credentials: Credentials, now: number): Record<string, string> => {
    const { method, target, body } = request;
    const date = new Date(now).toISOString().replaceAll(/[-:]|\.\d+/g, '');
    const headers: Record<string, string> = { ...request.headers, 'x-amz-date': date };
    const names = Object.keys(headers).toSorted();
    const url = new URL(target, 'http://host');
    const canonical = [
      method,
      canonicalPath(url.pathname),
      canonicalQuery(url.searchParams),
      ...names.map((name) => `${name}:${(headers[name] ?? '').trim().replaceAll(/\s+/g, ' ')}`),
      '',
      names.join(';'),
      sha256(body),
    ].join('\n');
    const scope = `${date.slice(0, 8)}/${region}/ecs/aws4_request`;
    const toSign = ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n');
    const signature = hmac(keyOf(credentials, date.slice(0, 8)), toSign).toString('hex');
    const who = `Credential=${credentials.accessKeyId}/${scope}`;
    headers.authorization = `AWS4-HMAC-SHA256 ${who}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
    return headers;
  };
}

const escaped = (text: string): string =>
  encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );

/** Encoded twice, as every service but S3 has it; without empty and dotted segments. */
function canonicalPath(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split('/'))
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(escaped(segment));
  const end = segments.length > 0 && path.endsWith('/') ? '/' : '';
  return `/${segments.join('/')}${end}`;
}

const canonicalQuery = (query: URLSearchParams): string =>
  [...query]
    .map(([name, value]) => `${escaped(name)}=${escaped(value)}`)
    .toSorted()
    .join('&');
