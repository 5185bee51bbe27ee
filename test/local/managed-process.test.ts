import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runningPid, startManaged, stopManaged } from '../../local/managed-process.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gantry-managed-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const managed = () => ({ pidFile: join(dir, 'pid'), marker: join(dir, 'config') });

const start = () =>
  startManaged({
    ...managed(),
    command: process.execPath,
    args: ['-e', 'setInterval(() => {}, 1000)', managed().marker],
    env: {},
    logFile: join(dir, 'log'),
  });

it('knows a process by its pid file, and ends it', async () => {
  const pid = start();
  expect(runningPid(managed())).toBe(pid);
  await stopManaged(managed());
  expect(runningPid(managed())).toBeUndefined();
});

it('knows a process whose starter was killed before it could write the pid file', async () => {
  const pid = start();
  rmSync(managed().pidFile);
  expect(runningPid(managed())).toBe(pid);
  await stopManaged(managed());
  expect(runningPid(managed())).toBeUndefined();
});

it('takes no other program for its own, whatever the pid file says', () => {
  writeFileSync(managed().pidFile, `${process.pid}\n`);
  expect(runningPid(managed())).toBeUndefined();
});

it('starts what ends at once, and does not wait for it', async () => {
  const { marker } = managed();
  startManaged({ ...managed(), command: '/bin/true', args: [marker], env: {}, logFile: join(dir, 'log') });
  await expect.poll(() => runningPid(managed())).toBeUndefined();
});
