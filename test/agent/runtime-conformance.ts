/**
 * What every Runtime promises (agent/runtime.ts), sentence by sentence: run against the fake host and against containerd. A provider
 * says how each kind of container is made there; the suite knows no machinery.
 */
import { describe, expect, test } from 'vitest';
import type { Runtime } from '../../agent/runtime.ts';
import { containerStatsSchema } from '../../core/model/container-stats.ts';
import {
  type Driven,
  exitOf,
  failureOf,
  found,
  isReady,
  linesOf,
  newTaskId,
  noProgress,
  prepare,
  run,
  unending,
} from './runtime-driver.ts';

/** A host with one runtime open on it. Disposing of it leaves nothing behind. */
export interface RuntimeUnderTest extends Driven, AsyncDisposable {
  /** A second runtime on the same host, as an agent that was restarted opens it; closed with the host. */
  reopen(): Promise<Runtime>;
  /** Its registry answers, and does not have it. */
  readonly missingImage: string;
  readonly commands: {
    exits(code: number): string[];
    /** Writes the line `ready` once it heeds SIGTERM; ends on it with 0 or 143. */
    readonly runsUntilStopped: string[];
    /** Writes the line `ready` once it ignores SIGTERM. */
    readonly ignoresStop: string[];
    /** Each on a line of its own to stdout; then ends with 0. */
    prints(lines: readonly string[]): string[];
    /** Takes memory until its limit of 32 MiB ends it. */
    readonly exhaustsMemory: string[];
    /** A program that is not in the image. */
    readonly cannotStart: string[];
  };
}

/** `open` makes a host of its own for each test. */
export function describeRuntime(name: string, open: () => Promise<RuntimeUnderTest>): void {
  describe(`Runtime: ${name}`, () => {
    describe('images', () => pullTests(open));
    describe('a container’s life', () => lifeTests(open));
    describe('ends', () => endTests(open));
    describe('removal', () => removalTests(open));
    describe('logs', () => logTests(open));
    describe('statistics', () => statsTests(open));
    describe('another agent on the same host', () => restartTests(open));
  });
}

function pullTests(open: () => Promise<RuntimeUnderTest>): void {
  test('an image is answered with the digest of its manifest, and the second time with the same', async () => {
    await using host = await open();
    const first = await host.runtime.pullImage(host.image, noProgress, unending());
    expect(first.reference).toBe(host.image);
    expect(first.digest).toMatch(/^sha256:/);
    expect(await host.runtime.pullImage(host.image, noProgress, unending())).toEqual(first);
  });

  test('what was pulled is listed by its digest, once, with its size', async () => {
    await using host = await open();
    expect(await host.runtime.listImages()).toEqual([]);
    const { digest } = await host.runtime.pullImage(host.image, noProgress, unending());
    await host.runtime.pullImage(host.image, noProgress, unending());
    const [image, ...others] = await host.runtime.listImages();
    expect(others).toEqual([]);
    expect(image).toMatchObject({ digest, names: [expect.stringContaining(host.image)] });
    expect(image?.sizeBytes).toBeGreaterThan(0);
  });

  test('an image that does not exist fails for good, naming the image', async () => {
    await using host = await open();
    const failure = await failureOf(host.runtime.pullImage(host.missingImage, noProgress, unending()));
    expect(failure.kind).toMatch(/^CannotPull/);
    expect(failure.retryable).toBe(false);
    expect(failure.message).toContain(host.missingImage);
  });
}

