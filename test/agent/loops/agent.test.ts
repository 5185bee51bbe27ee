/** An agent from outside: what it does on its host and what it tells its control plane. */
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { type PullProgress, RuntimeFailure } from '../../../agent/runtime.ts';
import type { ContainerSpec, TaskSpec } from '../../../core/model/task-spec.ts';
import { FakeControlPlane } from '../../support/fake-control-plane.ts';
import { FakeHost, fakeCommands } from '../../support/fake-runtime.ts';
import { agentDirectory, fastClock, startAgent, type TestAgentOptions } from '../../support/test-agent.ts';
import { containerSpec, taskSpec } from '../oci/task-spec.ts';

const { exits, runsUntilStopped, ignoresStop, prints, exhaustsMemory } = fakeCommands;

/** A control plane, a host and an agent on it. */
async function open(options: Partial<TestAgentOptions> = {}) {
  const controlPlane = await FakeControlPlane.open();
  const directory = agentDirectory();
  const clock = fastClock();
  const host = new FakeHost({ now: () => clock.now(), images: ['busybox', 'other'] });
  const start = (more: Partial<TestAgentOptions> = {}) =>
    startAgent({ directory: directory.path, host, controlPlane, clock, ...options, ...more });
  const agent = await start();
  return {
    controlPlane,
    host,
    agent,
    start,
    directory: directory.path,
    async [Symbol.asyncDispose]() {
      await agent[Symbol.asyncDispose]();
      await controlPlane[Symbol.asyncDispose]();
      directory[Symbol.dispose]();
    },
  };
}

function task(containers: Readonly<Record<string, Partial<ContainerSpec>>>, more: Partial<TaskSpec> = {}): TaskSpec {
  const specs = Object.entries(containers).map(([name, container]) => containerSpec({ name, ...container }));
  return taskSpec({ taskId: randomBytes(16).toString('hex'), containers: specs, ...more });
}

const fetchesOf = ({ requests }: FakeControlPlane): number =>
  requests.filter((request) => request === 'desired').length;

function* endlessPull(): Generator<PullProgress> {
  for (let bytesDone = 0; ; bytesDone += 1) {
    yield { phase: 'downloading', layersDone: 0, layersTotal: 1, bytesDone, bytesTotal: Number.MAX_SAFE_INTEGER };
  }
}

test('a task runs, ends by itself, and nothing is left of it but its log', async () => {
  await using world = await open();
  const { controlPlane, host } = world;
  const spec = task({ main: { command: prints(['hello', 'world']) } });
  controlPlane.run(spec);
  const observed = await controlPlane.untilStatus(spec.taskId, 'STOPPED');
  expect(observed).toMatchObject({
    stopCode: 'EssentialContainerExited',
    stoppedReason: 'Essential container in task exited',
    acceptedAt: expect.any(Number),
    pullStartedAt: expect.any(Number),
    pullStoppedAt: expect.any(Number),
    startedAt: expect.any(Number),
    stoppingAt: expect.any(Number),
    executionStoppedAt: expect.any(Number),
    stoppedAt: expect.any(Number),
  });
  expect(observed.containers).toMatchObject([{ name: 'main', status: 'STOPPED', exitCode: 0, oomKilled: false }]);
  expect(observed.containers[0]).not.toHaveProperty('reason');
  expect(observed.containers[0]?.lastLogLines?.map(({ text }) => text)).toEqual(['hello', 'world']);
  expect(host.tasks.size).toBe(0);
  expect(host.logs.has(spec.taskId)).toBe(true);
});

