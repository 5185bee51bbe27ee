/**
 * The embedded store under kill -9 and on a full disk. A kill shows that commits are whole and that the lock goes with the process;
 * that acknowledged commits survive a loss of power too rests on synchronous=FULL.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { openSqliteTable } from '../../control/store/sqlite.ts';
import { readThrough } from './conformance/support.ts';

const writer = fileURLToPath(new URL('crash-writer.ts', import.meta.url));

/** Runs the writer, through a shell with this prelude, until it ends by itself or this line has come; answers its lines. */
async function runWriter(
  file: string,
  first: number,
  prelude: string,
  killAfter: (line: string) => boolean,
): Promise<string[]> {
  const script = `${prelude} exec "$0" "$@"`;
  const child = spawn('/bin/bash', ['-c', script, process.execPath, writer, file, `${first}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (killAfter(line)) child.kill('SIGKILL');
  }
  await ended;
  return lines;
}

const acknowledged = (lines: readonly string[]): number[] =>
  lines.filter((line) => line.startsWith('acknowledged ')).map((line) => Number(line.split(' ')[1]));

/** Every acknowledged commit is there; each commit that is there is there as a whole. */
async function check(file: string, numbers: readonly number[]): Promise<void> {
  const table = openSqliteTable({ file });
  const halves = await readThrough((options) => table.query('halves', options));
  const counter = await table.get({ pk: 'counter', sk: 'counter' });
  await table.close();
  const there = Map.groupBy(halves, ({ sk }) => Number(sk.split('-')[0]));
  expect(numbers.filter((n) => !there.has(n))).toEqual([]);
  expect([...there].filter(([, parts]) => parts.length !== 2)).toEqual([]);
  expect(counter?.data.n).toBe(there.size);
}

it('loses no acknowledged commit and tears none when it is killed', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'gantry-crash-'));
  using _ = { [Symbol.dispose]: () => rmSync(dir, { recursive: true }) };
  const file = join(dir, 'store.db');
  const all: number[] = [];
  for (const round of [1, 2, 3, 4, 5, 6]) {
    let count = 0;
    const lines = await runWriter(file, round * 100_000, '', (line) => {
      if (line.startsWith('acknowledged')) count += 1;
      return count === round * 37;
    });
    expect(lines[0]).toBe('open');
    all.push(...acknowledged(lines));
    await check(file, all);
  }
  expect(all.length).toBeGreaterThanOrEqual(6 * 37);
});

it('answers an error, and keeps what it acknowledged, when the disk takes no more', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'gantry-full-'));
  using _ = { [Symbol.dispose]: () => rmSync(dir, { recursive: true }) };
  const file = join(dir, 'store.db');
  // No file may grow beyond 1 MB, which SQLite is told as a full disk is; without the trap the process would be killed.
  const lines = await runWriter(file, 0, 'trap "" XFSZ; ulimit -f 1024;', () => false);
  expect(lines.at(-1)).toBe('failed ServiceUnavailableException');
  expect(acknowledged(lines).length).toBeGreaterThan(50);
  await check(file, acknowledged(lines));
});
