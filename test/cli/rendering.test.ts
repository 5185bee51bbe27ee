/** Laws of what is drawn: whatever the input, a table stays aligned, a bar stays a bar, and a line stays within its terminal. */
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alignColumns, createOutput } from '../../cli/output.ts';
import { progressBar, progressLine } from '../../cli/render/progress.ts';
import { oneLine } from '../../cli/render/text.ts';
import { formatMoment } from '../../cli/render/time.ts';
import type { ProgressFrame } from '../../core/host-protocol.ts';
import { Terminal } from './support/terminal.ts';

const red = (text: string): string => `\u001b[31m${text}\u001b[39m`;
const cell = fc
  .tuple(fc.stringMatching(/^[ -~]{0,20}$/), fc.boolean())
  .map(([text, coloured]) => (coloured ? red(text) : text));
const table = fc
  .integer({ min: 1, max: 5 })
  .chain((columns) => fc.array(fc.array(cell, { minLength: columns, maxLength: columns }), { minLength: 1 }));

describe('a table', () => {
  it('has every cell of a column at the same place, colours or not', () => {
    fc.assert(
      fc.property(table, (rows) => {
        const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => plain(row[column]).length)));
        for (const [index, line] of alignColumns(rows).entries()) {
          const expected = (rows[index] ?? [])
            .map((text, column) => plain(text).padEnd(widths[column] ?? 0))
            .join('  ');
          expect(plain(line).trimEnd()).toBe(expected.trimEnd());
        }
      }),
    );
  });

  it('fits its terminal where the last column is the long one', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.stringMatching(/^[a-z]{0,20}$/), fc.stringMatching(/^[ -~]{0,300}$/)), { minLength: 1 }),
        (rows) => {
          for (const line of alignColumns(rows, 40)) expect(line.length).toBeLessThanOrEqual(40);
        },
      ),
    );
  });

  it('says that something was cut', () => {
    expect(alignColumns([['a', 'x'.repeat(50)]], 20)).toEqual([`a  ${'x'.repeat(16)}…`]);
    expect(alignColumns([['a', 'x'.repeat(17)]], 20)).toEqual([`a  ${'x'.repeat(17)}`]);
    expect(alignColumns([['a'.repeat(30), 'x'.repeat(50)]], 20)).toEqual([`${'a'.repeat(30)}  ${'x'.repeat(50)}`]);
  });
});

describe('what changes on a terminal', () => {
  it('is taken away before anything else is printed, however many lines it had', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.stringMatching(/^[ -~]{0,200}$/), { maxLength: 5 }), { minLength: 1 }),
        (statuses) => {
          const terminal = new Terminal(30);
          const out = createOutput({
            stdout: terminal.stdout,
            stderr: terminal.stderr,
            json: false,
            colour: false,
          });
          out.note('before');
          for (const lines of statuses) out.status(lines);
          out.note('done');
          expect(screen(terminal.stderr.text, 30)).toEqual(['before', 'done', '']);
        },
      ),
    );
  });

  it('is not there off a terminal', () => {
    const terminal = new Terminal();
    const out = createOutput({ stdout: terminal.stdout, stderr: terminal.stderr, json: false, colour: false });
    out.status(['working']);
    out.status([]);
    expect(terminal.stderr.text).toBe('');
  });
});

/** Also more done than there is, and less than nothing. */
const amount = fc.double({ noNaN: true, noDefaultInfinity: true });

describe('a progress bar', () => {
  it('is always as wide, and never more than full or less than empty', () => {
    fc.assert(
      fc.property(amount, amount, (done, total) => {
        expect(progressBar(done, total)).toMatch(/^\[(?=.{24}\])#* *\] {1,3}\d{1,3} %$/);
      }),
    );
    expect(progressBar(0, 0)).toBe(`[${' '.repeat(24)}]   0 %`);
    expect(progressBar(999, 1000)).toContain(' 99 %');
    expect(progressBar(5, 5)).toBe(`[${'#'.repeat(24)}] 100 %`);
  });

  it('tells of each phase', () => {
    const frame: ProgressFrame = {
      kind: 'progress',
      taskId: 't',
      container: 'c',
      image: 'example.com/a/web:1',
      phase: 'downloading',
      layersDone: 1,
      layersTotal: 2,
      bytesDone: 1_572_864,
      bytesTotal: 3_145_728,
    };
    const lines = (['resolving', 'downloading', 'unpacking', 'done'] as const).map((phase) =>
      progressLine({ ...frame, phase }, 0),
    );
    expect(lines).toEqual([
      'web:1  resolving',
      `web:1  [${'#'.repeat(12)}${' '.repeat(12)}]  50 %  1.5 MiB of 3 MiB`,
      `web:1  [${'#'.repeat(12)}${' '.repeat(12)}]  50 %  unpacked 1 of 2 layers`,
      'web:1  done',
    ]);
    const waitsFor = { reason: 'r.example\u001b[1m answers HTTP status 429', nextTryAt: 12_000 };
    expect(progressLine({ ...frame, waitsFor }, 0)).toBe(
      'web:1  waiting: r.example answers HTTP status 429; next try in 12 s',
    );
  });
});

/** Every control character is likely. */
const anyText = fc.array(fc.integer({ min: 0, max: 0xff })).map((codes) => String.fromCharCode(...codes));

describe('text of programs', () => {
  it('is one line without control characters', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(oneLine(text)).not.toMatch(/\p{Cc}/u);
      }),
    );
  });
});

describe('a moment', () => {
  const now = Date.UTC(2026, 0, 10);
  it.each([
    [-5, '0 s ago'],
    [59, '59 s ago'],
    [60, '1 min ago'],
    [3599, '59 min ago'],
    [3600, '1 h ago'],
    [86_400, '1 d ago'],
  ])('%i s ago reads %s', (seconds, text) => {
    expect(formatMoment(new Date(now - seconds * 1000), { terminal: true, now })).toBe(text);
    expect(formatMoment(new Date(now), { terminal: false, now })).toBe('2026-01-10T00:00:00.000Z');
  });
});

const plain = (text: string | undefined): string => stripVTControlCharacters(text ?? '');

/** What a terminal of so many columns shows of these bytes; knows what Gantry uses of its language, and wraps as terminals do. */
function screen(text: string, columns: number): string[] {
  const rows: string[] = [''];
  let row = 0;
  const tokens = text.replaceAll('\u001b[2K', '⌫').replaceAll('\u001b[1A', '⇡');
  for (const token of tokens) {
    if (token === '⌫') rows[row] = '';
    else if (token === '⇡') row = Math.max(0, row - 1);
    else if (token === '\n') row += 1;
    else if (token !== '\r') {
      if ((rows[row] ?? '').length === columns) row += 1;
      rows[row] = (rows[row] ?? '') + token;
    }
    rows[row] ??= '';
  }
  return rows.slice(0, row + 1);
}