test('an essential container that ends takes the others with it', async () => {
  await using world = await open();
  const { controlPlane, host } = world;
  const spec = task({
    main: { command: runsUntilStopped },
    helper: { command: runsUntilStopped, essential: false, stopTimeoutSeconds: 2 },
  });
  controlPlane.run(spec);
  await controlPlane.untilStatus(spec.taskId, 'RUNNING');
  host.exit(spec.taskId, 'main', { exitCode: 3 });
  const observed = await controlPlane.untilStatus(spec.taskId, 'STOPPED');
  expect(observed.stopCode).toBe('EssentialContainerExited');
  expect(observed.containers.map(({ name, exitCode }) => [name, exitCode])).toEqual([
    ['main', 3],
    ['helper', 143],
  ]);
});

test('a container that ignores SIGTERM is killed after its stopTimeout, and not before', async () => {
  await using world = await open();
  const { controlPlane } = world;
  const spec = task({ main: { command: ignoresStop, stopTimeoutSeconds: 2 } });
  controlPlane.run(spec);
  await controlPlane.untilStatus(spec.taskId, 'RUNNING');
  controlPlane.stop(spec.taskId);
  const observed = await controlPlane.untilStatus(spec.taskId, 'STOPPED');
  expect(observed.containers[0]?.exitCode).toBe(137);
  expect((observed.stoppedAt ?? 0) - (observed.stoppingAt ?? 0)).toBeGreaterThanOrEqual(2000);
  expect(observed).not.toHaveProperty('stopCode'); // The control plane knows why.
});

test('containers start in the order of dependsOn and stop in the reverse', async () => {
  await using world = await open();
  const { controlPlane, host } = world;
  const spec = task({
    app: {
      command: runsUntilStopped,
      dependsOn: [
        { containerName: 'migrate', condition: 'SUCCESS' },
        { containerName: 'proxy', condition: 'START' },
      ],
    },
    proxy: { command: runsUntilStopped },
    migrate: { command: exits(0), essential: false },
  });
  controlPlane.run(spec);
  await controlPlane.untilStatus(spec.taskId, 'RUNNING');
  controlPlane.stop(spec.taskId);
  await controlPlane.untilStatus(spec.taskId, 'STOPPED');
  const of = (verb: string) => host.calls.filter((call) => call.verb === verb).map(({ container }) => container);
  expect(of('startContainer')).toEqual(['proxy', 'migrate', 'app']);
  expect(of('signalContainer')).toEqual(['app', 'proxy']);
});

test('an image that does not exist stops the task with the reason, and runs nothing', async () => {
  await using world = await open();
  const { controlPlane, host } = world;
  const spec = task({ main: { image: 'missing' }, other: { command: runsUntilStopped } });
  controlPlane.run(spec);
  const observed = await controlPlane.untilStatus(spec.taskId, 'STOPPED');
  expect(observed.stopCode).toBe('TaskFailedToStart');
  expect(observed.containers[0]?.reason).toMatch(/^CannotPullImageManifestError: .*missing/);
  expect(observed.containers[0]).not.toHaveProperty('exitCode');
  expect(observed.containers.map(({ status }) => status)).toEqual(['STOPPED', 'STOPPED']);
  expect(host.starts.size).toBe(0);
});

test('a program that is not in the image stops the task with the reason', async () => {
  await using world = await open();
  const { controlPlane } = world;
  const spec = task({ main: { command: ['no-such-program'] } });
  controlPlane.run(spec);
  const observed = await controlPlane.untilStatus(spec.taskId, 'STOPPED');
  expect(observed.stopCode).toBe('TaskFailedToStart');
  expect(observed.containers[0]?.reason).toMatch(/^CannotStartContainerError: .*not found/);
});

test('an OOM kill is told apart', async () => {
  await using world = await open();
  const { controlPlane } = world;
  const spec = task({ main: { command: exhaustsMemory, memoryMib: 32 } });
  controlPlane.run(spec);
  const observed = await controlPlane.untilStatus(spec.taskId, 'STOPPED');
  expect(observed.containers[0]).toMatchObject({ exitCode: 137, oomKilled: true });
  expect(observed.containers[0]?.reason).toMatch(/^OutOfMemoryError/);
});

