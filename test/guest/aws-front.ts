/**
 * What stands behind AWS' names for a guest: one TLS port that shows a certificate of those names and hands each connection on to what
 * stands for the name it was opened for, as it is. HTTP and WebSockets are all the same to it.
 */
import { once } from 'node:events';
import { type AddressInfo, createConnection } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { type CertificateAuthority, certificateFor } from './certificates.ts';

export interface AwsFront extends AsyncDisposable {
  readonly port: number;
  readonly names: readonly string[];
  /** How often each name was connected to. */
  readonly connections: ReadonlyMap<string, number>;
}

/** @param ports of plain HTTP servers on loopback, by name */
export async function startAwsFront(
  authority: CertificateAuthority,
  ports: ReadonlyMap<string, number>,
): Promise<AwsFront> {
  const names = [...ports.keys()];
  const connections = new Map<string, number>();
  const open = new Set<TLSSocket>();

  const server = createServer(certificateFor(names, authority), (socket) => {
    const name = typeof socket.servername === 'string' ? socket.servername : '';
    const port = ports.get(name);
    if (port === undefined) return void socket.destroy();
    connections.set(name, (connections.get(name) ?? 0) + 1);
    open.add(socket);
    const upstream = createConnection(port, '127.0.0.1');
    socket.pipe(upstream).pipe(socket);
    for (const side of [socket, upstream])
      side
        .on('error', () => undefined) // It closes, and so does the other side.
        .on('close', () => {
          open.delete(socket);
          socket.destroy();
          upstream.destroy();
        });
  });
  server.on('tlsClientError', () => undefined); // A guest that was cut off, or a client that does not trust us: it says so itself.
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    names,
    connections,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
