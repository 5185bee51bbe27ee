/** A task's log as it is written, over as many connections as that takes. */
import type { Client } from '../client/client.ts';
import type { LogLine } from '../core/model/task.ts';
import { type ResumeOptions, resumed } from './resume.ts';

type LogRequest = Parameters<Client['logs']>[0];

/** Follows from the beginning, or from the last lines that were asked for: then nobody can say where it would go on. */
export function followLog(
  client: Client,
  request: LogRequest,
  { signal, onBreak }: Pick<ResumeOptions, 'signal' | 'onBreak'>,
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