test('a process that vanished gets no exit code', async () => {
  await using world = await open();
  const { controlPlane, host } = world;
  const spec = task({ main: { command: runsUntilStopped } });
  controlPlane.run(spec);
  await controlPlane.untilStatus(spec.taskId, 'RUNNING');
  host.vanish(spec.taskId, 'main');
  const observed = await controlPlane.untilStatus(spec.taskId, 'STOPPED');
  expect(observed.containers[0]).not.toHaveProperty('exitCode');
  expect(observed.containers[0]?.reason).toMatch(/^ContainerVanishedError/);
});

test('exits that the runtime missed are found when it says so', async () => {
  await using world = await open();
  const { controlPlane, host } = world;
  const spec = task({ main: { command: runsUntilStopped } });
  controlPlane.run(spec);
  await controlPlane.untilStatus(spec.taskId, 'RUNNING');
  const container = host.container(spec.taskId, 'main');
  if (container !== undefined) {
    container.state = { state: 'exited', exit: { exitCode: 5, oomKilled: false, at: host.now() } };
  }
  host.missExits();
  const observed = await controlPlane.untilStatus(spec.taskId, 'STOPPED');
  expect(observed.containers[0]?.exitCode).toBe(5);
});

test('a stop cancels a pull that is under way', async () => {
  await using world = await open();
  const { controlPlane, host } = world;
  const pulling = Promise.withResolvers<void>();
  host.pullSteps = endlessPull();
  host.fault = ({ verb }, moment) => {
    if (verb === 'pullImage' && moment === 'before') pulling.resolve();
  };
  const spec = task({ main: { command: runsUntilStopped } });
  controlPlane.run(spec);
  await pulling.promise;
  controlPlane.stop(spec.taskId);
  const observed = await controlPlane.untilStatus(spec.taskId, 'STOPPED');
  expect(observed.containers[0]).toMatchObject({ status: 'STOPPED' });
  expect(observed.containers[0]).not.toHaveProperty('reason');
  expect(host.starts.size).toBe(0);
});

test('many tasks that wait for one image cost one pull', async () => {
  await using world = await open();
  const { controlPlane, host } = world;
  const gate = Promise.withResolvers<void>();
  host.fault = async ({ verb }, moment) => {
    if (verb === 'pullImage' && moment === 'before') await gate.promise;
  };
  const specs = Array.from({ length: 10 }, () => task({ main: { command: runsUntilStopped } }));
  for (const spec of specs) controlPlane.run(spec);
  await controlPlane.until(() => controlPlane.observed.size === 10);
  gate.resolve();
  for (const { taskId } of specs) await controlPlane.untilStatus(taskId, 'RUNNING');
  expect(host.calls.filter(({ verb }) => verb === 'pullImage')).toHaveLength(1);
});

test('a failure that may pass is tried again', async () => {
  await using world = await open();
  const { controlPlane, host } = world;
  let failures = 2;
  host.fault = ({ verb }, moment) => {
    if (verb !== 'startContainer' || moment !== 'before' || failures-- <= 0) return;
    throw new RuntimeFailure('CannotStartContainerError', 'containerd is restarting', { retryable: true });
  };
  const spec = task({ main: { command: runsUntilStopped } });
  controlPlane.run(spec);
  await controlPlane.untilStatus(spec.taskId, 'RUNNING');
  expect(host.startsOf(spec.taskId, 'main')).toBe(1);
});

