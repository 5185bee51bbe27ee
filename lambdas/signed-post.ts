/**
 * Posts to a service of AWS, signed by hand: the SDK's clients for the single requests that are made so would be a tenth of a function
 * each. Answers the status alone, and judges nothing.
 */
import type { ClientRequest, RequestOptions } from 'node:http';
import { Agent, request as requestHttps } from 'node:https';
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';

export interface Signing {
  /** As signatures name it: `execute-api`, `lambda`. */
  readonly service: string;
  readonly region: string;
  readonly credentials: () => { readonly accessKeyId: string; readonly secretAccessKey: string };
}

export interface Posted {
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** Rejects where no answer came. */
export type SignedPost = (url: URL, posted: Posted) => Promise<number>;

export function signedPost({ service, region, credentials }: Signing): SignedPost {
  const signer = new SignatureV4({ service, region, sha256: Sha256, credentials: async () => credentials() });
  return async (url, { body, headers: given = {}, signal }) => {
    const { headers } = await signer.sign({
      method: 'POST',
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      query: {},
      headers: { ...given, host: url.host, 'content-length': `${Buffer.byteLength(body)}` },
      body,
    });
    const open = url.protocol === 'http:' ? await openPlain() : openSecure;
    const request = open(url, { method: 'POST', headers, signal });
    return new Promise<number>((resolve, reject) => {
      request.on('error', reject);
      request.on('response', (response) => {
        response.on('error', reject).on('end', () => resolve(response.statusCode ?? 0));
        response.resume();
      });
      request.end(body);
    });
  };
}

type Open = (url: URL, options: RequestOptions) => ClientRequest;

const agent = new Agent({ keepAlive: true });
const openSecure: Open = (url, options) => requestHttps(url, { ...options, agent });

/** For emulators. Imported only then: who imports node:http as a module waits 20 ms for the WebSocket that is among its exports. */
async function openPlain(): Promise<Open> {
  const { request } = await import('node:http');
  return request;
}
