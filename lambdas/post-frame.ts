/**
 * Posts a frame to a connection of the WebSocket API (`POST /@connections/ID`). Signed by hand: the SDK's client for this one request
 * would be a tenth of the function.
 */
import type { ClientRequest, RequestOptions } from 'node:http';
import { Agent, request as requestHttps } from 'node:https';
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';

export interface GatewayOptions {
  /** `https://…/<stage>`. */
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: () => { readonly accessKeyId: string; readonly secretAccessKey: string };
}

export type PostFrame = (connectionId: string, frame: string, signal: AbortSignal) => Promise<'sent' | 'gone'>;

/** Throws where the frame was not taken and the connection is not known to be gone. */
export function framePoster({ endpoint, region, credentials }: GatewayOptions): PostFrame {
  const base = new URL(endpoint.endsWith('/') ? endpoint : `${endpoint}/`);
  const open = base.protocol === 'http:' ? openPlain() : openSecure;
  const signer = new SignatureV4({
    service: 'execute-api',
    region,
    sha256: Sha256,
    credentials: async () => credentials(),
  });
  return async (connectionId, frame, signal) => {
    const url = new URL(`@connections/${encodeURIComponent(connectionId)}`, base);
    const { headers } = await signer.sign({
      method: 'POST',
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      query: {},
      headers: { host: url.host, 'content-length': `${Buffer.byteLength(frame)}` },
      body: frame,
    });
    const request = (await open)(url, { method: 'POST', headers, signal });
    const status = await new Promise<number>((resolve, reject) => {
      request.on('error', reject);
      request.on('response', (response) => {
        response.on('error', reject).on('end', () => resolve(response.statusCode ?? 0));
        response.resume();
      });
      request.end(frame);
    });
    if (status === 410) return 'gone';
    if (status < 300) return 'sent';
    throw new Error(`the WebSocket API answered ${status}`);
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