test('while the machinery does not answer a task waits and says so, however long, and nothing that runs is taken for ended', async () => {
  await using world = await open();
  const { controlPlane, host } = world;
  const running = task({ main: { command: runsUntilStopped } });
  controlPlane.run(running);
  await controlPlane.untilStatus(running.taskId, 'RUNNING');
  let refusals = 0;
  const away = { retryable: true, isAway: true };
  host.fault = ({ verb }) => {
    if (verb === 'prepareTask' || verb === 'removeLogs' || verb === 'tasksWithLogs') return;
    refusals += 1;
    throw new RuntimeFailure('CannotCreateContainerError', 'containerd does not answer (connect ENOENT)', away);
  };
  host.missExits();
  const spec = task({ main: { command: exits(3) } });
  controlPlane.run(spec);
  await controlPlane.until(() => controlPlane.observed.get(spec.taskId)?.waiting !== undefined);
  await controlPlane.until(() => refusals > 12); // More than a step that fails is tried.
  expect(controlPlane.observed.get(spec.taskId)).toMatchObject({
    status: 'PENDING',
    waiting: { reason: expect.stringContaining('containerd does not answer (connect ENOENT)') },
  });
  expect(controlPlane.observed.get(running.taskId)?.status).toBe('RUNNING');
  host.fault = () => {};
  const ended = await controlPlane.untilStatus(spec.taskId, 'STOPPED');
  expect(ended.containers[0]?.exitCode).toBe(3);
  expect(ended).not.toHaveProperty('waiting');
  expect(host.startsOf(running.taskId, 'main')).toBe(1);
});

test('a step that takes long because the machinery hangs says so, and goes on by itself', async () => {
  await using world = await open();
  const { controlPlane, host } = world;
  const goesOn = Promise.withResolvers<void>();
  host.trouble = 'containerd does not answer (no answer in time)';
  host.fault = ({ verb }, moment) => (verb === 'createContainer' && moment === 'before' ? goesOn.promise : undefined);
  const spec = task({ main: { command: exits(4) } });
  controlPlane.run(spec);
  await controlPlane.until(() => controlPlane.observed.get(spec.taskId)?.waiting !== undefined);
  host.trouble = undefined;
  goesOn.resolve();
  expect((await controlPlane.untilStatus(spec.taskId, 'STOPPED')).containers[0]?.exitCode).toBe(4);
});

test('a start that failed in the answer only is not made twice', async () => {
  await using world = await open();
  const { controlPlane, host } = world;
  let failures = 1;
  host.fault = ({ verb }, moment) => {
    if (verb !== 'startContainer' || moment !== 'after' || failures-- <= 0) return;
    throw new RuntimeFailure('CannotStartContainerError', 'the connection broke', { retryable: true });
  };
  const spec = task({ main: { command: exits(3) } });
  controlPlane.run(spec);
  const observed = await controlPlane.untilStatus(spec.taskId, 'STOPPED');
  expect(observed.containers[0]?.exitCode).toBe(3);
  expect(host.startsOf(spec.taskId, 'main')).toBe(1);
});

test('a container that runs although its start seemed to fail is taken for what it is', async () => {
  await using world = await open();
  const { controlPlane, host } = world;
  host.fault = ({ verb }, moment) => {
    if (verb === 'startContainer' && moment === 'after') throw new Error('something unforeseen');
  };
  const spec = task({ main: { command: runsUntilStopped } });
  controlPlane.run(spec);
  const observed = await controlPlane.untilStatus(spec.taskId, 'RUNNING');
  expect(observed.containers[0]).not.toHaveProperty('reason');
  expect(host.startsOf(spec.taskId, 'main')).toBe(1);
});

test('the network is made while images are pulled', async () => {
  await using world = await open();
  const { controlPlane, host } = world;
  const isPrepared = Promise.withResolvers<void>();
  host.fault = async ({ verb }, moment) => {
    if (verb === 'pullImage' && moment === 'before') await isPrepared.promise;
    if (verb === 'prepareTask' && moment === 'after') isPrepared.resolve();
  };
  const spec = task({ main: { command: runsUntilStopped } });
  controlPlane.run(spec);
  await controlPlane.untilStatus(spec.taskId, 'RUNNING');
  expect(host.calls.filter(({ verb }) => verb === 'prepareTask')).toHaveLength(1);
});

