/** The hosts' WebSockets over Node's HTTP server: authenticates the upgrade as any other request of a host, and gives the socket to the hub. */
import type { IncomingMessage } from 'node:http';
import type { Server } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import type { Control } from '../control/create.ts';
import { authenticateHost } from '../control/hosts/authenticate.ts';
import type { HostSocket } from '../control/hosts/channel-hub.ts';
import { errorTraits, GantryError } from '../core/errors.ts';

/** A batch of log lines; a longer frame is not from an agent. */
const maxFrameBytes = 4 * 1024 * 1024;

const pathPattern = /^\/hosts\/v1\/([^/]+)\/(wake|channel)$/;

export function acceptHostSockets(server: Server, { deps, hub }: Control, log: Logger): void {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: maxFrameBytes });
  server.on('upgrade', (request, stream, head) => {
    // It may break while its host is looked up; nobody else listens then, and the process would end.
    stream.on('error', () => stream.destroy());
    upgrade(request, stream, head).catch((error: unknown) => refuse(stream, error, log));
  });
  server.on('close', () => sockets.close());

  async function upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): Promise<void> {
    const path = URL.parse(request.url ?? '/', 'http://host')?.pathname ?? '';
    const [, hostId, kind] = pathPattern.exec(path) ?? [];
    if (hostId === undefined) throw new GantryError('ResourceNotFoundException', `There is no WebSocket at ${path}.`);
    await authenticateHost(deps, hostId, {
      method: 'GET',
      path,
      header: (name) => firstValue(request.headers[name.toLowerCase()]),
      body: new Uint8Array(),
    });
    sockets.handleUpgrade(request, stream, head, (socket) => {
      if (kind === 'wake') hub.attachWake(hostId, hostSocket(socket));
      else hub.attachChannel(hostId, hostSocket(socket));
    });
  }
}

const firstValue = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value[0] : value;

function hostSocket(socket: WebSocket): HostSocket {
  socket.on('error', () => {}); // `close` follows and is what counts.
  return {
    send: (text) => socket.send(text),
    onMessage: (listener) => socket.on('message', (data) => listener(textOf(data))),
    onClose: (listener) => socket.on('close', () => listener()),
    close: (reason) => socket.close(1008, reason.slice(0, 120)),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
  };
}

/** Of a socket that was not told otherwise, ws makes one Buffer a message. */
function textOf(data: RawData): string {
  if (!Buffer.isBuffer(data)) throw new TypeError('a message that is no Buffer');
  return data.toString('utf8');
}

function refuse(stream: Duplex, error: unknown, log: Logger): void {
  const known = error instanceof GantryError ? error : undefined;
  if (known === undefined) log.error({ err: error }, "a host's socket was refused");
  const status = known === undefined ? 500 : errorTraits[known.code].restStatus;
  const body = JSON.stringify({ code: known?.code ?? 'ServerException', message: known?.message ?? '' });
  // One that does not close its side must not stay half-open.
  stream.once('finish', () => stream.destroy());
  stream.end(
    `HTTP/1.1 ${status} Refused\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