function lifeTests(open: () => Promise<RuntimeUnderTest>): void {
  test('a container is created, runs, and ends with its exit code', async () => {
    await using host = await open();
    const { runtime } = host;
    const { spec, taskId, image } = await prepare(host, { main: host.commands.exits(3) });
    expect(await runtime.containerState(taskId, 'main')).toBeUndefined();
    const { runtimeId } = await runtime.createContainer(spec, 'main', image);
    expect(runtimeId).not.toBe('');
    expect(await runtime.containerState(taskId, 'main')).toEqual({ state: 'created' });
    const { startedAt } = await runtime.startContainer(taskId, 'main');
    const { exit } = await exitOf(runtime, taskId);
    expect(exit).toMatchObject({ exitCode: 3, oomKilled: false });
    expect(exit.at).toBeGreaterThanOrEqual(Math.floor(startedAt));
  });

  test('what is running says since when', async () => {
    await using host = await open();
    const taskId = await run(host, { main: host.commands.runsUntilStopped });
    const state = await host.runtime.containerState(taskId, 'main');
    expect(state).toMatchObject({ state: 'running', startedAt: expect.any(Number) });
  });

  test('creating and preparing again changes nothing', async () => {
    await using host = await open();
    const { runtime } = host;
    const { spec, taskId, image } = await prepare(host, { main: host.commands.runsUntilStopped });
    const first = await runtime.createContainer(spec, 'main', image);
    expect(await runtime.createContainer(spec, 'main', image)).toEqual(first);
    await runtime.startContainer(taskId, 'main');
    const bindings = await runtime.prepareTask(spec);
    expect(await runtime.createContainer(spec, 'main', image)).toEqual(first);
    expect(await runtime.prepareTask(spec)).toEqual(bindings);
    expect(await runtime.containerState(taskId, 'main')).toMatchObject({ state: 'running' });
  });

  test('starting what runs answers since when it runs', async () => {
    await using host = await open();
    const taskId = await run(host, { main: host.commands.runsUntilStopped });
    const state = await host.runtime.containerState(taskId, 'main');
    const again = await host.runtime.startContainer(taskId, 'main');
    expect(state).toEqual({ state: 'running', startedAt: again.startedAt });
  });

  test('what has ended is never run a second time', async () => {
    await using host = await open();
    const taskId = await run(host, { main: host.commands.prints(['once']) });
    const before = await exitOf(host.runtime, taskId);
    const failure = await failureOf(host.runtime.startContainer(taskId, 'main'));
    expect(failure).toMatchObject({ kind: 'CannotStartContainerError', retryable: false });
    expect(await host.runtime.containerState(taskId, 'main')).toEqual(before);
    await host.runtime.removeContainer(taskId, 'main');
    expect((await linesOf(host.runtime, taskId)).map(({ text }) => text)).toEqual(['once']);
  });

  test('a program that is not there fails with what is wrong, and leaves nothing that removal cannot take', async () => {
    await using host = await open();
    const { runtime } = host;
    const { spec, taskId, image } = await prepare(host, { main: host.commands.cannotStart });
    const attempt = async () => {
      await runtime.createContainer(spec, 'main', image);
      await runtime.startContainer(taskId, 'main');
    };
    const failure = await failureOf(attempt());
    expect(failure.kind).toMatch(/^Cannot(Create|Start)ContainerError$/);
    expect(failure.retryable).toBe(false);
    await runtime.removeTask(taskId);
    expect(await runtime.inventory()).toEqual([]);
  });
}

function endTests(open: () => Promise<RuntimeUnderTest>): void {
  test('the stop signal ends a container that heeds it', async () => {
    await using host = await open();
    const taskId = await run(host, { main: host.commands.runsUntilStopped });
    await isReady(host.runtime, taskId);
    await host.runtime.signalContainer(taskId, 'main', 'stop');
    const { exit } = await exitOf(host.runtime, taskId);
    expect([0, 143]).toContain(exit.exitCode);
  });

  test('one that ignores it runs on, and ends with 137 when it is killed', async () => {
    await using host = await open();
    const taskId = await run(host, { main: host.commands.ignoresStop });
    await isReady(host.runtime, taskId);
    await host.runtime.signalContainer(taskId, 'main', 'stop');
    expect(await host.runtime.containerState(taskId, 'main')).toMatchObject({ state: 'running' });
    await host.runtime.signalContainer(taskId, 'main', 'kill');
    expect((await exitOf(host.runtime, taskId)).exit).toMatchObject({ exitCode: 137, oomKilled: false });
  });

  test('signals to what does not run are fine', async () => {
    await using host = await open();
    const { spec, taskId, image } = await prepare(host, {
      main: host.commands.exits(0),
      other: host.commands.exits(0),
    });
    await host.runtime.signalContainer(taskId, 'main', 'stop');
    await host.runtime.createContainer(spec, 'main', image);
    await host.runtime.startContainer(taskId, 'main');
    await exitOf(host.runtime, taskId);
    await host.runtime.signalContainer(taskId, 'main', 'stop');
    await host.runtime.signalContainer(taskId, 'main', 'kill');
    expect((await exitOf(host.runtime, taskId)).exit.exitCode).toBe(0);
  });

  test('a container that takes more memory than it may have is told apart from one that was killed', async () => {
    await using host = await open();
    const taskId = await run(host, { main: host.commands.exhaustsMemory }, { container: { memoryMib: 32 } });
    expect((await exitOf(host.runtime, taskId)).exit).toMatchObject({ exitCode: 137, oomKilled: true });
  });

  test('containers of one task end apart', async () => {
    await using host = await open();
    const taskId = await run(host, { short: host.commands.exits(5), long: host.commands.runsUntilStopped });
    expect((await exitOf(host.runtime, taskId, 'short')).exit.exitCode).toBe(5);
    expect(await host.runtime.containerState(taskId, 'long')).toMatchObject({ state: 'running' });
  });
}

