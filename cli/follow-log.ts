/** A task's log as it is written, over as many connections as that takes; its last lines where the platform streams none. */
import type { Client } from '../client/client.ts';
import { resumed } from '../client/resume.ts';
import { GantryError } from '../core/errors.ts';
import type { LogLine } from '../core/model/task.ts';

type LogRequest = Parameters<Client['logs']>[0];

export interface FollowOptions {
  readonly signal: AbortSignal;
  /** Told once for each time that it breaks. */
  readonly onBreak?: (error: unknown) => void;
  /** The control plane streams no logs, as it says itself: there will be the last lines, once the task has stopped. */
  readonly onWait?: (error: GantryError) => void;
}

/** Follows from the beginning, or from the last lines that were asked for: then nobody can say where it would go on. */
export async function* followLog(client: Client, request: LogRequest, options: FollowOptions): AsyncGenerator<LogLine> {
  const { signal, onWait } = options;
  try {
    return yield* followStream(client, request, options);
  } catch (error) {
    if (!(error instanceof GantryError && error.code === 'UnsupportedFeatureException')) throw error;
    onWait?.(error);
  }
  let hasStopped = false;
  for await (const line of resumed(() => client.watchTask(request, signal), { signal, isWhole: () => hasStopped }))
    hasStopped ||= line.kind === 'task' && line.task.lastStatus === 'STOPPED';
  yield* client.logs(request, signal);
}

function followStream(
  client: Client,
  request: LogRequest,
  { signal, onBreak }: FollowOptions,
): AsyncGenerator<LogLine> {
  const open = (): AsyncGenerator<LogLine> => client.logs({ ...request, follow: true }, signal);
  if (request.tail !== undefined) return open();
  const printed = new Map<string, number>();
  return resumed(() => withoutFirst(printed, open()), {
    signal,
    isWhole: () => true,
    ...(onBreak !== undefined && { onBreak }),
  });
}

/** Each stream of each container keeps its order, so that a number of lines says how far it was printed. */
async function* withoutFirst(printed: Map<string, number>, lines: AsyncGenerator<LogLine>): AsyncGenerator<LogLine> {
  const passed = new Map<string, number>();
  for await (const line of lines) {
    const stream = `${line.container} ${line.stream}`;
    const count = (passed.get(stream) ?? 0) + 1;
    passed.set(stream, count);
    if (count <= (printed.get(stream) ?? 0)) continue;
    printed.set(stream, count);
    yield line;
  }
}
