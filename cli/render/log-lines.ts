/** Log lines as they were written, colours and all, since `gantry logs` shows what the program would have shown. */
import type { LogLine } from '../../core/model/task.ts';
import type { Output } from '../output.ts';

interface PrintedLine {
  /** Where several write. */
  readonly writer?: string;
  readonly timestamps?: boolean;
  /** What --json prints of it. */
  readonly data?: unknown;
}

/** Each to the stream that its program chose; what Gantry says of the log itself to standard error. */
export function printLogLine(
  out: Output,
  line: LogLine,
  { writer = '', timestamps = false, data = logLineData(line) }: PrintedLine = {},
): void {
  out.data(data);
  if (out.json) return;
  const text = `${timestamps ? `${timeText(line)} ` : ''}${writer === '' ? '' : `${writer} | `}${line.text}`;
  if (line.notice === true) out.note(out.paint('dim', text));
  else if (line.stream === 'stdout') out.line(text);
  else out.note(text);
}

const timeText = ({ at, approximate }: LogLine): string =>
  `${approximate === true ? '~' : ''}${new Date(at).toISOString()}`;

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
