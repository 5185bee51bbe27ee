/** An HTTP/2 server on a unix socket that answers gRPC calls as a test says. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface GrpcServer extends AsyncDisposable {
  readonly socket: string;
  answer: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;
  /** Ends every connection, and takes no new ones until `resume`. */
  stop(): Promise<void>;
  resume(): Promise<void>;
}

export async function startGrpcServer(): Promise<GrpcServer> {
  const dir = mkdtempSync(join(tmpdir(), 'gantry-grpc-'));
  const socket = join(dir, 'socket');
  const sessions = new Set<ServerHttp2Session>();
  const listen = async () => {
    const http = createServer();
    http.on('session', (session) => sessions.add(session));
    http.on('stream', (stream, headers) => {
      stream.on('error', () => {}); // The client went away, as the test wanted.
      server.answer(stream, headers);
    });
    http.listen(socket);
    await once(http, 'listening');
    return http;
  };
  const server: GrpcServer = {
    socket,
    answer: () => {},
    async stop() {
      for (const session of sessions) session.destroy();
      sessions.clear();
      http.close();
      await once(http, 'close');
    },
    async resume() {
      http = await listen();
    },
    async [Symbol.asyncDispose]() {
      if (http.listening) await server.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
  let http = await listen();
  return server;
}

/** Messages, then the status in the trailers. */
export function respond(
  stream: ServerHttp2Stream,
  messages: readonly Uint8Array[],
  trailers: Record<string, string>,
): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  for (const message of messages) stream.write(message);
  stream.end();
}
