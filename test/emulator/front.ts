/**
 * Stands on loopback where a client of AWS would find an API by its host name, which the emulator tells its APIs apart by and which no
 * resolver knows here. Renames what the wire front renames, since the host that a client signed for is this one's.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { Duplex } from 'node:stream';
import { connect } from 'node:tls';
import type { Emulator } from './ministack.ts';

export interface Front extends AsyncDisposable {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** What the emulator takes the API by; IAM's signatures are made for it. */
  readonly apiHost: string;
}

export async function startFront(emulator: Emulator, apiId: string): Promise<Front> {
  const apiHost = `${apiId}.execute-api.localhost:${emulator.port}`;
  // Not by the Host header, which its certificate does not know.
  const target = { host: '127.0.0.1', port: emulator.port, ca: emulator.certificate, servername: 'localhost' };
  const headersOf = ({ headers, url }: IncomingMessage) => ({
    ...headers,
    host: apiHost,
    ...(url === '/' && { 'x-gantry-host': headers.host }),
  });
  const sockets = new Set<Duplex>();
  const server = createServer((incoming, answer) => {
    const { method, url: path } = incoming;
    const onward = request({ ...target, method, path, headers: headersOf(incoming) }, (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
    });
    onward.on('error', (error) => answer.destroy(error));
    incoming.pipe(onward);
  });
  server.on('upgrade', (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
    const onward = connect(target, () => {
      const lines = Object.entries({ ...incoming.headers, host: apiHost }).map(
        ([name, value]) => `${name}: ${String(value)}`,
      );
      onward.write(`GET ${incoming.url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
      onward.write(head);
      socket.pipe(onward).pipe(socket);
    });
    for (const [one, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    apiHost,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}
