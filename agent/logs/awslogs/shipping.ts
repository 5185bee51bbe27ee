/**
 * Sends one container's log on to CloudWatch Logs, from the files that the shim writes: batch by batch, each until it is taken, however
 * long that takes. What is not sent waits on the disk, not in memory. Blocking: when much waits, the container is held up, and nothing
 * is left out. Non-blocking: what is more than may wait is left out, the oldest first, and said.
 */
import type { Logger } from 'pino';
import { datetimePattern } from '../../../core/model/awslogs-datetime.ts';
import type { AwslogsTarget } from '../../../core/model/log-target.ts';
import type { LogLine } from '../../../core/model/task.ts';
import type { Clock } from '../../clock.ts';
import { backoffMs } from '../../loops/backoff.ts';
import { createBell } from '../../loops/bell.ts';
import type { KeptLog } from '../kept-log.ts';
import { streams } from '../log-store.ts';
import { OpenLog } from '../open-log.ts';
import { type Destination, DestinationError } from './destination.ts';
import { EventAssembler, EventQueue, type LogEvent } from './events.ts';
import { readSent, type Sent, writeSent } from './sent.ts';

export interface ShippingParts {
  readonly kept: KeptLog;
  readonly container: string;
  readonly target: AwslogsTarget;
  readonly destination: Destination;
  /** Of the container: held up while much waits, let go on when little does. */
  readonly brake: Brake;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

export interface Brake {
  hold(): Promise<void>;
  release(): Promise<void>;
}

/** What comes within it goes together. */
const gatherMs = 1000;
const again = { firstMs: 500, longestMs: 30_000 };
/** Then it is no passing moment any more, and readers of the log are told. */
const troubleAfterTries = 3;

export class Shipping {
  readonly #parts: ShippingParts;
  readonly #assembler: EventAssembler;
  readonly #events = new EventQueue();
  #logs: readonly OpenLog[] = [];
  #sent: Sent = { stdout: 0, stderr: 0 };
  /** What is to be said before the next line of its stream, at that line's time. */
  #leftOut: (LogLine & { readonly offset: number }) | undefined;
  readonly #bell = createBell();
  #isHeld = false;
  /** Its container is to end. */
  #isLetGo = false;
  #braking: Promise<void> = Promise.resolve();

  constructor(parts: ShippingParts) {
    this.#parts = parts;
    const { datetimeFormat } = parts.target;
    this.#assembler = new EventAssembler(datetimeFormat === undefined ? undefined : datetimePattern(datetimeFormat));
  }