test('a pull is given up when the network cannot be made', async () => {
  await using world = await open();
  const { controlPlane, host } = world;
  host.pullSteps = endlessPull();
  host.fault = ({ verb }, moment) => {
    if (verb === 'prepareTask' && moment === 'before')
      throw new RuntimeFailure('ContainerNetworkingError', 'host port 80/tcp is in use');
  };
  const spec = task({ main: { command: runsUntilStopped } });
  controlPlane.run(spec);
  const observed = await controlPlane.untilStatus(spec.taskId, 'STOPPED');
  expect(observed).toMatchObject({
    stopCode: 'TaskFailedToStart',
    stoppedReason: 'ContainerNetworkingError: host port 80/tcp is in use',
  });
  expect(host.tasks.size).toBe(0);
});

test('a stop does not queue behind starts that hang', async () => {
  await using world = await open();
  const { controlPlane, host } = world;
  const running = task({ main: { command: runsUntilStopped } });
  controlPlane.run(running);
  await controlPlane.untilStatus(running.taskId, 'RUNNING');
  host.fault = async ({ verb }, moment) => {
    if (verb === 'prepareTask' && moment === 'before') await new Promise(() => {});
  };
  for (let n = 0; n < 50; n += 1) controlPlane.run(task({ main: { command: runsUntilStopped } }));
  await controlPlane.until(() => controlPlane.observed.size === 51);
  controlPlane.stop(running.taskId);
  await controlPlane.untilStatus(running.taskId, 'STOPPED');
});

test('a task whose static port is still held waits until it is free', async () => {
  await using world = await open();
  const { controlPlane, host } = world;
  const portMappings = [{ containerPort: 80, hostPort: 8080, protocol: 'tcp' } as const];
  const holder = task(
    { main: { command: ignoresStop, stopTimeoutSeconds: 2, portMappings } },
    { networkMode: 'bridge' },
  );
  const heir = task({ main: { command: runsUntilStopped, portMappings } }, { networkMode: 'bridge' });
  controlPlane.run(holder);
  await controlPlane.untilStatus(holder.taskId, 'RUNNING');
  controlPlane.stop(holder.taskId);
  controlPlane.run(heir);
  const running = await controlPlane.untilStatus(heir.taskId, 'RUNNING');
  expect(controlPlane.observed.get(holder.taskId)?.status).toBe('STOPPED');
  expect(running.containers[0]?.networkBindings).toMatchObject([{ hostPort: 8080 }]);
  expect(host.calls.filter(({ verb, taskId }) => verb === 'prepareTask' && taskId === heir.taskId)).toHaveLength(1);
});

test('an outage of the control plane of any length stops nothing, and what happened meanwhile is reported after it', async () => {
  await using world = await open();
  const { controlPlane, host } = world;
  const stays = task({ main: { command: runsUntilStopped } });
  const ends = task({ main: { command: runsUntilStopped } });
  for (const spec of [stays, ends]) controlPlane.run(spec);
  for (const spec of [stays, ends]) await controlPlane.untilStatus(spec.taskId, 'RUNNING');
  controlPlane.fate = () => 503;
  controlPlane.dropSockets();
  host.exit(ends.taskId, 'main', { exitCode: 9 });
  await controlPlane.until(() => controlPlane.requests.filter((request) => request === 'report').length >= 5);
  controlPlane.fate = () => 'answered';
  const observed = await controlPlane.untilStatus(ends.taskId, 'STOPPED');
  expect(observed.containers[0]?.exitCode).toBe(9);
  expect(controlPlane.observed.get(stays.taskId)?.status).toBe('RUNNING');
  expect(host.container(stays.taskId, 'main')?.state.state).toBe('running');
});

