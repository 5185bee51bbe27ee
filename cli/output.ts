/**
 * Where commands print. Standard output carries the result and nothing else (clean JSON with --json); what happens meanwhile goes to
 * standard error. Three renderings: a terminal (colours, relative times, progress that redraws), plain text, JSON.
 */
import { stripVTControlCharacters, styleText } from 'node:util';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

export interface Sink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

/** A terminal that is taken whole, and given back as it was. */
export interface Screen extends Disposable {
  /** As it is now: people change the size of windows. */
  room(): { readonly columns: number; readonly rows: number };
  /** In place of what was drawn before. Longer lines are cut. */
  draw(lines: readonly string[]): void;
}

export interface Output {
  readonly json: boolean;
  /** Whether people read the result on a terminal: then times are relative. */
  readonly terminal: boolean;
  /** Whether people watch what happens meanwhile: then progress redraws itself. */
  readonly interactive: boolean;
  /** A line of the result, for people; nothing with --json. */
  line(text?: string): void;
  /** A row of columns per item, for people; nothing with --json. Cells are never truncated. */
  table(headings: readonly string[], rows: readonly (readonly string[])[]): void;
  /** The result as data; nothing without --json. In a stream it is called once a line. */
  data(value: unknown): void;
  /** What happens meanwhile: to standard error. */
  note(text: string): void;
  /** Lines that replace those before them while they change (interactive only); none takes them away. */
  status(lines: readonly string[]): void;
  /** Takes the terminal that people read the result on. */
  screen(): Screen;
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
  let statusLines = 0;
  const clearStatus = () => {
    if (statusLines > 0) stderr.write(`\r\u001b[2K${'\u001b[1A\u001b[2K'.repeat(statusLines - 1)}`);
    statusLines = 0;
  };
  return {
    json,
    terminal: stdout.isTTY === true && !json,
    interactive,
    line(text = '') {
      if (json) return;
      clearStatus();
      stdout.write(`${text}\n`);
    },
    table(headings, rows) {
      if (json) return;
      clearStatus();
      for (const line of alignColumns([headings, ...rows], stdout.isTTY === true ? stdout.columns : undefined))
        stdout.write(`${line}\n`);
    },
    data(value) {
      if (!json) return;
      stdout.write(`${JSON.stringify(value)}\n`);
    },
    note(text) {
      clearStatus();
      stderr.write(`${text}\n`);
    },
    status(lines) {
      if (!interactive) return;
      clearStatus();
      // One row each at most: a longer one would wrap and could not be taken away again.
      const width = (stderr.columns || 80) - 1;
      stderr.write(lines.map((line) => stripVTControlCharacters(line).slice(0, width)).join('\n'));
      statusLines = lines.length;
    },
    screen: () => takeScreen(stdout),
    paint: (style, text) => (colour ? styleText(style, text, { validateStream: false }) : text),
  };
}

/** In the alternate buffer, without a cursor: what stood on the terminal before stands there again afterwards. */
function takeScreen(stdout: Sink): Screen {
  const room = () => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 });
  stdout.write('\u001b[?1049h\u001b[?25l');
  return {
    room,
    draw(lines) {
      const { columns, rows } = room();
      const shown = lines.slice(0, rows).map((line) => `${cutLine(line, columns)}\u001b[K`);
      stdout.write(`\u001b[H${shown.join('\r\n')}\u001b[J`);
    },
    [Symbol.dispose]() {
      stdout.write('\u001b[?25h\u001b[?1049l');
    },
  };
}

/** One that is cut loses its colours: where they end would be cut with it. */
function cutLine(line: string, columns: number): string {
  const text = stripVTControlCharacters(line);
  return text.length <= columns ? line : text.slice(0, columns);
}

/**
 * Two spaces between columns, each as wide as its widest cell; colours count for nothing. The last column, which is the one that may be
 * long, is cut to what the terminal has left: what wraps is no table any more.
 */
export function alignColumns(rows: readonly (readonly string[])[], terminalColumns = 0): string[] {
  const width = (cell: string) => stripVTControlCharacters(cell).length;
  const widths: number[] = [];
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, width(cell));
  return rows.map((row) => {
    const last = row.length - 1;
    const left = widths.slice(0, last).reduce((columns, one) => columns + one + 2, 0);
    return row
      .map((cell, i) =>
        i === last ? cutTo(cell, terminalColumns - left) : cell + ' '.repeat((widths[i] ?? 0) - width(cell)),
      )
      .join('  ')
      .trimEnd();
  });
}

/** Where there is no room for anything worth reading, nothing is cut. */
function cutTo(cell: string, columns: number): string {
  const text = stripVTControlCharacters(cell);
  return columns < 10 || text.length <= columns ? cell : `${text.slice(0, columns - 1)}…`;
}
