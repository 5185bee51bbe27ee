/** One reader's view of a log that a host sends: a queue between the socket and the reader, with a bound that stops the socket. */
import { GantryError } from '../../core/errors.ts';
import type { LogLine } from '../../core/model/task.ts';

/** Lines that may wait for the reader before the host is asked to pause. */
const maxQueuedLines = 2000;

export class LogStream {
  readonly #onDrained: () => void;
  #queue: (readonly LogLine[])[] = [];
  #queuedLines = 0;
  #ended: { error: string | undefined } | undefined;
  #endedByHost = false;
  #wake: (() => void) | undefined;

  /** `onDrained` is called when the reader has taken what made the stream full. */
  constructor(onDrained: () => void) {
    this.#onDrained = onDrained;
  }

  get isFull(): boolean {
    return this.#ended === undefined && this.#queuedLines >= maxQueuedLines;
  }

  /** True once the host needs no more word about this stream. */
  get endedByHost(): boolean {
    return this.#endedByHost;
  }

  push(lines: readonly LogLine[]): void {
    if (this.#ended !== undefined || lines.length === 0) return;
    this.#queue.push(lines);
    this.#queuedLines += lines.length;
    this.#wake?.();
  }

  /** No more lines will come: because the host said so or is gone (`host`), or because the reader gave up. */
  end(error?: string, by: 'host' | 'reader' = 'reader'): void {
    if (this.#ended !== undefined) return;
    this.#ended = { error };
    this.#endedByHost = by === 'host';
    this.#wake?.();
  }

  /** The batches in order; ends with the stream, and throws where it ended with an error. One reader only. */
  async *batches(): AsyncIterable<readonly LogLine[]> {
    for (;;) {
      const batch = this.#queue.shift();
      if (batch !== undefined) {
        const wasFull = this.isFull;
        this.#queuedLines -= batch.length;
        if (wasFull && !this.isFull) this.#onDrained();
        yield batch;
      } else if (this.#ended !== undefined) {
        if (this.#ended.error === undefined) return;
        throw new GantryError('ServiceUnavailableException', this.#ended.error);
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
      }
    }
  }
}