function removalTests(open: () => Promise<RuntimeUnderTest>): void {
  test('a removed container is gone, its log is not, and removing it again is fine', async () => {
    await using host = await open();
    const taskId = await run(host, { main: host.commands.prints(['kept']) });
    await exitOf(host.runtime, taskId);
    await host.runtime.removeContainer(taskId, 'main');
    await host.runtime.removeContainer(taskId, 'main');
    expect(await host.runtime.containerState(taskId, 'main')).toBeUndefined();
    expect((await linesOf(host.runtime, taskId)).map(({ text }) => text)).toEqual(['kept']);
  });

  test('a running container is killed by its removal', async () => {
    await using host = await open();
    const taskId = await run(host, { main: host.commands.ignoresStop });
    await host.runtime.removeContainer(taskId, 'main');
    expect(await host.runtime.containerState(taskId, 'main')).toBeUndefined();
  });

  test('a removed task is gone whole, whatever state it was in, and removing it again is fine', async () => {
    await using host = await open();
    const { runtime } = host;
    const running = await run(host, { main: host.commands.runsUntilStopped, other: host.commands.exits(0) });
    const prepared = await prepare(host, { main: host.commands.exits(0) });
    const created = await prepare(host, { main: host.commands.exits(0) });
    await runtime.createContainer(created.spec, 'main', created.image);
    for (const taskId of [running, prepared.taskId, created.taskId]) {
      await runtime.removeTask(taskId);
      await runtime.removeTask(taskId);
    }
    expect(await runtime.inventory()).toEqual([]);
  });

  test('logs stay after the task until they are removed', async () => {
    await using host = await open();
    const taskId = await run(host, { main: host.commands.prints(['kept']) });
    await exitOf(host.runtime, taskId);
    await host.runtime.removeTask(taskId);
    expect((await linesOf(host.runtime, taskId)).map(({ text }) => text)).toEqual(['kept']);
    expect(await host.runtime.tasksWithLogs()).toEqual([taskId]);
    await host.runtime.removeLogs(taskId);
    await host.runtime.removeLogs(taskId);
    expect(await linesOf(host.runtime, taskId)).toEqual([]);
    expect(await host.runtime.tasksWithLogs()).toEqual([]);
  });
}

function logTests(open: () => Promise<RuntimeUnderTest>): void {
  const lines = ['one', 'two', '', 'four'];

  test('lines come in order, with their container, stream and time', async () => {
    await using host = await open();
    const before = Date.now();
    const taskId = await run(host, { main: host.commands.prints(lines) });
    await exitOf(host.runtime, taskId);
    await host.runtime.removeContainer(taskId, 'main');
    const read = await linesOf(host.runtime, taskId);
    expect(read.map(({ text }) => text)).toEqual(lines);
    for (const line of read) {
      expect(line).toMatchObject({ container: 'main', stream: 'stdout' });
      expect(line.at).toBeGreaterThanOrEqual(before - 1);
    }
  });

  test('tail and container choose among them', async () => {
    await using host = await open();
    const taskId = await run(host, { a: host.commands.prints(['a1', 'a2', 'a3']), b: host.commands.prints(['b1']) });
    for (const name of ['a', 'b']) {
      await exitOf(host.runtime, taskId, name);
      await host.runtime.removeContainer(taskId, name);
    }
    const tailOfA = await linesOf(host.runtime, taskId, { container: 'a', tail: 2 });
    expect(tailOfA.map(({ text }) => text)).toEqual(['a2', 'a3']);
    const all = await linesOf(host.runtime, taskId);
    expect(all.map(({ text }) => text).sort()).toEqual(['a1', 'a2', 'a3', 'b1']);
  });

  test('following ends by itself when every container has ended, and misses nothing', async () => {
    await using host = await open();
    const { spec, taskId, image } = await prepare(host, { main: host.commands.prints(lines) });
    await host.runtime.createContainer(spec, 'main', image);
    const followed = linesOf(host.runtime, taskId, { follow: true });
    await host.runtime.startContainer(taskId, 'main');
    expect((await followed).map(({ text }) => text)).toEqual(lines);
  });

  test('following ends when the signal fires', async () => {
    await using host = await open();
    const taskId = await run(host, { main: host.commands.runsUntilStopped });
    await isReady(host.runtime, taskId);
    const stop = new AbortController();
    const followed = linesOf(host.runtime, taskId, { follow: true, signal: stop.signal });
    stop.abort();
    expect((await followed).length).toBeLessThanOrEqual(1);
  });

  test('a task without a log has no lines', async () => {
    await using host = await open();
    expect(await linesOf(host.runtime, newTaskId())).toEqual([]);
    expect(await linesOf(host.runtime, newTaskId(), { follow: true })).toEqual([]);
  });
}

