/**
 * A WebSocket API of API Gateway on loopback: a function decides on `$connect`, is told of `$disconnect`, and frames are posted to
 * `@connections`. Its limits are AWS' own and can be made shorter; a disconnect can be held back, because AWS promises no order.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type WebSocket, WebSocketServer } from 'ws';
import { denialMessage, type Identities } from '../iam/identities.ts';
import type { LambdaFunction } from '../lambda/lambda-function.ts';
import { type ConnectionInfo, connectEvent, disconnectEvent, messageEvent } from './web-socket-events.ts';

export interface WebSocketApiOptions {
  readonly apiId: string;
  readonly accountId: string;
  readonly region: string;
  readonly identities: Identities;
}

/** `mock` answers by itself and calls nobody. */
export type WebSocketTarget = LambdaFunction | 'mock';

interface Connection extends ConnectionInfo {
  readonly socket: WebSocket;
  lastActiveAt: number;
  idleTimer?: NodeJS.Timeout;
  lifeTimer?: NodeJS.Timeout;
}

/** Of a posted frame; AWS takes 128 KB, in frames of 32. */
const maxFrameBytes = 128 * 1024;

export class WebSocketApi {
  readonly #options: WebSocketApiOptions & { stage: string };
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: maxFrameBytes });
  readonly #connections = new Map<string, Connection>();
  readonly #disconnects = new Set<Promise<unknown>>();
  routes = new Map<string, WebSocketTarget>();
  idleMs = 10 * 60_000;
  lifetimeMs = 2 * 3_600_000;
  /** Frames posted from here on are taken and lost, as on a connection whose other end is gone without a word. */
  losesFrames = false;
  /** Awaited before `$disconnect` is told: tests hold it back. */
  beforeDisconnect: ((connectionId: string) => Promise<void>) | undefined;
  /** Awaited before a dial is shown to the function. */
  beforeConnect: (() => Promise<void>) | undefined;
  posted = 0;
  /** Posts that met no connection. */
  gone = 0;
  messages = 0;

  constructor(options: WebSocketApiOptions) {
    this.#options = { ...options, stage: '' };
    this.#server = createServer((request, response) => {
      this.#manage(request, response).catch(() => response.destroy());
    });
    this.#server.on('upgrade', (request, stream, head) => {
      this.#upgrade(request, stream, head).catch(() => stream.destroy());
    });
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  /** Nothing is at the API before it has a stage. */
  deploy(stage: string): void {
    this.#options.stage = stage;
  }

  /** `127.0.0.1:PORT` */
  get authority(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get connectionIds(): string[] {
    return [...this.#connections.keys()];
  }

  /** Ends connections from this side, as a limit or a fault of the network does. */
  dropAll(): void {
    for (const { socket } of this.#connections.values()) socket.terminate();
  }

  /** Every end that has happened has been told. */
  async settled(): Promise<void> {
    await Promise.all(this.#disconnects);
  }

  async stop(): Promise<void> {
    this.dropAll();
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
    await this.settled();
  }

  async #upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): Promise<void> {
    const { stage } = this.#options;
    if (request.url?.split('?')[0] !== `/${stage}`) return refuse(stream, 403);
    await this.beforeConnect?.();
    const info = this.#newConnection(request);
    const status = await this.#call('$connect', connectEvent(info, request, this.#options));
    if (status < 200 || status > 299) return refuse(stream, status);
    this.#sockets.handleUpgrade(request, stream, head, (socket) => this.#open(info, socket));
  }

  #newConnection(request: IncomingMessage): ConnectionInfo {
    const connectionId = `${randomBytes(11).toString('base64url')}=`;
    return { connectionId, connectedAt: Date.now(), sourceIp: request.socket.remoteAddress ?? '' };
  }

  /** The status that the function's answer means. */
  async #call(routeKey: string, event: object): Promise<number> {
    const target = this.routes.get(routeKey);
    if (target === undefined || target === 'mock') return 200;
    const outcome = await target.invoke(event);
    if (outcome.kind === 'throttled') return 429;
    if (outcome.kind === 'failed') return 502;
    const { statusCode } = Object(outcome.payload ?? {});
    return Number.isInteger(statusCode) ? statusCode : 502;
  }

  #open(info: ConnectionInfo, socket: WebSocket): void {
    const connection: Connection = { ...info, socket, lastActiveAt: Date.now() };
    this.#connections.set(info.connectionId, connection);
    connection.lifeTimer = setTimeout(() => socket.close(1001, 'Going away'), this.lifetimeMs);
    this.#active(connection);
    socket.on('error', () => {}); // `close` follows and is what counts.
    socket.on('message', (data: Buffer) => {
      this.messages += 1;
      this.#active(connection);
      const route = this.routes.has('$default') ? '$default' : undefined;
      if (route !== undefined) void this.#call(route, messageEvent(info, data.toString('utf8'), this.#options));
    });
    socket.on('close', (code, reason) => this.#closed(connection, code, reason.toString('utf8')));
  }

  /** Data alone keeps a connection: pings do not count. */
  #active(connection: Connection): void {
    clearTimeout(connection.idleTimer);
    connection.lastActiveAt = Date.now();
    connection.idleTimer = setTimeout(() => connection.socket.close(1001, 'Going away'), this.idleMs);
  }

  #closed(connection: Connection, code: number, reason: string): void {
    clearTimeout(connection.idleTimer);
    clearTimeout(connection.lifeTimer);
    this.#connections.delete(connection.connectionId);
    const told = (async () => {
      await this.beforeDisconnect?.(connection.connectionId);
      await this.#call('$disconnect', disconnectEvent(connection, { code, reason }, this.#options));
    })();
    this.#disconnects.add(told);
    void told.finally(() => this.#disconnects.delete(told));
  }

  /** `@connections`: POST a frame, GET what is known, DELETE. */
  async #manage(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { stage, identities, region, accountId, apiId } = this.#options;
    const [, id] = new RegExp(`^/${stage}/@connections/([^/?]+)$`).exec(request.url ?? '') ?? [];
    if (id === undefined) return answer(response, 403, 'ForbiddenException', 'Forbidden');
    const connectionId = decodeURIComponent(id);
    const identity = identities.ofHeader(request.headers.authorization);
    const resource = `arn:aws:execute-api:${region}:${accountId}:${apiId}/${stage}/${request.method}/@connections/${connectionId}`;
    const call = { action: 'execute-api:ManageConnections', resource };
    if (identity === undefined) return answer(response, 403, 'ForbiddenException', 'Forbidden');
    if (!identities.allows(identity, call))
      return answer(response, 403, 'ForbiddenException', denialMessage(identity, call));
    const frame = await buffer(request);
    const connection = this.#connections.get(connectionId);
    if (connection === undefined) {
      this.gone += 1;
      return answer(response, 410, 'GoneException', '');
    }
    if (request.method === 'POST') return this.#post(connection, frame, response);
    if (request.method === 'DELETE') {
      connection.socket.close(1000);
      response.writeHead(204).end();
      return;
    }
    const { connectedAt, sourceIp, lastActiveAt } = connection;
    const [ConnectedAt, LastActiveAt] = [connectedAt, lastActiveAt].map((at) => new Date(at).toISOString());
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ ConnectedAt, LastActiveAt, Identity: { SourceIp: sourceIp, UserAgent: '' } }));
  }

  #post(connection: Connection, frame: Buffer, response: ServerResponse): void {
    if (frame.length > maxFrameBytes) {
      answer(response, 413, 'PayloadTooLargeException', 'Message is too large.');
      return;
    }
    this.posted += 1;
    this.#active(connection);
    if (!this.losesFrames) connection.socket.send(frame.toString('utf8'));
    response.writeHead(200).end();
  }
}

function refuse(stream: Duplex, status: number): void {
  const body = JSON.stringify({ message: status === 403 ? 'Forbidden' : 'Internal server error' });
  stream.end(
    `HTTP/1.1 ${status} Refused\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

function answer(response: ServerResponse, status: number, type: string, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json', 'x-amzn-errortype': type });
  response.end(JSON.stringify({ message, connectionId: '', requestId: randomBytes(8).toString('hex') }));
}
