import { appendFileSync, writeFileSync } from 'node:fs';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LogFile, maxLineBytes } from '../../../agent/logs/log-file.ts';

const allOf = async (content: string): Promise<string[]> => {
  await using log = await logFile(content);
  return await log.all();
};

async function logFile(content: string | Buffer, headOf?: () => number) {
  const directory = await mkdtempDisposable(join(tmpdir(), 'gantry-log-'));
  const path = join(directory.path, 'stdout');
  writeFileSync(path, content);
  const file = await LogFile.open(path, headOf);
  if (file === undefined) throw new Error('the file was just made');
  return {
    file,
    append: (text: string) => appendFileSync(path, text),
    async all(): Promise<string[]> {
      const lines: string[] = [];
      for (let isAtEnd = false; !isAtEnd; ) {
        const next = await file.nextLines();
        lines.push(...next.lines.map(({ text }) => text));
        isAtEnd = next.isAtEnd;
      }
      return lines;
    },
    async [Symbol.asyncDispose]() {
      await file[Symbol.asyncDispose]();
      await directory.remove();
    },
  };
}

describe('lines of a file that grows', () => {
  it('come when they are complete, and the unfinished one only when it is asked for', async () => {
    await using log = await logFile('one\n\ntwo\nthr');
    expect(await log.all()).toEqual(['one', '', 'two']);
    log.append('ee\nfour');
    expect(await log.all()).toEqual(['three']);
    expect(log.file.takeUnfinished()).toEqual({ text: 'four', end: 19, isPartial: false });
    expect(log.file.takeUnfinished()).toBeUndefined();
  });

  it('are cut where they are too long, between characters', async () => {
    const long = `${'x'.repeat(maxLineBytes - 1)}äöü`;
    await using log = await logFile(`${long}\n${'y'.repeat(maxLineBytes)}\nend\n`);
    expect(await log.all()).toEqual(['x'.repeat(maxLineBytes - 1), 'äöü', 'y'.repeat(maxLineBytes), 'end']);
  });

  it('that are too long say that they go on, and where each part ends', async () => {
    await using log = await logFile(`${'x'.repeat(2 * maxLineBytes)}\nend\n`);
    const { lines } = await log.file.nextLines();
    expect(lines.map(({ text, ...line }) => ({ ...line, length: text.length }))).toEqual([
      { length: maxLineBytes, end: maxLineBytes, isPartial: true },
      { length: maxLineBytes, end: 2 * maxLineBytes + 1, isPartial: false },
      { length: 3, end: 2 * maxLineBytes + 5, isPartial: false },
    ]);
  });

  it.each([
    ['CRLF', Buffer.from('one\r\n\r\ntw\ro\r\n'), ['one', '', 'tw\ro']],
    ['bytes that are no UTF-8', Buffer.from([0x61, 0xff, 0xc3, 0x0a, 0x00, 0x0a]), ['a\u{fffd}\u{fffd}', '\0']],
    [
      'a CRLF where a line is as long as may be',
      Buffer.from(`${'x'.repeat(maxLineBytes)}\r\n`),
      ['x'.repeat(maxLineBytes)],
    ],
  ])('may hold %s', async (_, content, expected) => {
    await using log = await logFile(content);
    expect(await log.all()).toEqual(expected);
  });

  it('do not depend on where somebody looked while they were written', async () => {
    const content = `${'x'.repeat(maxLineBytes)}\r\n${'y'.repeat(maxLineBytes)}z\n`;
    const whole = await allOf(content);
    for (const cut of [maxLineBytes - 1, maxLineBytes, maxLineBytes + 1, maxLineBytes + 2, 2 * maxLineBytes + 2]) {
      await using log = await logFile(content.slice(0, cut));
      const lines = await log.all();
      log.append(content.slice(cut));
      lines.push(...(await log.all()));
      expect(lines, `cut at ${cut}`).toEqual(whole);
    }
  });

  it('are the same however pieces of the file are cut', async () => {
    const lines = Array.from({ length: 20_000 }, (_, index) => `line ${index} ${'é'.repeat(index % 40)}`);
    await using log = await logFile(`${lines.join('\n')}\n`);
    expect(await log.all()).toEqual(lines);
  });
});

describe('the last lines', () => {
  it.each([
    ['a\nb\nc\n', 2, ['b', 'c']],
    ['a\nb\nc', 2, ['b', 'c']],
    ['a\nb\nc\n', 3, ['a', 'b', 'c']],
    ['a\nb\nc\n', 9, ['a', 'b', 'c']],
    ['a\n\n', 1, ['']],
    ['a\n', 0, []],
    ['', 5, []],
  ])('of %j, %i of them, are %j', async (content, count, expected) => {
    await using log = await logFile(content);
    expect(await log.file.seekToLast(count)).toBe(expected.length);
    const lines = await log.all();
    const unfinished = log.file.takeUnfinished();
    expect([...lines, ...(unfinished === undefined ? [] : [unfinished.text])]).toEqual(expected);
  });

  it('are found in a large file', async () => {
    const lines = Array.from({ length: 50_000 }, (_, index) => `line ${index}`);
    await using log = await logFile(`${lines.join('\n')}\n`);
    expect(await log.file.seekToLast(30_000)).toBe(30_000);
    expect(await log.all()).toEqual(lines.slice(-30_000));
  });
});

describe('a file whose beginning is taken away', () => {
  it('says how much is missing, before and while it is read', async () => {
    let head = 4;
    await using log = await logFile(`one\ntwo\n${'x\n'.repeat(40_000)}last\n`, () => head);
    expect(await log.file.nextLines()).toEqual({ lines: [], droppedBytes: 4, isAtEnd: false });
    expect((await log.file.nextLines()).lines[0]).toEqual({ text: 'two', end: 8, isPartial: false });
    const behind = log.file.position;
    head = 8 + 80_000;
    expect(await log.file.nextLines()).toMatchObject({ lines: [], droppedBytes: head - behind });
    expect(await log.all()).toEqual(['last']);
  });

  it('has no last lines before it', async () => {
    await using log = await logFile('one\ntwo\nthree\n', () => 4);
    expect(await log.file.seekToLast(9, 4)).toBe(2);
    expect(await log.all()).toEqual(['two', 'three']);
  });
});

it('of a line without an end the last parts are found without reading all of it', async () => {
  await using log = await logFile(`first\n${'x'.repeat(40 * maxLineBytes)}`);
  expect(await log.file.seekToLast(2)).toBe(2);
  expect((await log.all()).join('').length + (log.file.takeUnfinished()?.text.length ?? 0)).toBe(2 * maxLineBytes);
});

it('a file that is not there is none', async () => {
  expect(await LogFile.open('/nowhere/stdout')).toBeUndefined();
});
