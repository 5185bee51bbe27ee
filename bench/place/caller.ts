/** An ECS client as cheap as can be: signed calls on the wire protocol over connections that stay open, so that little of what is measured is its own. */

import { createHash, createHmac } from 'node:crypto';
import { Agent, request } from 'node:http';
import type { ControlPlaneProcess } from './control-plane.ts';

export interface Caller extends Disposable {
  /** The answer's text. Throws an Error where it is not 200. */
  call(operation: string, input: object): Promise<string>;
}

export function createCaller({ endpoint, region, credentials }: ControlPlaneProcess): Caller {
  const url = new URL(endpoint);
  const agent = new Agent({ keepAlive: true });
  const sign = createFastSigner(url.host, region, credentials);
  return {
    call(operation, input) {
      const body = JSON.stringify(input);
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      const sent = request({
        agent,
        host: url.hostname,
        port: url.port,
        method: 'POST',
        path: '/',
        headers: sign(operation, body),
      });
      sent.on('error', reject);
      sent.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          if (response.statusCode === 200) resolve(text);
          else reject(new Error(`${operation}: ${response.statusCode} ${text}`));
        });
      });
      sent.end(body);
      return promise;
    },
    [Symbol.dispose]: () => agent.destroy(),
  };
}

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Signature Version 4 of one form of request, with the key of the day derived once. */
function createFastSigner(host: string, region: string, credentials: ControlPlaneProcess['credentials']) {
  let key: { readonly day: string; readonly bytes: Buffer } | undefined;
  return (operation: string, body: string): Record<string, string> => {
    const date = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
    const day = date.slice(0, 8);
    if (key?.day !== day) {
      const ofDay = hmac(`AWS4${credentials.secretAccessKey}`, day);
      key = { day, bytes: hmac(hmac(hmac(ofDay, region), 'ecs'), 'aws4_request') };
    }
    const target = `AmazonEC2ContainerServiceV20141113.${operation}`;
    const signedHeaders = 'content-type;host;x-amz-date;x-amz-target';
    const contentType = 'application/x-amz-json-1.1';
    const canonical = `POST\n/\n\ncontent-type:${contentType}\nhost:${host}\nx-amz-date:${date}\nx-amz-target:${target}\n\n${signedHeaders}\n${sha256(body)}`;
    const scope = `${day}/${region}/ecs/aws4_request`;
    const signature = hmac(key.bytes, `AWS4-HMAC-SHA256\n${date}\n${scope}\n${sha256(canonical)}`).toString('hex');
    return {
      host,
      'content-type': contentType,
      'content-length': String(Buffer.byteLength(body)),
      'x-amz-date': date,
      'x-amz-target': target,
      authorization: `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${signedHeaders}, Signature=${signature}`,
    };
  };
}
