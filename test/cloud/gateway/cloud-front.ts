/**
 * A CloudFront distribution on loopback: runs the function of its viewer requests as it stands in the template, and hands the request
 * on to its origin under the origin's own host name. Caches nothing.
 */
import { once } from 'node:events';
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { runInNewContext } from 'node:vm';

export interface CloudFrontOptions {
  readonly domainName: string;
  readonly originHost: string;
  /** `127.0.0.1:PORT` that stands for the origin. */
  readonly originAuthority: string;
  /** JavaScript that defines `handler(event)`. */
  readonly viewerRequest: string | undefined;
}

type EdgeHeaders = Record<string, { value: string }>;
interface EdgeRequest {
  readonly method: string;
  readonly uri: string;
  readonly headers: EdgeHeaders;
}

export class CloudFront {
  readonly #options: CloudFrontOptions;
  readonly #server: Server;

  constructor(options: CloudFrontOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => {
      this.#handle(request, response).catch(() => response.destroy());
    });
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  /** `127.0.0.1:PORT` */
  get authority(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const changed = this.#runFunction(request);
    if ('statusCode' in changed) {
      response.writeHead(Number(changed.statusCode)).end();
      return;
    }
    const { originHost, originAuthority } = this.#options;
    const headers = Object.fromEntries(Object.entries(changed.headers).map(([name, { value }]) => [name, value]));
    const [host = '', port = ''] = originAuthority.split(':');
    const forwarded = httpRequest({
      host,
      port,
      method: changed.method,
      path: changed.uri + (/\?.*$/.exec(request.url ?? '')?.[0] ?? ''),
      headers: { ...headers, host: originHost, via: '1.1 loopback.cloudfront.net (CloudFront)' },
    });
    forwarded.on('error', () => response.writeHead(502).end());
    forwarded.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    forwarded.end(body);
  }

  #runFunction(request: IncomingMessage): EdgeRequest | { statusCode: unknown } {
    const headers: EdgeHeaders = {};
    for (const [name, value] of Object.entries(request.headers))
      if (name !== 'connection' && value !== undefined) headers[name] = { value: [value].flat().join(',') };
    const uri = (request.url ?? '/').split('?')[0] ?? '/';
    const edge: EdgeRequest = { method: request.method ?? 'GET', uri, headers };
    const { viewerRequest } = this.#options;
    if (viewerRequest === undefined) return edge;
    const event = {
      version: '1.0',
      context: { eventType: 'viewer-request' },
      viewer: { ip: '127.0.0.1' },
      request: edge,
    };
    return runInNewContext(`${viewerRequest}\nhandler(event)`, { event });
  }
}
