import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { boundLog } from '../../local/watch/log-size.ts';

let directory: string;
let file: string;
let fd: number;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gantry-log-'));
  file = join(directory, 'server.log');
  fd = openSync(file, 'a', 0o600);
});
afterEach(() => {
  closeSync(fd);
  rmSync(directory, { recursive: true });
});
const text = (name = file): string => readFileSync(name, 'utf8');

it('a log that is too large begins anew, and is kept once beside itself', () => {
  writeSync(fd, 'one\n');
  boundLog({ fd, file, maxBytes: 8 });
  expect(text()).toBe('one\n');
  writeSync(fd, 'two\n');
  boundLog({ fd, file, maxBytes: 8 });
  writeSync(fd, 'three\n');
  expect([text(), text(`${file}.1`)]).toEqual(['three\n', 'one\ntwo\n']);
  writeSync(fd, 'four\n');
  boundLog({ fd, file, maxBytes: 8 });
  expect([text(), text(`${file}.1`)]).toEqual(['', 'three\nfour\n']);
});

it('what is no such file is left alone', () => {
  writeSync(fd, 'one\n');
  boundLog({ fd, file: join(directory, 'other.log'), maxBytes: 1 });
  expect(text()).toBe('one\n');
  expect(existsSync(join(directory, 'other.log'))).toBe(false);
});
