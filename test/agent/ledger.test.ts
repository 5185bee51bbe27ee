/** The agent's files after a crash, a disk error, and an agent of another version. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, test, vi } from 'vitest';
import { openIdentity } from '../../agent/identity.ts';
import { openLedger } from '../../agent/ledger.ts';
import { acceptTask } from '../../core/plan/host.ts';
import { ledgerSchemaVersion } from '../../core/plan/ledger.ts';
import { FakeControlPlane } from '../support/fake-control-plane.ts';
import { FakeHost, fakeCommands } from '../support/fake-runtime.ts';
import { agentDirectory, fastClock, startAgent } from '../support/test-agent.ts';
import { containerSpec, taskSpec } from './oci/task-spec.ts';

const log = pino({ level: 'silent' });
const clock = fastClock();
const [known, wanted] = ['a'.repeat(32), 'b'.repeat(32)];

const specOf = (taskId: string) =>
  taskSpec({ taskId, containers: [containerSpec({ command: fakeCommands.runsUntilStopped })] });

function entryOf(taskId: string) {
  const desired = { status: 'RUNNING' as const, version: 1, at: 0 };
  return acceptTask({ taskId, spec: specOf(taskId), desired }, undefined, { now: 0, bootId: 'boot-1' });
}

/** A directory of an agent with these files in its ledger. */
function directoryWith(files: Readonly<Record<string, string>>) {
  const directory = agentDirectory();
  mkdirSync(join(directory.path, 'tasks'));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(directory.path, 'tasks', name), content);
  return directory;
}

const ledgerIn = (path: string) => openLedger(join(path, 'tasks'), { log, clock });

test('a write that a crash cut short leaves the former entry, and nothing beside it', async () => {
  const text = JSON.stringify(entryOf(known));
  using directory = directoryWith({ [`${known}.json`]: text, [`${known}.json.tmp`]: text.slice(0, 20) });
  expect((await ledgerIn(directory.path)).all()).toEqual([entryOf(known)]);
  expect(readdirSync(join(directory.path, 'tasks'))).toEqual([`${known}.json`]);
});

test('members that this agent does not know are left out of account', async () => {
  const text = JSON.stringify({ ...entryOf(known), mood: 'cheerful' });
  using directory = directoryWith({ [`${known}.json`]: text });
  expect((await ledgerIn(directory.path)).all()).toEqual([entryOf(known)]);
});

test('what the agent of commit a81c4a6 wrote is read as it stands', async () => {
  const { ledger } = JSON.parse(readFileSync(new URL('./runtime/files-of-a81c4a6.json', import.meta.url), 'utf8'));
  using directory = directoryWith({ [`${ledger.taskId}.json`]: JSON.stringify(ledger) });
  const [read] = (await ledgerIn(directory.path)).all();
  expect(read).toMatchObject(ledger);
});

test('what a newer agent wrote is refused by name, and left as it is', async () => {
  const text = JSON.stringify({ ...entryOf(known), schemaVersion: ledgerSchemaVersion + 1, containers: 'otherwise' });
  using directory = directoryWith({ [`${known}.json`]: text });
  const file = join(directory.path, 'tasks', `${known}.json`);
  const words = `${file} was written by a newer agent, in format ${ledgerSchemaVersion + 1}; this one knows formats up to`;
  await expect(ledgerIn(directory.path)).rejects.toThrow(words);
  expect(readFileSync(file, 'utf8')).toBe(text);

  const admission = join(directory.path, 'host.json');
  writeFileSync(admission, JSON.stringify({ version: 2, hostId: 'h' }));
  await expect(openIdentity(directory.path, log)).rejects.toThrow(`${admission} was written by a newer agent`);
  expect(existsSync(admission)).toBe(true);
});

test('of tasks whose entries are lost, what is wanted is taken over as it runs, and the rest is removed', async () => {
  await using controlPlane = await FakeControlPlane.open();
  const host = new FakeHost({ now: () => clock.now() });
  const before = host.open();
  for (const taskId of [known, wanted]) {
    const spec = specOf(taskId);
    await before.prepareTask(spec);
    await before.createContainer(spec, 'main', { reference: 'busybox', digest: 'sha256:0' });
    await before.startContainer(taskId, 'main');
  }
  before.cut();
  using directory = directoryWith({ [`${known}.json`]: '{"schemaVer', [`${wanted}.json`]: '' });
  controlPlane.run(specOf(wanted));
  await using _agent = await startAgent({ directory: directory.path, host, controlPlane, clock });
  await controlPlane.untilStatus(wanted, 'RUNNING');
  await vi.waitUntil(() => !host.tasks.has(known), { interval: 5 });
  expect(host.startsOf(wanted, 'main')).toBe(1);
  const left = () => readdirSync(join(directory.path, 'tasks')).toSorted();
  await vi.waitUntil(() => !left().includes(`${known}.json.unreadable`), { interval: 5 });
  controlPlane.stop(wanted);
  expect((await controlPlane.untilStatus(wanted, 'STOPPED')).containers[0]?.exitCode).toBe(143);
  await vi.waitUntil(() => left().length === 0, { interval: 5 });
});
