/**
 * Tasks' lives on a real host, by a real agent: what a scripted control plane asks of it, what really happens, and what it tells.
 * Ends with nothing left on the machine.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../../agent/clock.ts';
import type { TaskObservation } from '../../../core/model/task.ts';
import type { ContainerSpec, TaskSpec } from '../../../core/model/task-spec.ts';
import { busyboxImage } from '../../../local/images/busybox-image.ts';
import { shimsOf } from '../../support/containerd.ts';
import { describeWithContainers } from '../../support/containers.ts';
import { FakeControlPlane } from '../../support/fake-control-plane.ts';
import { agentDirectory, startAgent } from '../../support/test-agent.ts';
import { containerSpec, taskSpec } from '../oci/task-spec.ts';
import { exitOf, isReady, newTaskId, prepare } from '../runtime-driver.ts';
import { type RealHost, type RealMachine, startRealMachine } from './real-host.ts';

const shell = (script: string): Partial<ContainerSpec> => ({ command: ['sh', '-c', script] });
/** Says `ready`; ends with 0 and a word when it is told to stop by this signal. */
const heeds = (signal: string, word = 'stopping') =>
  shell(`trap "echo ${word}; exit 0" ${signal}; echo ready; while :; do sleep 0.05; done`);
const endsOnUsr1 = shell('trap "exit 7" USR1; echo ready; while :; do sleep 0.05; done');
const ignoresTerm = {
  ...shell('trap "" TERM; echo ready; while :; do sleep 0.05; done'),
  stopTimeoutSeconds: 1,
};

/** The members that an older version has of the same, with these values. */
function membersOf(older: unknown, value: unknown): unknown {
  if (Array.isArray(older) && Array.isArray(value)) return value.map((one) => membersOf(older[0], one));
  if (typeof older !== 'object' || older === null || typeof value !== 'object' || value === null) return value;
  const now = new Map(Object.entries(value));
  return Object.fromEntries(Object.entries(older).map(([name, then]) => [name, membersOf(then, now.get(name))]));
}

const containerOf = ({ containers }: TaskObservation, name: string) => {
  const container = containers.find((one) => one.name === name);
  if (container === undefined) throw new Error(`there is no container ${name}`);
  return container;
};

