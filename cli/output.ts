/**
 * Where commands print. Standard output carries the result and nothing else (clean JSON with --json); what happens meanwhile goes to
 * standard error. Three renderings: a terminal (colours, progress that redraws), plain text, JSON.
 */
import { stripVTControlCharacters, styleText } from 'node:util';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

export interface Sink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface Output {
  readonly json: boolean;
  /** Whether people look at it as it happens. */
  readonly interactive: boolean;
  /** A line of the result, for people; nothing with --json. */
  line(text?: string): void;
  /** A row of columns per item, for people; nothing with --json. Cells are never truncated. */
  table(headings: readonly string[], rows: readonly (readonly string[])[]): void;
  /** The result as data; nothing without --json. In a stream it is called once a line. */
  data(value: unknown): void;
  /** What happens meanwhile: to standard error. */
  note(text: string): void;
  /** A line that replaces the one before it while it changes (terminal only); `undefined` takes it away. */
  status(text: string | undefined): void;
  paint(style: Style, text: string): string;
}

interface OutputOptions {
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly json: boolean;
  readonly colour: boolean;
}

export function createOutput({ stdout, stderr, json, colour }: OutputOptions): Output {
  const interactive = stderr.isTTY === true && !json;
  let statusShown = false;
  const clearStatus = () => {
    if (statusShown) stderr.write('\r\u001b[2K');
    statusShown = false;
  };
  return {
    json,
    interactive,
    line(text = '') {
      if (json) return;
      clearStatus();
      stdout.write(`${text}\n`);
    },
    table(headings, rows) {
      if (json) return;
      clearStatus();
      for (const line of alignColumns([headings, ...rows])) stdout.write(`${line}\n`);
    },
    data(value) {
      if (json) stdout.write(`${JSON.stringify(value)}\n`);
    },
    note(text) {
      clearStatus();
      stderr.write(`${text}\n`);
    },
    status(text) {
      if (!interactive) return;
      clearStatus();
      if (text === undefined) return;
      // One row at most: a longer one would wrap and could not be taken away again.
      stderr.write(text.slice(0, (stderr.columns ?? 80) - 1));
      statusShown = true;
    },
    paint: (style, text) => (colour ? styleText(style, text, { validateStream: false }) : text),
  };
}

/** Two spaces between columns, each as wide as its widest cell; colours count for nothing. */
export function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const width = (cell: string) => stripVTControlCharacters(cell).length;
  const widths: number[] = [];
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, width(cell));
  return rows.map((row) =>
    row
      .map((cell, i) => cell + ' '.repeat((widths[i] ?? 0) - width(cell)))
      .join('  ')
      .trimEnd(),
  );
}
