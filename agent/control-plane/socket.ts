/**
 * A WebSocket to the control plane that is dialled again whenever it closes, with jittered backoff; what keeps it open and finds a dead
 * peer is in upkeep.ts. Knows nothing of the frames.
 */
import type { Logger } from 'pino';
import { WebSocket } from 'ws';
import type { Clock } from '../clock.ts';
import { backoffMs, type Random } from '../loops/backoff.ts';
import type { SignRequest } from './signer.ts';
import { keepUp, pingEveryMs, type Upkeep } from './upkeep.ts';

const redial = { firstMs: 250, longestMs: 30_000 };
const handshakeTimeoutMs = 10_000;
/** Frames from the control plane are short; anything longer is not from it. */
const maxFrameBytes = 64 * 1024;
/** A URL of either kind can be dialled. */
const socketProtocols: Readonly<Record<string, string>> = { 'http:': 'ws:', 'https:': 'wss:' };

export interface SocketEvents {
  /** After each dial that succeeded, also the first. */
  opened(socket: WebSocket): void;
  message(text: string): void;
  closed(): void;
}

export interface SocketOptions {
  /** `http:` or `https:`, dialled as `ws:` or `wss:`; or one of these. */
  readonly url: URL;
  readonly sign: SignRequest;
  readonly upkeep: Upkeep;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

interface Connection {
  readonly wasOpen: boolean;
  /** It was closed by us, to be dialled anew. */
  readonly isRenewal: boolean;
  readonly reason: string;
}

/** Keeps one socket open until the signal fires; resolves when it is closed for good. */
export async function keepConnected(options: SocketOptions, events: SocketEvents, signal: AbortSignal): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    const { wasOpen, isRenewal, reason } = await connectOnce(options, events, signal);
    if (signal.aborted) return;
    failures = wasOpen ? 0 : failures + 1;
    options.log.debug({ url: options.url.href, reason, failures }, 'the socket to the control plane is closed');
    if (!isRenewal) await options.clock.sleep(backoffMs(failures, redial, options.random), signal);
  }
}

/** One connection from dial to close. */
async function connectOnce(
  { url, sign, upkeep, clock, random }: SocketOptions,
  events: SocketEvents,
  signal: AbortSignal,
): Promise<Connection> {
  const socketUrl = new URL(url);
  socketUrl.protocol = socketProtocols[url.protocol] ?? url.protocol;
  const socket = new WebSocket(socketUrl, {
    headers: { ...sign('GET', url, '') },
    handshakeTimeout: handshakeTimeoutMs,
    maxPayload: maxFrameBytes,
    perMessageDeflate: false,
  });
  const closed = Promise.withResolvers<string>();
  const ended = new AbortController();
  let wasOpen = false;
  let isRenewal = false;
  let reason = '';
  const renewing = () => {
    isRenewal = true;
  };
  socket.on('open', () => {
    wasOpen = true;
    events.opened(socket);
    void keepUp(socket, upkeep, { clock, random, renewing }, ended.signal);
  });
  socket.on('upgrade', (response) => response.socket.setKeepAlive(true, pingEveryMs));
  socket.on('message', (data: Buffer, isBinary) => {
    if (!isBinary) events.message(data.toString());
  });
  socket.on('error', (error) => {
    reason = error.message; // `close` follows.
  });
  socket.on('close', (code) => closed.resolve(reason === '' ? `closed with code ${code}` : reason));
  const onAbort = () => socket.terminate();
  signal.addEventListener('abort', onAbort);
  const why = await closed.promise;
  signal.removeEventListener('abort', onAbort);
  ended.abort();
  if (wasOpen) events.closed();
  return { wasOpen, isRenewal, reason: why };
}