describeWithContainers('a task on a real host', () => {
  let machine: RealMachine;
  let host: RealHost;
  const stack = new AsyncDisposableStack();
  beforeAll(async () => {
    machine = stack.use(await startRealMachine());
    host = stack.use(await machine.host());
  });
  afterAll(() => stack.disposeAsync());

  /** A control plane, and agents of the host that remember in one directory. */
  async function open() {
    const controlPlane = await FakeControlPlane.open();
    const directory = agentDirectory();
    const start = () =>
      startAgent({ directory: directory.path, host: { open: () => host.reopen() }, controlPlane, clock: systemClock });
    const agent = await start();
    return {
      controlPlane,
      agent,
      start,
      directory: directory.path,
      async [Symbol.asyncDispose]() {
        await agent.stop();
        await controlPlane[Symbol.asyncDispose]();
        directory[Symbol.dispose]();
      },
    };
  }

  /** Sends SIGUSR1 past the agent, and returns when the process has ended. */
  async function endFromOutside(observed: TaskObservation, container: string): Promise<void> {
    const { runtimeId: containerId = '' } = containerOf(observed, container);
    const { tasks } = machine.client.withNamespace(host.config.namespace);
    await tasks.kill({ containerId, signal: constants.signals.SIGUSR1 });
    await tasks.wait({ containerId });
  }

  function task(containers: Readonly<Record<string, Partial<ContainerSpec>>>, more: Partial<TaskSpec> = {}): TaskSpec {
    const specs = Object.entries(containers).map(([name, container]) =>
      containerSpec({ name, image: machine.image, entryPoint: [], ...container }),
    );
    return taskSpec({ taskId: newTaskId(), networkMode: 'bridge', containers: specs, ...more });
  }

  it('runs to its end: exit code, last lines, and nothing left but its log', async () => {
    await using world = await open();
    const spec = task({ main: shell('echo hello; echo problem >&2; exit 3') }, { cpuUnits: 256, memoryMib: 64 });
    world.controlPlane.run(spec);
    const observed = await world.controlPlane.untilStatus(spec.taskId, 'STOPPED');
    expect(observed).toMatchObject({ stopCode: 'EssentialContainerExited' });
    const main = containerOf(observed, 'main');
    expect(main).toMatchObject({ exitCode: 3, oomKilled: false, status: 'STOPPED' });
    expect(main.lastLogLines?.map(({ text }) => text).toSorted()).toEqual(['hello', 'problem']);
    await expect.poll(() => host.leftovers(), { timeout: 5000 }).toEqual([]);
    expect(await host.runtime.tasksWithLogs()).toEqual([spec.taskId]);
    await host.runtime.removeLogs(spec.taskId);
  });

  it('is made whole and runs once, whenever its agent is killed while it makes a container', async () => {
    const moments = Array.from({ length: 12 }, (_, step) => step * 8); // Making one takes some 50 ms.
    const exitCodes = moments.map(async (ms) => {
      const killed = await host.reopen();
      const driven = { runtime: killed, image: machine.image };
      const { taskId, spec, image } = await prepare(driven, { main: ['sh', '-c', 'exit 7'] });
      const making = killed.createContainer(spec, 'main', image).catch(() => {});
      await delay(ms);
      await killed.close();
      const next = await host.reopen();
      await next.createContainer(spec, 'main', image);
      await next.startContainer(taskId, 'main');
      const { exit } = await exitOf(next, taskId);
      await next.removeTask(taskId);
      await making;
      return exit.exitCode;
    });
    expect(await Promise.all(exitCodes)).toEqual(moments.map(() => 7));
    expect(await host.leftovers()).toEqual([]);
  });

  it('that takes too much memory ends as such, and not as one that was killed', async () => {
    await using world = await open();
    const greedy = ['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=256M', 'count=1'];
    const spec = task({ main: { command: greedy, memoryMib: 32 } });
    world.controlPlane.run(spec);
    const main = containerOf(await world.controlPlane.untilStatus(spec.taskId, 'STOPPED'), 'main');
    expect(main).toMatchObject({ exitCode: 137, oomKilled: true });
    expect(main.reason).toMatch(/^OutOfMemoryError: /);
  });

  it("is stopped by SIGTERM, by its image's own signal, or killed when its time is up", async () => {
    await using world = await open();
    const quits = await machine.publish(await busyboxImage({ config: { StopSignal: 'SIGQUIT' } }), 'test/quits');
    const specs = {
      term: task({ main: heeds('TERM') }),
      quit: task({ main: { ...heeds('QUIT', 'quitting'), image: quits } }),
      kill: task({ main: ignoresTerm }),
    };
    const { controlPlane } = world;
    for (const spec of Object.values(specs)) controlPlane.run(spec);
    await Promise.all(Object.values(specs).map(({ taskId }) => controlPlane.untilStatus(taskId, 'RUNNING')));
    await Promise.all(Object.values(specs).map(({ taskId }) => isReady(host.runtime, taskId)));
    for (const { taskId } of Object.values(specs)) controlPlane.stop(taskId);
    const ended = async ({ taskId }: TaskSpec) => await controlPlane.untilStatus(taskId, 'STOPPED');

    const [term, quit, kill] = [await ended(specs.term), await ended(specs.quit), await ended(specs.kill)];
    expect(containerOf(term, 'main')).toMatchObject({ exitCode: 0, lastLogLines: [{}, { text: 'stopping' }] });
    expect(containerOf(quit, 'main')).toMatchObject({ exitCode: 0, lastLogLines: [{}, { text: 'quitting' }] });
    expect(containerOf(kill, 'main')).toMatchObject({ exitCode: 137, oomKilled: false });
    const { stoppingAt = 0, executionStoppedAt = 0 } = kill;
    expect(executionStoppedAt - stoppingAt, 'its stopTimeout').toBeGreaterThanOrEqual(990);
  });

  it('stops its other containers when an essential one ends, dependents first', async () => {
    await using world = await open();
    const spec = task({
      store: heeds('TERM'),
      web: { ...heeds('TERM'), dependsOn: [{ containerName: 'store', condition: 'START' }] },
      side: { ...shell('exit 0'), essential: false },
      job: {
        ...endsOnUsr1,
        dependsOn: [{ containerName: 'web', condition: 'START' }],
      },
    });
    world.controlPlane.run(spec);
    const running = await world.controlPlane.untilStatus(spec.taskId, 'RUNNING');
    for (const name of ['store', 'web', 'job']) await isReady(host.runtime, spec.taskId, name);
    await endFromOutside(running, 'job');
    const observed = await world.controlPlane.untilStatus(spec.taskId, 'STOPPED');
    expect(observed.stopCode).toBe('EssentialContainerExited');
    const [store, web, side, job] = ['store', 'web', 'side', 'job'].map((name) => containerOf(observed, name));
    expect([store?.exitCode, web?.exitCode, side?.exitCode, job?.exitCode]).toEqual([0, 0, 0, 7]);
    expect(web?.startedAt).toBeGreaterThanOrEqual(store?.startedAt ?? Number.NaN);
    expect(web?.stoppedAt).toBeLessThanOrEqual(store?.stoppedAt ?? Number.NaN);
    expect(web?.lastLogLines?.map(({ text }) => text)).toContain('stopping');
  });

  it('runs on while its agent is away, and the next agent takes it over with what happened meanwhile', async () => {
    await using world = await open();
    const { controlPlane } = world;
    const [stays, ends] = [task({ main: heeds('TERM') }), task({ main: endsOnUsr1 })];
    for (const spec of [stays, ends]) controlPlane.run(spec);
    const before = await controlPlane.untilStatus(stays.taskId, 'RUNNING');
    const ending = await controlPlane.untilStatus(ends.taskId, 'RUNNING');
    for (const { taskId } of [stays, ends]) await isReady(host.runtime, taskId);
    const shims = () => shimsOf(machine.daemon.socket, host.config.namespace).toSorted((a, b) => a - b);
    const shimsBefore = shims();
    await world.agent.stop();
    await endFromOutside(ending, 'main');
    expect(await host.runtime.containerState(stays.taskId, 'main')).toMatchObject({ state: 'running' });
    expect(shims()).toEqual(shimsBefore);

    const heir = await world.start();
    const ended = await controlPlane.untilStatus(ends.taskId, 'STOPPED');
    expect(ended.stopCode).toBe('EssentialContainerExited');
    expect(containerOf(ended, 'main').exitCode).toBe(7);
    controlPlane.stop(stays.taskId);
    const after = await controlPlane.untilStatus(stays.taskId, 'STOPPED');
    expect(containerOf(after, 'main')).toMatchObject({
      exitCode: 0,
      runtimeId: containerOf(before, 'main').runtimeId,
      startedAt: containerOf(before, 'main').startedAt,
    });
    await heir.stop();
  });

  it('is taken over as an agent of the version before left it, running, with files that hold what that one wrote', async () => {
    await using world = await open();
    const { controlPlane } = world;
    const spec = task({
      main: { ...heeds('TERM'), portMappings: [{ containerPort: 8000, hostPort: 0, protocol: 'tcp' }] },
    });
    controlPlane.run(spec);
    const before = containerOf(await controlPlane.untilStatus(spec.taskId, 'RUNNING'), 'main');
    await isReady(host.runtime, spec.taskId);
    await world.agent.stop();
    const older = JSON.parse(readFileSync(new URL('./files-of-a81c4a6.json', import.meta.url), 'utf8'));
    const state = host.config.stateDirectory;
    const files = {
      ledger: join(world.directory, 'tasks', `${spec.taskId}.json`),
      admission: join(world.directory, 'host.json'),
      network: join(state, 'network', `${spec.taskId}.json`),
      container: join(state, 'tasks', spec.taskId, before.runtimeId ?? '', 'container.json'),
    };
    for (const [name, path] of Object.entries(files))
      writeFileSync(path, JSON.stringify(membersOf(older[name], JSON.parse(readFileSync(path, 'utf8')))));

    const heir = await world.start();
    controlPlane.stop(spec.taskId);
    const after = containerOf(await controlPlane.untilStatus(spec.taskId, 'STOPPED'), 'main');
    expect(after).toMatchObject({ exitCode: 0, runtimeId: before.runtimeId, networkBindings: before.networkBindings });
    expect(after.lastLogLines?.map(({ text }) => text)).toContain('stopping');
    await heir.stop();
  });

  it('outlives containerd, and ends with a reason of its own and no exit code when its shim is killed', async () => {
    await using world = await open();
    const { controlPlane } = world;
    const [spec, other] = [task({ main: heeds('TERM'), side: heeds('TERM') }), task({ main: heeds('TERM') })];
    for (const one of [spec, other]) controlPlane.run(one);
    await Promise.all([spec, other].map(({ taskId }) => controlPlane.untilStatus(taskId, 'RUNNING')));
    await isReady(host.runtime, spec.taskId, 'side');
    await machine.daemon.stop('SIGKILL');
    expect(await host.runtime.trouble()).toMatch(/^containerd does not answer \(/);
    await machine.daemon.resume();
    expect(await host.runtime.trouble()).toBeUndefined();
    expect(await host.runtime.containerState(spec.taskId, 'main')).toMatchObject({ state: 'running' });
    const before = controlPlane.observed.get(spec.taskId);
    const ids = before?.containers.map(({ runtimeId }) => runtimeId);
    const shims = shimsOf(machine.daemon.socket, host.config.namespace).filter((pid) =>
      ids?.some((id = '') => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(id)),
    );
    expect(shims).toHaveLength(1);
    for (const pid of shims) process.kill(pid, 'SIGKILL');
    const observed = await controlPlane.untilStatus(spec.taskId, 'STOPPED');
    expect(observed.stopCode).toBe('EssentialContainerExited');
    expect(observed.stoppedReason).toMatch(
      /^Essential container in task exited \(container '.+': ContainerVanishedError: its shim/,
    );
    for (const container of observed.containers) {
      expect(container).not.toHaveProperty('exitCode');
      expect(container.reason).toMatch(/^ContainerVanishedError: its shim was killed, or crashed/);
    }
    expect(await host.runtime.containerState(other.taskId, 'main')).toMatchObject({ state: 'running' });
    controlPlane.stop(other.taskId);
    expect(containerOf(await controlPlane.untilStatus(other.taskId, 'STOPPED'), 'main').exitCode).toBe(0);
  });

  it('leaves nothing', async () => {
    await expect.poll(() => host.leftovers(), { timeout: 10_000 }).toEqual([]);
  });
});
