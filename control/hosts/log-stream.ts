/** One reader's view of a log that a host sends: a queue between the socket and the reader, with a bound that stops the socket. */
import { GantryError } from '../../core/errors.ts';
import type { LogLine } from '../../core/model/task.ts';

/** What may wait for the reader before the host is asked to pause. */
const maxQueuedLines = 2000;
const maxQueuedCharacters = 1024 * 1024;

/** The host said so or is gone; it said that it has no such log; the reader gave up. */
type EndedBy = 'host' | 'missing' | 'reader';

const charactersOf = (lines: readonly LogLine[]): number => lines.reduce((sum, { text }) => sum + text.length, 0);

export class LogStream {
  readonly #onDrained: () => void;
  #queue: (readonly LogLine[])[] = [];
  #queuedLines = 0;
  #queuedCharacters = 0;
  #ended: { error: string | undefined; by: EndedBy } | undefined;
  #wake: (() => void) | undefined;

  /** `onDrained` is called when the reader has taken what made the stream full. */
  constructor(onDrained: () => void) {
    this.#onDrained = onDrained;
  }

  get isFull(): boolean {
    const isMuch = this.#queuedLines >= maxQueuedLines || this.#queuedCharacters >= maxQueuedCharacters;
    return this.#ended === undefined && isMuch;
  }

  /** True once the host needs no more word about this stream. */
  get endedByHost(): boolean {
    return this.#ended !== undefined && this.#ended.by !== 'reader';
  }

  push(lines: readonly LogLine[]): void {
    if (this.#ended !== undefined || lines.length === 0) return;
    this.#queue.push(lines);
    this.#queuedLines += lines.length;
    this.#queuedCharacters += charactersOf(lines);
    this.#wake?.();
  }

  /** No more lines will come. */
  end(error?: string, by: EndedBy = 'reader'): void {
    if (this.#ended !== undefined) return;
    this.#ended = { error, by };
    this.#wake?.();
  }

  /** The batches in order; ends with the stream, and throws where it ended with an error. One reader only. */
  async *batches(): AsyncIterable<readonly LogLine[]> {
    for (;;) {
      const batch = this.#queue.shift();
      if (batch !== undefined) {
        const wasFull = this.isFull;
        this.#queuedLines -= batch.length;
        this.#queuedCharacters -= charactersOf(batch);
        if (wasFull && !this.isFull) this.#onDrained();
        yield batch;
      } else if (this.#ended !== undefined) {
        if (this.#ended.error === undefined) return;
        const { error, by } = this.#ended;
        throw new GantryError(by === 'missing' ? 'ResourceNotFoundException' : 'ServiceUnavailableException', error);
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
      }
    }
  }
}
