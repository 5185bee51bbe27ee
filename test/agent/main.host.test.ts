/** The agent as a process: what it is told, how it ends, and that one directory has one agent. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { AgentConfigFile } from '../../agent/config.ts';
import { hostToolsPath } from '../../local/containerd.ts';
import { describeWithContainers } from '../support/containers.ts';
import { FakeControlPlane } from '../support/fake-control-plane.ts';
import { containerSpec, taskSpec } from './oci/task-spec.ts';
import { type RealHost, type RealMachine, startRealMachine } from './runtime/real-host.ts';
import { newTaskId } from './runtime-driver.ts';

const entry = fileURLToPath(import.meta.resolve('../../agent/main.ts'));

describeWithContainers("the agent's process", () => {
  let machine: RealMachine;
  let host: RealHost;
  let controlPlane: FakeControlPlane;
  const stack = new AsyncDisposableStack();
  beforeAll(async () => {
    machine = stack.use(await startRealMachine());
    host = stack.use(await machine.host());
    controlPlane = stack.use(await FakeControlPlane.open());
  });
  afterAll(() => stack.disposeAsync());

  const directory = () => join(machine.daemon.dir, 'agent');
  const pidFile = () => join(machine.daemon.dir, 'agent.pid');

  function start(changes: Partial<Record<keyof AgentConfigFile, unknown>> = {}): ChildProcess & AsyncDisposable {
    const config = {
      controlPlaneUrl: controlPlane.url,
      joinToken: 'token',
      cluster: 'default',
      hostName: 'host-1',
      address: '127.0.0.1',
      cpuUnits: 1024,
      memoryMib: 1024,
      dataDirectory: directory(),
      pidFile: pidFile(),
      runtime: host.config,
    } satisfies AgentConfigFile;
    const path = join(machine.daemon.dir, 'agent.json');
    writeFileSync(path, JSON.stringify({ ...config, ...changes }));
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', entry, path], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH: hostToolsPath() },
    });
    const exited = once(child, 'exit');
    return Object.assign(child, {
      async [Symbol.asyncDispose]() {
        if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
        await exited;
      },
    });
  }

  /** Its exit code and what it wrote. */
  async function endOf(agent: ChildProcess): Promise<{ code: number | null; said: string }> {
    const [said] = await Promise.all([agent.stderr === null ? '' : text(agent.stderr), once(agent, 'exit')]);
    return { code: agent.exitCode, said };
  }

  it('runs tasks until SIGTERM, ends with 0, and leaves their containers to the next one', async () => {
    const command = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.05; done'];
    const containers = [containerSpec({ image: machine.image, entryPoint: [], command, stopTimeoutSeconds: 1 })];
    const spec = taskSpec({ taskId: newTaskId(), containers });
    await using first = start();
    const end = endOf(first);
    controlPlane.run(spec);
    const before = await controlPlane.untilStatus(spec.taskId, 'RUNNING');
    expect(Number(readFileSync(pidFile(), 'utf8'))).toBe(first.pid);
    expect(controlPlane.registrations[0]).toMatchObject({ name: 'host-1', cpuUnits: 1024, token: 'token' });

    await using second = start();
    expect(await endOf(second)).toEqual({
      code: 1,
      said: `Another agent is running with the data directory ${directory()}.\n`,
    });

    first.kill('SIGTERM');
    expect((await end).code).toBe(0);
    expect(existsSync(pidFile())).toBe(false);
    expect(await host.runtime.containerState(spec.taskId, 'main')).toMatchObject({ state: 'running' });

    await using third = start();
    const reports = controlPlane.reports.length;
    await controlPlane.until(() => controlPlane.reports.length > reports);
    third.kill('SIGKILL'); // The lock goes with the process, however it ends.
    await endOf(third);
    await using fourth = start();
    controlPlane.stop(spec.taskId);
    const after = await controlPlane.untilStatus(spec.taskId, 'STOPPED');
    expect(after.containers[0]?.runtimeId).toBe(before.containers[0]?.runtimeId);
    expect(after.containers[0]?.exitCode).toBe(0);
    fourth.kill('SIGINT');
    expect((await endOf(fourth)).code).toBe(0);
    await expect.poll(() => host.leftovers(), { timeout: 5000 }).toEqual([]);
  });

  it('says which member of its configuration is wrong, before anything is made', async () => {
    await using agent = start({ cpuUnits: 'many', dataDirectory: join(machine.daemon.dir, 'never') });
    const { code, said } = await endOf(agent);
    expect(code).toBe(1);
    expect(said).toContain('agent.json is wrong');
    expect(said).toContain('at cpuUnits');
    expect(existsSync(join(machine.daemon.dir, 'never'))).toBe(false);
  });
});
