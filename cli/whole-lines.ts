/** Long lines come in parts; whoever reads them, or hands them to a program, wants them whole. */
import type { LogLine } from '../core/model/task.ts';

/** A longer one stays in parts of this length: nothing that a container writes fills our memory. */
const maxCharacters = 1024 * 1024;

/** Parts are put together; what still waits for its rest when the lines end comes as it is. */
export async function* wholeLines(lines: AsyncIterable<LogLine>): AsyncGenerator<LogLine> {
  /** By container and stream. */
  const begun = new Map<string, LogLine>();
  for await (const line of lines) {
    const stream = `${line.container} ${line.stream}`;
    const before = begun.get(stream);
    begun.delete(stream);
    // What is missing in a line ends it.
    if (before !== undefined && line.notice === true) yield whole(before);
    const joined =
      before === undefined || line.notice === true ? line : { ...line, at: before.at, text: before.text + line.text };
    if (line.partial === true && joined.text.length < maxCharacters) begun.set(stream, joined);
    else yield whole(joined);
  }
  for (const line of begun.values()) yield whole(line);
}

const whole = ({ partial: _partial, ...line }: LogLine): LogLine => line;