test('reports whose answers are lost are sent again, and nothing is forgotten before an answer', async () => {
  await using world = await open();
  const { controlPlane, host } = world;
  let count = 0;
  controlPlane.fate = (request) => (request === 'report' && ++count % 2 === 1 ? 'lost' : 'answered');
  const specs = Array.from({ length: 5 }, (_, code) => task({ main: { command: exits(code) } }));
  for (const spec of specs) controlPlane.run(spec);
  for (const [code, spec] of specs.entries()) {
    const observed = await controlPlane.untilStatus(spec.taskId, 'STOPPED');
    expect(observed.containers[0]?.exitCode).toBe(code);
    expect(host.startsOf(spec.taskId, 'main')).toBe(1);
  }
});

test('a set that was read before a task was forgotten does not bring it back', async () => {
  await using world = await open();
  const { controlPlane, host } = world;
  const spec = task({ main: { command: runsUntilStopped } });
  controlPlane.run(spec);
  await controlPlane.untilStatus(spec.taskId, 'RUNNING');
  const isForgotten = Promise.withResolvers<void>();
  controlPlane.fate = (request) => (request === 'desired' ? { after: isForgotten.promise } : 'answered');
  const before = fetchesOf(controlPlane);
  controlPlane.wake();
  await controlPlane.until(() => fetchesOf(controlPlane) > before);
  host.exit(spec.taskId, 'main');
  await controlPlane.untilStatus(spec.taskId, 'STOPPED');
  await vi.waitUntil(() => readdirSync(join(world.directory, 'tasks')).length === 0, { interval: 5 });
  controlPlane.fate = () => 'answered';
  const reportsBefore = controlPlane.reports.length;
  isForgotten.resolve();
  const other = task({ main: { command: runsUntilStopped } });
  controlPlane.run(other);
  await controlPlane.untilStatus(other.taskId, 'RUNNING');
  const reportedSince = controlPlane.reports.slice(reportsBefore).flatMap(({ tasks }) => tasks);
  expect(new Set(reportedSince.map(({ taskId }) => taskId))).toEqual(new Set([other.taskId]));
  expect(host.startsOf(spec.taskId, 'main')).toBe(1);
});

test('a task that was forgotten does not come back with an answer that nothing has changed', async () => {
  await using world = await open();
  const { controlPlane, host } = world;
  const spec = task({ main: { command: exits(0) } });
  controlPlane.run(spec);
  await controlPlane.untilStatus(spec.taskId, 'STOPPED');
  await vi.waitUntil(() => readdirSync(join(world.directory, 'tasks')).length === 0, { interval: 5 });
  const reportsBefore = controlPlane.reports.length;
  const before = fetchesOf(controlPlane);
  controlPlane.dropSockets(); // The agent fetches when they are open again; the generation is the one that it knows.
  await controlPlane.until(() => fetchesOf(controlPlane) > before);
  const other = task({ main: { command: runsUntilStopped } });
  controlPlane.run(other);
  await controlPlane.untilStatus(other.taskId, 'RUNNING');
  const reportedSince = controlPlane.reports.slice(reportsBefore).flatMap(({ tasks }) => tasks);
  expect(new Set(reportedSince.map(({ taskId }) => taskId))).toEqual(new Set([other.taskId]));
  expect(host.startsOf(spec.taskId, 'main')).toBe(1);
});

test('under a new host epoch everything is reported again', async () => {
  await using world = await open();
  const { controlPlane } = world;
  const spec = task({ main: { command: runsUntilStopped } });
  controlPlane.run(spec);
  await controlPlane.untilStatus(spec.taskId, 'RUNNING');
  controlPlane.hostEpoch = 2;
  controlPlane.wake();
  await controlPlane.until(() => controlPlane.reports.some(({ hostEpoch, full }) => hostEpoch === 2 && full));
  const full = controlPlane.reports.find(({ hostEpoch }) => hostEpoch === 2);
  expect(full?.tasks).toMatchObject([{ taskId: spec.taskId, observation: { status: 'RUNNING' } }]);
});