  /** Until everything is sent of a log that is finished, or the signal fires. */
  async run(signal: AbortSignal): Promise<void> {
    const { kept, container, clock } = this.#parts;
    this.#sent = await readSent(kept.directory);
    this.#keepUnsent();
    // The agent before may have held it, and nobody else lets it go.
    if (this.#parts.target.mode === 'blocking' && !kept.isFinished) await this.#parts.brake.release();
    const opened = streams.map((stream) =>
      OpenLog.open({ kept, container, stream, path: kept.paths[stream], from: this.#sent[stream] }),
    );
    this.#logs = (await Promise.all(opened)).filter((log) => log !== undefined);
    try {
      while (!signal.aborted) {
        const isLast = kept.isFinished; // Asked first: what was written before is read below.
        await this.#sendAll(isLast, signal);
        if (isLast || signal.aborted) return;
        await this.#bell.rung(signal);
        if (!kept.isFinished) await clock.sleep(gatherMs, signal);
      }
    } finally {
      for (const log of this.#logs) await log[Symbol.asyncDispose]();
    }
  }

  /** It has grown, or it is finished. */
  grown(): void {
    this.#bell.ring();
    void this.#brake(); // Also while a batch is under way, for however long.
  }

  /** The container runs from now on, whatever waits. */
  async letGo(): Promise<void> {
    this.#isLetGo = true;
    await this.#brake();
  }

  #brake(): Promise<void> {
    const { log, container } = this.#parts;
    this.#braking = this.#braking
      .then(() => this.#holdOrRelease())
      .catch((error: unknown) =>
        log.warn({ err: error, container }, 'a container cannot be held up or let go for its log'),
      );
    return this.#braking;
  }

  async #holdOrRelease(): Promise<void> {
    const { kept, target, brake } = this.#parts;
    if (target.mode !== 'blocking') return;
    const waiting = kept.sizeOf('stdout') - this.#sent.stdout + kept.sizeOf('stderr') - this.#sent.stderr;
    // Between the two, so that it is not stopped and started with each batch.
    const mustHold = !this.#isLetGo && waiting > (this.#isHeld ? target.maxBytes / 2 : (target.maxBytes * 4) / 5);
    if (mustHold === this.#isHeld) return;
    await (mustHold ? brake.hold() : brake.release());
    this.#isHeld = mustHold;
  }

  async #sendAll(isLast: boolean, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#leaveOut();
      const isAll = await this.#read(isLast);
      if (isAll) this.#events.push(this.#assembler.flush());
      const batch = this.#events.takeBatch();
      if (batch.length === 0) return;
      await this.#send(batch, signal);
    }
  }

  /** Reads until a batch is full, and answers whether that was all. */
  async #read(isLast: boolean): Promise<boolean> {
    for (let emptied: OpenLog | undefined; !this.#events.isFull; ) {
      // At the beginning each, and then the one that has nothing more at hand.
      if (emptied === undefined || emptied.next === undefined) for (const log of this.#logs) await log.fill(isLast);
      let first: OpenLog | undefined;
      for (const log of this.#logs) if (timeOf(log) < timeOf(first)) first = log;
      const line = first?.take();
      emptied = first;
      if (line === undefined) return true;
      const left = this.#leftOut;
      if (left?.stream === line.stream && (line.offset ?? 0) > left.offset) {
        this.#events.push(this.#assembler.take({ ...left, at: line.at }));
        this.#leftOut = undefined;
      }
      this.#events.push(this.#assembler.take(line));
    }
    return false;
  }

  async #leaveOut(): Promise<void> {
    const { target, log, container } = this.#parts;
    if (target.mode !== 'non-blocking') return;
    const unread = this.#logs.reduce((sum, { unreadBytes }) => sum + unreadBytes, 0);
    const excess = unread - target.maxBufferBytes;
    const [larger] = this.#logs.toSorted((a, b) => b.unreadBytes - a.unreadBytes);
    if (excess <= 0 || larger === undefined) return;
    if (this.#leftOut !== undefined) return; // Said first.
    const bytes = await larger.skip(excess);
    log.warn(
      { container, bytes },
      'a part of a log is not sent: CloudWatch Logs took it more slowly than it was written',
    );
    const text = `[gantry] ${bytes} bytes of this log are not here: they were written faster than CloudWatch Logs took them.`;
    const { stream, position: offset } = larger;
    this.#leftOut = { at: 0, container, stream, text, offset, notice: true };
  }

  async #send(batch: readonly LogEvent[], signal: AbortSignal): Promise<void> {
    const { destination, kept } = this.#parts;
    const events = batch.filter(({ text }) => text !== ''); // It takes none that is empty.
    for (let failures = 0; events.length > 0; failures += 1) {
      try {
        const rejected = await destination.put(events, signal);
        if (rejected > 0) await this.#complain(`${rejected} lines were not taken for their times`);
        else if (kept.trouble !== undefined) await kept.setTrouble(undefined);
        break;
      } catch (error) {
        if (signal.aborted) return;
        const isHopeless = !(await this.#mend(error, failures, signal));
        if (signal.aborted) return; // Nobody has taken it: the next agent sends it.
        if (isHopeless) break;
      }
    }
    for (const { stream, end } of batch) this.#sent = { ...this.#sent, [stream]: Math.max(this.#sent[stream], end) };
    await writeSent(kept.directory, this.#sent);
    this.#keepUnsent();
    await this.#brake();
  }

  /** Answers whether the batch is to be sent again. */
  async #mend(error: unknown, failures: number, signal: AbortSignal): Promise<boolean> {
    const { destination, clock, random } = this.#parts;
    const failure = error instanceof DestinationError ? error : undefined;
    const message = error instanceof Error ? error.message : String(error);
    if (failure?.kind === 'refused') {
      await this.#complain(`some lines are refused: ${message}`);
      return false;
    }
    if (failures + 1 >= troubleAfterTries || failure?.kind === 'denied') await this.#complain(message);
    if (failure?.kind === 'missing')
      await destination.create(signal).catch((second: unknown) => this.#complain(String(second)));
    await clock.sleep(backoffMs(failures, again, random), signal);
    return true;
  }

  async #complain(message: string): Promise<void> {
    const { kept, clock, log, container, target } = this.#parts;
    if (kept.trouble?.message === message) return;
    log.warn({ container, group: target.group, message }, 'a log cannot be sent to CloudWatch Logs now');
    await kept.setTrouble({ since: kept.trouble?.since ?? clock.now(), message });
  }

  #keepUnsent(): void {
    if (this.#parts.target.mode === 'blocking') this.#parts.kept.hold(this.#sent);
  }
}

const timeOf = (log: OpenLog | undefined): number => log?.next?.at ?? Number.POSITIVE_INFINITY;
