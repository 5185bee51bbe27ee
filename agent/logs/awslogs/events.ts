/** Lines as CloudWatch Logs takes them: events, and batches of them within the limits of PutLogEvents. Pure. */
import type { LogLine } from '../../../core/model/task.ts';
import type { Stream } from '../log-store.ts';

export interface LogEvent {
  readonly at: number;
  readonly text: string;
  readonly bytes: number;
  /** Where the container's stream goes on after it: what is sent when this event is. */
  readonly stream: Stream;
  readonly end: number;
}

const maxBatchBytes = 1024 * 1024;
/** What AWS adds to each event when it counts. */
const eventOverheadBytes = 26;
const maxBatchEvents = 10_000;
const maxBatchSpanMs = 24 * 3600_000;
/** A longer one becomes several. */
const maxEventBytes = 256 * 1024 - eventOverheadBytes;
/** No character takes more in UTF-8 for each of its code units. */
const maxEventLength = Math.floor(maxEventBytes / 3);

type Begun = Pick<LogEvent, 'at' | 'end'> & { readonly text: string; readonly isPartial: boolean };

/** Puts together what belongs together: the parts of a line, and where there is a pattern the lines up to the next that has it. */
export class EventAssembler {
  readonly #begins: RegExp | undefined;
  readonly #begun = new Map<Stream, Begun>();

  constructor(begins: RegExp | undefined) {
    this.#begins = begins;
  }

  get hasBegun(): boolean {
    return this.#begun.size > 0;
  }

  /** The events that this line completes. */
  take({ stream, at, text, offset: end = 0, partial: isPartial = false, notice }: LogLine): LogEvent[] {
    const before = this.#begun.get(stream);
    const isRest = before?.isPartial === true;
    const isNext = before !== undefined && !isRest && notice !== true && this.#begins?.test(text) === false;
    if (before !== undefined && (isRest || isNext)) {
      const joined = before.text + (isRest ? '' : '\n') + text;
      if (joined.length <= maxEventLength) return this.#keep(stream, { at: before.at, text: joined, end, isPartial });
    }
    return [...this.flush(stream), ...this.#keep(stream, { at, text, end, isPartial })];
  }

  /** What has begun, as it is. */
  flush(stream?: Stream): LogEvent[] {
    const streams = stream === undefined ? [...this.#begun.keys()] : [stream];
    return streams.flatMap((name) => {
      const begun = this.#begun.get(name);
      this.#begun.delete(name);
      return begun === undefined ? [] : [eventOf(name, begun)];
    });
  }

  #keep(stream: Stream, begun: Begun): LogEvent[] {
    if (this.#begins === undefined && !begun.isPartial) {
      this.#begun.delete(stream);
      return [eventOf(stream, begun)];
    }
    this.#begun.set(stream, begun);
    return [];
  }
}

const eventOf = (stream: Stream, { at, text, end }: Begun): LogEvent => ({
  at,
  text,
  stream,
  end,
  bytes: Buffer.byteLength(text) + eventOverheadBytes,
});

/** Events that wait for their batch. */
export class EventQueue {
  #events: LogEvent[] = [];
  #bytes = 0;

  push(events: readonly LogEvent[]): void {
    for (const event of events) {
      this.#events.push(event);
      this.#bytes += event.bytes;
    }
  }

  /** Whether more would not fit into the next batch anyway. */
  get isFull(): boolean {
    return this.#events.length >= maxBatchEvents || this.#bytes >= maxBatchBytes;
  }

  /** The first that fit into one batch, in the order of their times; those of one stream are in order already. */
  takeBatch(): LogEvent[] {
    this.#events.sort((a, b) => a.at - b.at);
    const first = this.#events[0]?.at ?? 0;
    let bytes = 0;
    let count = 0;
    for (const event of this.#events) {
      const isFull = bytes + event.bytes > maxBatchBytes || count === maxBatchEvents;
      if (isFull || event.at - first > maxBatchSpanMs) break;
      bytes += event.bytes;
      count += 1;
    }
    this.#bytes -= bytes;
    return this.#events.splice(0, count);
  }
}
