/**
 * One HTTP/2 session to a unix socket, made when it is first needed and made again after it ended.
 *
 * It keeps the process alive only while a stream is open, so that an idle agent may end by itself.
 */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect as connectHttp2,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { connect as connectSocket } from 'node:net';

/**
 * Node refuses new streams (ENHANCE_YOUR_CALM) when a session holds more than this, 10 MB unless said otherwise:
 * a few uploads with buffers in flight reach that.
 */
const maxSessionMemoryMb = 1000;

/** Receive windows: the default of 64 KB would stop a reader of blobs at every round trip. */
const streamWindowBytes = 4 * 1024 * 1024;
const sessionWindowBytes = 16 * 1024 * 1024;

interface Connection {
  readonly session: ClientHttp2Session;
  openStreams: number;
}

export class Http2Session {
  readonly #socketPath: string;
  #connection: Connection | undefined;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  /** Opens a stream. A connection that cannot be made is an error of the stream, not of this call. */
  request(headers: OutgoingHttpHeaders): ClientHttp2Stream {
    const connection = this.#usableConnection();
    const { session } = connection;
    const stream = session.request(headers);
    connection.openStreams += 1;
    session.ref();
    stream.once('close', () => {
      connection.openStreams -= 1;
      if (connection.openStreams === 0) session.unref();
    });
    return stream;
  }

  /** Ends the session and every stream on it. A later request makes a new one. */
  close(): void {
    this.#connection?.session.destroy();
    this.#connection = undefined;
  }

  #usableConnection(): Connection {
    const current = this.#connection;
    if (current !== undefined && !current.session.closed && !current.session.destroyed) return current;
    const session = connectHttp2('http://localhost', {
      createConnection: () => connectSocket(this.#socketPath),
      maxSessionMemory: maxSessionMemoryMb,
      settings: { enablePush: false, initialWindowSize: streamWindowBytes },
    });
    session.once('connect', () => {
      if (!session.destroyed) session.setLocalWindowSize(sessionWindowBytes); // It may have been closed while it connected.
    });
    session.on('error', () => {}); // Its streams end with the same error, and tell their callers.
    this.#connection = { session, openStreams: 0 };
    return this.#connection;
  }
}
