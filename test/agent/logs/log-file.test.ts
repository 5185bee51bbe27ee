import { appendFileSync, writeFileSync } from 'node:fs';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LogFile, maxLineBytes } from '../../../agent/logs/log-file.ts';

async function logFile(content: string) {
  const directory = await mkdtempDisposable(join(tmpdir(), 'gantry-log-'));
  const path = join(directory.path, 'stdout');
  writeFileSync(path, content);
  const file = await LogFile.open(path);
  if (file === undefined) throw new Error('the file was just made');
  return {
    file,
    append: (text: string) => appendFileSync(path, text),
    async all(): Promise<string[]> {
      const lines: string[] = [];
      for (let isAtEnd = false; !isAtEnd; ) {
        const next = await file.nextLines();
        lines.push(...next.lines);
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
    expect(log.file.takeUnfinished()).toBe('four');
    expect(log.file.takeUnfinished()).toBeUndefined();
  });

  it('are cut where they are too long, between characters', async () => {
    const long = `${'x'.repeat(maxLineBytes - 1)}äöü`;
    await using log = await logFile(`${long}\n${'y'.repeat(maxLineBytes)}\nend\n`);
    expect(await log.all()).toEqual(['x'.repeat(maxLineBytes - 1), 'äöü', 'y'.repeat(maxLineBytes), 'end']);
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
    expect([...lines, ...(unfinished === undefined ? [] : [unfinished])]).toEqual(expected);
  });

  it('are found in a large file', async () => {
    const lines = Array.from({ length: 50_000 }, (_, index) => `line ${index}`);
    await using log = await logFile(`${lines.join('\n')}\n`);
    expect(await log.file.seekToLast(30_000)).toBe(30_000);
    expect(await log.all()).toEqual(lines.slice(-30_000));
  });
});

it('a file that is not there is none', async () => {
  expect(await LogFile.open('/nowhere/stdout')).toBeUndefined();
});
