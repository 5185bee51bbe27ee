/**
 * Posts a frame to a connection of the WebSocket API (`POST /@connections/ID`). Signed by hand: the SDK's client for this one request
 * would be a tenth of the function.
 */
import { Agent as HttpAgent, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
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
  const isPlain = base.protocol === 'http:';
  const agent = new (isPlain ? HttpAgent : HttpsAgent)({ keepAlive: true });
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
    const status = await new Promise<number>((resolve, reject) => {
      const request = (isPlain ? requestHttp : requestHttps)(url, { method: 'POST', headers, agent, signal });
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
