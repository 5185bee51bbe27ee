/**
 * A registry in memory, on loopback, that a test can make misbehave: every request is recorded and passes a handler first, which may
 * answer it in the registry's stead.
 */
import { type HttpBindings, type ServerType, serve } from '@hono/node-server';
import { Hono } from 'hono';
import type { Blob, Image, ImageIndex } from '../../local/images/image.ts';

export interface RecordedRequest {
  readonly method: string;
  /** `/v2/team/app/blobs/sha256:…` */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Headers;
  /** A body that sends the bytes and then breaks the connection. */
  brokenBody(bytes: Uint8Array): ReadableStream<Uint8Array>;
}

/** Answers the request itself, or lets the registry do it by answering undefined. */
export type Interception = (request: RecordedRequest) => Response | undefined | Promise<Response | undefined>;

export interface FakeRegistry extends AsyncDisposable {
  /** `127.0.0.1:41234` */
  readonly host: string;
  readonly requests: RecordedRequest[];
  intercept: Interception;
  /** Publishes an image and answers its reference. */
  publish(image: Image | ImageIndex, repository?: string, tag?: string): string;
  /** The blob as the registry would answer it, for interceptions that change something. */
  blob(digest: string): Buffer;
}

export async function startFakeRegistry(): Promise<FakeRegistry> {
  const blobs = new Map<string, Blob>();
  const manifests = new Map<string, Blob>();
  const app = new Hono<{ Bindings: HttpBindings }>();
  app.all('*', async ({ req, env }) => {
    const url = new URL(req.url);
    const headers = new Headers(req.raw.headers);
    const request: RecordedRequest = {
      method: req.method,
      path: url.pathname,
      query: url.searchParams,
      headers,
      brokenBody: (bytes) => sendThen(bytes, () => env.incoming.socket.destroy()),
    };
    registry.requests.push(request);
    return (await registry.intercept(request)) ?? answer(request, manifests, blobs);
  });
  const { server, port } = await listen(app);
  const registry: FakeRegistry = {
    host: `127.0.0.1:${port}`,
    requests: [],
    intercept: () => undefined,
    publish(image, repository = 'team/app', tag = 'latest') {
      const images = 'images' in image ? image.images : [image];
      for (const member of images) {
        for (const blob of member.blobs) blobs.set(blob.digest, blob);
        manifests.set(`${repository}/${member.manifest.digest}`, member.manifest);
      }
      manifests
        .set(`${repository}/${tag}`, image.manifest)
        .set(`${repository}/${image.manifest.digest}`, image.manifest);
      return `${registry.host}/${repository}:${tag}`;
    },
    blob(digest) {
      const blob = blobs.get(digest);
      if (blob === undefined) throw new Error(`no blob ${digest}`);
      return blob.bytes;
    },
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => {
        server.close(resolve);
        if ('closeAllConnections' in server) server.closeAllConnections();
      });
    },
  };
  return registry;
}

function listen(app: Hono<{ Bindings: HttpBindings }>): Promise<{ server: ServerType; port: number }> {
  return new Promise((resolve) => {
    const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => resolve({ server, port }));
  });
}

function answer(request: RecordedRequest, manifests: Map<string, Blob>, blobs: Map<string, Blob>): Response {
  const [, repository = '', kind = '', name = ''] = /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(request.path) ?? [];
  const found = kind === 'manifests' ? manifests.get(`${repository}/${name}`) : blobs.get(name);
  if (found === undefined) {
    const code = kind === 'manifests' ? 'MANIFEST_UNKNOWN' : 'BLOB_UNKNOWN';
    return Response.json({ errors: [{ code, message: `${name} is unknown` }] }, { status: 404 });
  }
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.get('range') ?? '')?.[1] ?? 0);
  const bytes = new Uint8Array(found.bytes.subarray(from));
  const headers = {
    'content-type': kind === 'manifests' ? found.mediaType : 'application/octet-stream',
    'content-length': String(bytes.length),
    'docker-content-digest': found.digest,
  };
  return new Response(request.method === 'HEAD' ? null : bytes, { status: from > 0 ? 206 : 200, headers });
}

/** A body that sends the bytes and then nothing, until the connection is ended. */
export function silentBody(bytes: Uint8Array, onSent: () => void = () => {}): ReadableStream<Uint8Array> {
  return sendThen(bytes, onSent);
}

function sendThen(bytes: Uint8Array, afterwards: () => void): ReadableStream<Uint8Array> {
  let isSent = false;
  return new ReadableStream(
    {
      pull(controller) {
        if (isSent) {
          afterwards();
          return new Promise<void>(() => {});
        }
        isSent = true;
        controller.enqueue(bytes);
        return undefined;
      },
    },
    { highWaterMark: 0 }, // Asked for more only when the bytes have been written.
  );
}
