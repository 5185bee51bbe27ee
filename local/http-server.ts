/**
 * Node's HTTP server of one machine, with bounds on what a client may hold of it by being slow, half-open or many. Cuts connections, never
 * requests that have come whole: those are answered, however long that takes. Knows nothing of what is served.
 */
import { once } from 'node:events';
import { createServer, IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { SecureContext } from 'node:tls';

export interface ConnectionLimits {
  /** How long a request's headers may take to come. */
  readonly headersMs: number;
  /** How long a request may take to come whole. Its answer may take longer. */
  readonly requestMs: number;
  /** How long a connection may stay without a request. */
  readonly idleMs: number;
  /** How long what was sent may lie without its reader taking any of it. */
  readonly unreadMs: number;
  readonly headerBytes: number;
  /** A further one is closed at once. */
  readonly connections: number;
  /** How often it is looked for what is over. */
  readonly lookMs: number;
}

export const usualLimits: ConnectionLimits = {
  headersMs: 15_000,
  // A host's report may have some megabytes.
  requestMs: 60_000,
  // Longer than clients keep a connection for reuse, so that they close it and not we under their next request.
  idleMs: 75_000,
  unreadMs: 60_000,
  headerBytes: 16 * 1024,
  connections: 10_000,
  lookMs: 5000,
};

/** A peer that has gone without a word is found by the kernel. */
const keepAliveProbeMs = 60_000;

export interface TlsNow {
  /** PEM, of the start. */
  readonly shown: { readonly cert: string; readonly key: string };
  /** By the name that the client asks for, at the time. */
  readonly contextFor: (name: string) => SecureContext;
}

export interface HttpServer {
  readonly server: Server | TlsServer;
  /** Takes no new connection, lets open requests end, and cuts what is left after a while. `onClosing`: once nothing new is taken. */
  readonly close: (drainMs: number, onClosing: () => void) => Promise<void>;
}

/** With `tls` it speaks HTTPS, and nothing else. */
export function createHttpServer(
  listener: RequestListener,
  limits: ConnectionLimits = usualLimits,
  tls?: TlsNow,
): HttpServer {
  const open = new Set<ServerResponse>();
  let isClosing = false;
  const onRequest: RequestListener = (request, response) => {
    open.add(response);
    response.once('close', () => {
      open.delete(response);
      // One whose answer had begun before still believes that its client may ask again.
      if (isClosing) setImmediate(() => server.closeIdleConnections());
    });
    response.shouldKeepAlive &&= !isClosing;
    listener(request, response);
  };
  const server = listening(limits, tls, onRequest);
  server.maxConnections = limits.connections;
  /** Of all connections, WebSockets too, which Node's server does not count as its own any more. */
  const readers = new Map<Socket, Reader>();
  server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
    readers.set(socket, { taken: 0, since: performance.now() });
    socket.once('close', () => readers.delete(socket));
  });
  const timer = setInterval(() => cutUnread(readers, limits.unreadMs), limits.lookMs);
  timer.unref();
  server.once('close', () => clearInterval(timer));
  return {
    server,
    async close(drainMs, onClosing) {
      const closed = once(server, 'close');
      isClosing = true;
      for (const response of open) response.shouldKeepAlive = false;
      server.close();
      server.closeIdleConnections();
      onClosing();
      const cut = new AbortController();
      const drained = delay(drainMs, undefined, { signal: cut.signal }).then(
        () => readers.forEach((_, socket) => void socket.destroy()),
        () => {}, // Everything ended by itself.
      );
      await closed;
      cut.abort();
      await drained;
    },
  };
}

function listening(limits: ConnectionLimits, tls: TlsNow | undefined, onRequest: RequestListener): Server | TlsServer {
  const bounds = {
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    connectionsCheckingInterval: limits.lookMs,
    keepAliveTimeout: limits.idleMs,
    maxHeaderSize: limits.headerBytes,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveProbeMs,
  };
  if (tls === undefined) return createServer(bounds, onRequest);
  return createTlsServer(
    {
      ...bounds,
      ...tls.shown,
      minVersion: 'TLSv1.2',
      handshakeTimeout: limits.headersMs,
      SNICallback: (name, done) => done(null, tls.contextFor(name)),
    },
    onRequest,
  );
}

interface Reader {
  taken: number;
  since: number;
}

/** Streams wait for their reader, so memory does not grow for one that does not read; but it must not stay for ever either. */
function cutUnread(readers: ReadonlyMap<Socket, Reader>, unreadMs: number): void {
  const now = performance.now();
  for (const [socket, reader] of readers) {
    // What the kernel has taken: all of it where nothing lies here.
    const taken = socket.bytesWritten - socket.writableLength;
    if (taken !== reader.taken || socket.writableLength === 0) Object.assign(reader, { taken, since: now });
    else if (now - reader.since >= unreadMs) socket.destroy();
  }
}

/**
 * Of whoever sent a request, as Hono's adapter hands it on. Undefined on this machine itself, where everybody has the same one: a program
 * that goes wrong must not shut out the others.
 */
export function remoteAddress(platform: unknown): string | undefined {
  const incoming: unknown = Object(platform).incoming;
  const address = incoming instanceof IncomingMessage ? incoming.socket.remoteAddress : undefined;
  return address === undefined || loopback.test(address) ? undefined : address;
}

const loopback = /^(?:::ffff:)?127\.|^::1$/;