function statsTests(open: () => Promise<RuntimeUnderTest>): void {
  test('of what runs are what it has used until then, and the limits that hold for it', async () => {
    await using host = await open();
    const before = Date.now();
    const commands = { main: host.commands.runsUntilStopped };
    const taskId = await run(host, commands, { task: { memoryMib: 128 }, container: { memoryMib: 32 } });
    await isReady(host.runtime, taskId);
    const first = await host.runtime.containerStats(taskId, 'main');
    expect(first).toMatchObject({ memory: { limitBytes: 32 * 1024 * 1024, oomKills: 0 }, pids: { limit: 4096 } });
    expect(containerStatsSchema.parse(first), 'what is sent and what is parsed are the same').toEqual(first);
    expect(first?.at).toBeGreaterThanOrEqual(before);
    expect(first?.pids.current).toBeGreaterThan(0);
    expect(first?.memory.usageBytes).toBeGreaterThanOrEqual(first?.memory.workingSetBytes ?? Infinity);
    expect(first?.network, 'it has no network of its own').toBeUndefined();
    const second = await host.runtime.containerStats(taskId, 'main');
    expect(second?.cpu.usageNanos).toBeGreaterThanOrEqual(first?.cpu.usageNanos ?? Infinity);
    expect(second?.cpu.machineNanos).toBeGreaterThanOrEqual(first?.cpu.machineNanos ?? Infinity);
  });

  test('are none of what does not run: not yet, not any more, or not at all', async () => {
    await using host = await open();
    const { runtime } = host;
    const { spec, taskId, image } = await prepare(host, { main: host.commands.exits(0) });
    expect(await runtime.containerStats(taskId, 'main')).toBeUndefined();
    await runtime.createContainer(spec, 'main', image);
    expect(await runtime.containerStats(taskId, 'main')).toBeUndefined();
    await runtime.startContainer(taskId, 'main');
    await exitOf(runtime, taskId);
    expect(await runtime.containerStats(taskId, 'main')).toBeUndefined();
    await runtime.removeTask(taskId);
    expect(await runtime.containerStats(taskId, 'main')).toBeUndefined();
    expect(await runtime.containerStats(newTaskId(), 'main')).toBeUndefined();
  });
}

function restartTests(open: () => Promise<RuntimeUnderTest>): void {
  test('finds everything with its state, and the exits that nobody saw', async () => {
    await using host = await open();
    const running = await run(host, { main: host.commands.runsUntilStopped });
    const ended = await run(host, { main: host.commands.exits(7) });
    await exitOf(host.runtime, ended);
    const half = await prepare(host, { main: host.commands.exits(0) });
    const { runtimeId } = await host.runtime.createContainer(half.spec, 'main', half.image);
    const tasks = await (await host.reopen()).inventory();
    expect(found(tasks, running)?.containers[0]?.status).toMatchObject({ state: 'running' });
    expect(found(tasks, ended)?.containers[0]?.status).toMatchObject({ state: 'exited', exit: { exitCode: 7 } });
    expect(found(tasks, half.taskId)?.containers).toEqual([
      { name: 'main', runtimeId, imageDigest: half.image.digest, status: { state: 'created' } },
    ]);
  });

  test('takes over: starts what was created, stops what runs, hears exits', async () => {
    await using host = await open();
    const running = await run(host, { main: host.commands.runsUntilStopped });
    const half = await prepare(host, { main: host.commands.exits(4) });
    await host.runtime.createContainer(half.spec, 'main', half.image);
    const heir = await host.reopen();
    await heir.startContainer(half.taskId, 'main');
    expect((await exitOf(heir, half.taskId)).exit.exitCode).toBe(4);
    await heir.signalContainer(running, 'main', 'kill');
    expect((await exitOf(heir, running)).exit.exitCode).toBe(137);
  });

  test('closing leaves containers running', async () => {
    await using host = await open();
    const taskId = await run(host, { main: host.commands.runsUntilStopped });
    const heir = await host.reopen();
    await host.runtime.close();
    expect(await heir.containerState(taskId, 'main')).toMatchObject({ state: 'running' });
  });
}