test('from a store that it does not belong to, it takes nothing, and it says what it has', async () => {
  await using world = await open();
  const { controlPlane, host } = world;
  const spec = task({ main: { command: runsUntilStopped } });
  controlPlane.run(spec);
  await controlPlane.untilStatus(spec.taskId, 'RUNNING');
  const stranger = task({ main: { command: runsUntilStopped } });
  controlPlane.storeEpoch = 'store-2';
  controlPlane.desired.clear();
  controlPlane.run(stranger);
  await controlPlane.until(() => controlPlane.handovers.length > 0);
  expect(controlPlane.handovers).toEqual([{ storeEpoch: 'store-2', taskIds: [spec.taskId], tasks: [] }]);
  // The operator goes back to the right store: only now does the new task begin, and the old one end.
  const begun = host.calls.some(({ taskId }) => taskId === stranger.taskId);
  controlPlane.storeEpoch = 'store-1';
  controlPlane.wake();
  await controlPlane.untilStatus(stranger.taskId, 'RUNNING');
  expect(begun).toBe(false);
  await vi.waitUntil(() => !host.tasks.has(spec.taskId), { interval: 5 });
});

test('a control plane that no longer knows the host is registered with again', async () => {
  await using world = await open();
  const { controlPlane } = world;
  await controlPlane.until(() => controlPlane.openSockets === 2);
  controlPlane.fate = (request) => (request === 'register' ? 'answered' : 401);
  controlPlane.wake();
  await controlPlane.until(() => controlPlane.registrations.length === 2);
  controlPlane.fate = () => 'answered';
  const spec = task({ main: { command: exits(0) } });
  controlPlane.run(spec);
  await controlPlane.untilStatus(spec.taskId, 'STOPPED');
  expect(new Set(controlPlane.registrations.map(({ publicKey }) => publicKey)).size).toBe(1);
});

test('a lost wake-up costs time only: the heartbeat fetches too', async () => {
  await using world = await open();
  const { controlPlane } = world;
  await controlPlane.until(() => controlPlane.openSockets === 2);
  const spec = task({ main: { command: exits(0) } });
  controlPlane.dropSockets();
  controlPlane.run(spec);
  await controlPlane.untilStatus(spec.taskId, 'STOPPED');
});

test('ended by SIGTERM it leaves containers running, and the next one adopts them and their exits', async () => {
  await using world = await open();
  const { controlPlane, host, agent, start } = world;
  const stays = task({ main: { command: runsUntilStopped } });
  const ends = task({ main: { command: runsUntilStopped } });
  for (const spec of [stays, ends]) controlPlane.run(spec);
  for (const spec of [stays, ends]) await controlPlane.untilStatus(spec.taskId, 'RUNNING');
  await agent.stop();
  expect(host.container(stays.taskId, 'main')?.state.state).toBe('running');
  host.exit(ends.taskId, 'main', { exitCode: 21 });
  await using _heir = await start();
  const observed = await controlPlane.untilStatus(ends.taskId, 'STOPPED');
  expect(observed.containers[0]?.exitCode).toBe(21);
  controlPlane.stop(stays.taskId);
  await controlPlane.untilStatus(stays.taskId, 'STOPPED');
  expect([...host.starts.values()]).toEqual([1, 1]);
  expect(host.tasks.size).toBe(0);
});

test('containers of a task that nobody knows are removed', async () => {
  await using world = await open();
  const { controlPlane, host, agent, start } = world;
  await controlPlane.until(() => controlPlane.openSockets === 2);
  await agent.stop();
  const stray = task({ main: { command: runsUntilStopped } });
  const runtime = host.open();
  await runtime.prepareTask(stray);
  await runtime.createContainer(stray, 'main', { reference: 'busybox', digest: 'sha256:0' });
  await runtime.startContainer(stray.taskId, 'main');
  await using _heir = await start();
  const spec = task({ main: { command: runsUntilStopped } });
  controlPlane.run(spec);
  await controlPlane.untilStatus(spec.taskId, 'RUNNING');
  expect([...host.tasks.keys()]).toEqual([spec.taskId]);
});
