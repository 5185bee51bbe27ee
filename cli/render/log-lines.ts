/** Log lines as they were written, colours and all, since `gantry logs` shows what the program would have shown. */
import type { LogLine } from '../../core/model/task.ts';
import type { Output } from '../output.ts';

/** Each to the stream that its program chose, prefixed with who wrote it where several do; `data` is what --json prints of it. */
export function printLogLine(out: Output, line: LogLine, writer?: string, data: unknown = logLineData(line)): void {
  const text = writer === undefined ? line.text : `${writer} | ${line.text}`;
  out.data(data);
  if (line.stream === 'stdout') out.line(text);
  else if (!out.json) out.note(text);
}

export function logBreakText(id: string, error: unknown, what: 'broken' | 'lost'): string {
  const why = error instanceof Error ? error.message : String(error);
  return what === 'lost'
    ? `The log of ${id} is lost from here: ${why}`
    : `The log of ${id} broke off (${why}); taking it up again`;
}

/** Where logs are not streamed. */
export const logWaitText = (id: string, { message }: Error): string =>
  `${message} The last lines of ${id} follow once it has stopped.`;

/** For --json: times as everywhere else in JSON. */
export const logLineData = ({ at, ...line }: LogLine) => ({ at: new Date(at).toISOString(), ...line });
