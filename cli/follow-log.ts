/** A task's log as it is written, over as many connections as that takes; its last lines where the platform streams none. */
import type { Client } from '../client/client.ts';
import { resumed } from '../client/resume.ts';
import { compact } from '../core/compact.ts';
import { GantryError } from '../core/errors.ts';
import type { LogLine } from '../core/model/task.ts';
import { wholeLines } from './whole-lines.ts';

type LogRequest = Parameters<Client['logs']>[0];

export interface FollowOptions {
  readonly signal: AbortSignal;
  /** Told once for each time that it breaks. */
  readonly onBreak?: (error: unknown) => void;
  /** The control plane streams no logs, as it says itself: there will be the last lines, once the task has stopped. */
  readonly onWait?: (error: GantryError) => void;
}

/** Clocks are set, and lines of other streams may have been under way: so much is asked for again. */
const overlapMs = 60_000;

export async function* followLog(client: Client, request: LogRequest, options: FollowOptions): AsyncGenerator<LogLine> {
  const { signal, onWait } = options;
  try {
    return yield* wholeLines(followStream(client, request, options));
  } catch (error) {
    if (!(error instanceof GantryError && error.code === 'UnsupportedFeatureException')) throw error;
    onWait?.(error);
  }
  let hasStopped = false;
  for await (const line of resumed(() => client.watchTask(request, signal), { signal, isWhole: () => hasStopped }))
    hasStopped ||= line.kind === 'task' && line.task.lastStatus === 'STOPPED';
  yield* wholeLines(client.logs(request, signal));
}

async function* followStream(
  client: Client,
  request: LogRequest,
  { signal, onBreak }: FollowOptions,
): AsyncGenerator<LogLine> {
  const seen = new Seen(request);
  const open = async function* (): AsyncGenerator<LogLine> {
    seen.beginAgain();
    for await (const line of client.logs({ ...seen.nextRequest(), follow: true }, signal))
      if (seen.isNew(line)) yield line;
  };
  const mayResume = (): boolean => seen.canGoOn;
  yield* resumed(open, { signal, mayResume, isWhole: () => true, ...(onBreak !== undefined && { onBreak }) });
}

/** How far a log was read: by the offsets of its lines, or by their number where an older agent says none. */
class Seen {
  readonly #request: LogRequest;
  /** By container and stream. */
  readonly #offsets = new Map<string, number>();
  readonly #counts = new Map<string, number>();
  #passed = new Map<string, number>();
  #firstAt: number | undefined;
  #lastAt = 0;

  constructor(request: LogRequest) {
    this.#request = request;
  }

  /** By numbers alone nobody can say where the last lines would go on. */
  get canGoOn(): boolean {
    return this.#counts.size === 0 || this.#request.tail === undefined;
  }

  beginAgain(): void {
    this.#passed = new Map();
  }

  nextRequest(): LogRequest {
    if (this.#firstAt === undefined || this.#counts.size > 0) return this.#request;
    const since = new Date(Math.max(this.#firstAt, this.#lastAt - overlapMs)).toISOString();
    return { ...compact({ ...this.#request, tail: undefined }), since };
  }

  isNew(line: LogLine): boolean {
    const stream = `${line.container} ${line.stream}`;
    const isNew = line.offset === undefined ? this.#isBehindCount(stream) : this.#isBehindOffset(stream, line.offset);
    if (!isNew) return false;
    this.#firstAt ??= line.at;
    this.#lastAt = Math.max(this.#lastAt, line.at);
    return true;
  }

  #isBehindOffset(stream: string, offset: number): boolean {
    if (offset <= (this.#offsets.get(stream) ?? -1)) return false;
    this.#offsets.set(stream, offset);
    return true;
  }

  #isBehindCount(stream: string): boolean {
    const count = (this.#passed.get(stream) ?? 0) + 1;
    this.#passed.set(stream, count);
    if (count <= (this.#counts.get(stream) ?? 0)) return false;
    this.#counts.set(stream, count);
    return true;
  }
}
