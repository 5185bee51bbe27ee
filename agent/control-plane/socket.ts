/**
 * A WebSocket to the control plane that is dialled again whenever it closes, with jittered backoff, and pinged so that a peer that
 * vanished without a word is noticed. Knows nothing of the frames.
 */
import type { Logger } from 'pino';
import { WebSocket } from 'ws';
import type { Clock } from '../clock.ts';
import { backoffMs, type Random } from '../loops/backoff.ts';
import type { SignRequest } from './signer.ts';

const redial = { firstMs: 250, longestMs: 30_000 };
const pingEveryMs = 30_000;
const handshakeTimeoutMs = 10_000;
/** Frames from the control plane are short; anything longer is not from it. */
const maxFrameBytes = 64 * 1024;

export interface SocketEvents {
  /** After each dial that succeeded, also the first. */
  opened(socket: WebSocket): void;
  message(text: string): void;
  closed(): void;
}

export interface SocketOptions {
  /** `http:` or `https:`; dialled as `ws:` or `wss:`. */
  readonly url: URL;
  readonly sign: SignRequest;
  /**
   * True: a peer that leaves two pings unanswered is gone. False where the peer may stop reading for as long as it likes (a slow
   * reader of logs); then only the kernel's keepalive finds a dead one.
   */
  readonly mustAnswerPings: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Keeps one socket open until the signal fires; resolves when it is closed for good. */
export async function keepConnected(options: SocketOptions, events: SocketEvents, signal: AbortSignal): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    const { wasOpen, reason } = await connectOnce(options, events, signal);
    if (signal.aborted) return;
    failures = wasOpen ? 0 : failures + 1;
    options.log.debug({ url: options.url.href, reason, failures }, 'the socket to the control plane is closed');
    await options.clock.sleep(backoffMs(failures, redial, options.random), signal);
  }
}

/** One connection from dial to close. */
async function connectOnce(
  { url, sign, clock, mustAnswerPings }: SocketOptions,
  events: SocketEvents,
  signal: AbortSignal,
): Promise<{ wasOpen: boolean; reason: string }> {
  const socketUrl = new URL(url);
  socketUrl.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const socket = new WebSocket(socketUrl, {
    headers: { ...sign('GET', url, '') },
    handshakeTimeout: handshakeTimeoutMs,
    maxPayload: maxFrameBytes,
    perMessageDeflate: false,
  });
  const closed = Promise.withResolvers<string>();
  const stopPinging = new AbortController();
  let wasOpen = false;
  let reason = '';
  socket.on('open', () => {
    wasOpen = true;
    events.opened(socket);
    void keepAlive(socket, clock, { mustAnswerPings }, stopPinging.signal);
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
  stopPinging.abort();
  if (wasOpen) events.closed();
  return { wasOpen, reason: why };
}

/** Pings also keep the connection open in whatever stands between and closes idle ones. */
async function keepAlive(
  socket: WebSocket,
  clock: Clock,
  { mustAnswerPings }: Pick<SocketOptions, 'mustAnswerPings'>,
  signal: AbortSignal,
): Promise<void> {
  let answered = true;
  socket.on('pong', () => {
    answered = true;
  });
  while (!signal.aborted) {
    await clock.sleep(pingEveryMs, signal);
    if (signal.aborted) return;
    if (mustAnswerPings && !answered) return socket.terminate();
    answered = false;
    socket.ping();
  }
}
