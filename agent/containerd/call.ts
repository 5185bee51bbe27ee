/**
 * One gRPC call on one HTTP/2 stream: sending within a window, receiving, and how it ended.
 */
import { type ClientHttp2Stream, constants, type IncomingHttpHeaders } from 'node:http2';
import { FrameDecoder } from './frames.ts';
import { GrpcCode, GrpcError } from './grpc-error.ts';

/**
 * Bytes that may be handed to the kernel and not yet be written. Counted by write callbacks rather than `drain`,
 * whose high-water mark of 16 KB would stop an upload at every chunk.
 */
const sendWindowBytes = 4 * 1024 * 1024;

export interface CallOptions {
  /** Ends the call with CANCELLED. */
  readonly signal?: AbortSignal;
  /** Ends the call with DEADLINE_EXCEEDED. There is none unless given: waits and unpacking take as long as they take. */
  readonly timeoutMs?: number;
}

export class GrpcCall {
  readonly #stream: ClientHttp2Stream;
  readonly #method: string;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = (): void => this.cancel();
  readonly #timer: NodeJS.Timeout | undefined;
  #timedOut = false;
  /** Settles when the outcome is known: 'ok', or why not. Never rejects. */
  readonly #outcome = Promise.withResolvers<'ok' | GrpcError>();
  #streamError: Error | undefined;
  #unwrittenBytes = 0;
  #sendersWaiting: (() => void)[] = [];

  /** @param method "Tasks.Create", for errors. */
  constructor(stream: ClientHttp2Stream, method: string, { signal, timeoutMs }: CallOptions) {
    this.#stream = stream;
    this.#method = method;
    this.#signal = signal;
    stream.on('response', (headers) => this.#onResponse(headers));
    stream.on('trailers', (trailers: IncomingHttpHeaders) => this.#settle(trailers));
    stream.on('error', (error) => {
      this.#streamError = error;
    });
    stream.once('close', () => this.#onClose());
    if (timeoutMs !== undefined) this.#timer = setTimeout(() => this.#timeOut(), timeoutMs);
    if (signal?.aborted) this.cancel();
    else signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Sends one framed message; resolves when there is room for the next, or when the call has ended. */
  async send(...buffers: readonly Uint8Array[]): Promise<void> {
    if (this.#stream.destroyed || this.#stream.writableEnded) return; // The outcome tells the reader why.
    this.#stream.cork();
    for (const buffer of buffers) this.#write(buffer);
    this.#stream.uncork();
    while (this.#unwrittenBytes >= sendWindowBytes && !this.#stream.destroyed) {
      await new Promise<void>((resolve) => this.#sendersWaiting.push(resolve));
    }
  }

  /** Says that nothing more will be sent, with a last message where there is one. */
  endSending(lastMessage?: Uint8Array): void {
    if (this.#stream.destroyed || this.#stream.writableEnded) return;
    if (lastMessage === undefined) this.#stream.end();
    else this.#stream.end(lastMessage);
  }

  /** The messages of the answer, still encoded. Throws GrpcError when the call does not end well. */
  async *messages(): AsyncGenerator<Uint8Array, void, void> {
    const decoder = new FrameDecoder();
    try {
      for await (const chunk of this.#stream.iterator({ destroyOnReturn: false })) yield* decoder.push(chunk);
      const outcome = await this.#outcome.promise;
      if (outcome !== 'ok') throw outcome;
    } catch (error) {
      throw error instanceof GrpcError ? error : await this.#failure(error);
    } finally {
      this.cancel();
    }
  }

  /** The only message of the answer, still encoded. Cheaper than `messages`, for the many small calls. */
  async onlyMessage(): Promise<Uint8Array> {
    const decoder = new FrameDecoder();
    const messages: Uint8Array[] = [];
    const readToEnd = new Promise<void>((resolve) => this.#stream.once('end', resolve).once('close', resolve));
    this.#stream.on('data', (chunk: Buffer) => {
      try {
        messages.push(...decoder.push(chunk));
      } catch (error) {
        this.#outcome.resolve(this.#internal(error));
        this.cancel();
      }
    });
    const outcome = await this.#outcome.promise;
    if (outcome !== 'ok') throw outcome;
    await readToEnd;
    const [message] = messages;
    if (message === undefined) throw this.#internal(new Error('the answer holds no message'));
    return message;
  }

  /** Gives the call up, if it has not ended. */
  cancel(): void {
    if (!this.#stream.closed) this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  #write(buffer: Uint8Array): void {
    this.#unwrittenBytes += buffer.length;
    this.#stream.write(buffer, () => {
      this.#unwrittenBytes -= buffer.length;
      if (this.#unwrittenBytes < sendWindowBytes) this.#wakeSenders();
    });
  }

  #onResponse(headers: IncomingHttpHeaders): void {
    if (headers['grpc-status'] !== undefined) {
      this.#settle(headers); // An error without a body comes in the headers alone.
    } else if (Number(headers[':status']) !== 200) {
      this.#outcome.resolve(this.#error(GrpcCode.UNAVAILABLE, `HTTP status ${String(headers[':status'])}`));
    }
  }

  #settle(headers: IncomingHttpHeaders): void {
    const code = Number(headers['grpc-status'] ?? GrpcCode.UNKNOWN);
    const message = percentDecoded(String(headers['grpc-message'] ?? ''));
    this.#outcome.resolve(code === GrpcCode.OK ? 'ok' : this.#error(code, message));
  }

  #timeOut(): void {
    this.#timedOut = true;
    this.cancel();
  }

  #onClose(): void {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#outcome.resolve(this.#lost());
    this.#wakeSenders();
  }

  /** Why a stream closed without a status. */
  #lost(): GrpcError {
    if (this.#timedOut) return this.#error(GrpcCode.DEADLINE_EXCEEDED, 'no answer in time');
    if (this.#signal?.aborted) return this.#error(GrpcCode.CANCELLED, 'given up by the caller', this.#signal.reason);
    const why = this.#streamError?.message ?? 'the connection ended before the answer';
    return this.#error(GrpcCode.UNAVAILABLE, why, this.#streamError);
  }

  /** Reading failed: a broken stream has an outcome of its own, anything else is our decoder's complaint. */
  async #failure(error: unknown): Promise<GrpcError> {
    if (!this.#stream.destroyed && !this.#stream.closed) return this.#internal(error);
    const outcome = await this.#outcome.promise;
    return outcome === 'ok' ? this.#internal(error) : outcome;
  }

  #internal(cause: unknown): GrpcError {
    return this.#error(GrpcCode.INTERNAL, cause instanceof Error ? cause.message : String(cause), cause);
  }

  #error(code: number, details: string, cause?: unknown): GrpcError {
    return new GrpcError(this.#method, code, details, cause === undefined ? {} : { cause });
  }

  #wakeSenders(): void {
    const waiting = this.#sendersWaiting;
    this.#sendersWaiting = [];
    for (const wake of waiting) wake();
  }
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // Not well-formed: better as it is than not at all.
  }
}
