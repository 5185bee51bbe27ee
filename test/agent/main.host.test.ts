/** The agent as a process, from its source and bundled: what it is told, how it ends, and that one directory has one agent. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempDisposableSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { AgentConfigFile } from '../../agent/config.ts';
import { buildAgent } from '../../bin/build-agent.ts';
import { hostToolsPath } from '../../local/containerd.ts';
import { describeWithContainers } from '../support/containers.ts';
import { FakeControlPlane } from '../support/fake-control-plane.ts';
import { fakeInstance, startFakeMetadata } from '../support/fake-metadata.ts';
import { containerSpec, taskSpec } from './oci/task-spec.ts';
import { type RealHost, type RealMachine, startRealMachine } from './runtime/real-host.ts';
import { newTaskId } from './runtime-driver.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const entry = join(repository, 'agent/main.ts');

const { version: packageVersion } = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')));

/** A process of the agent, which is killed where it has not ended by itself. */
function spawnAgent(args: readonly string[], environment: NodeJS.ProcessEnv = {}): ChildProcess & AsyncDisposable {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: hostToolsPath(), ...environment },
  });
  const exited = once(child, 'exit');
  return Object.assign(child, {
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await exited;
    },
  });
}

const written = (stream: Readable | null) => (stream === null ? Promise.resolve('') : text(stream));

/** Its exit code and what it wrote. */
async function endOf(agent: ChildProcess): Promise<{ code: number | null; said: string; printed: string }> {
  const [said, printed] = await Promise.all([written(agent.stderr), written(agent.stdout), once(agent, 'exit')]);
  return { code: agent.exitCode, said, printed };
}

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
    return spawnAgent([entry, path]);
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
      printed: '',
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

  it('bundled into one file, joins from EC2 by its instance alone, and runs tasks', async () => {
    using bundle = mkdtempDisposableSync(join(tmpdir(), 'gantry-bundle-'));
    await using metadata = await startFakeMetadata();
    await using ownControlPlane = await FakeControlPlane.open();
    await using ec2Host = await machine.host();
    await buildAgent(repository, bundle.path);
    const { hostAddress: _, ...network } = ec2Host.config.network;
    const config = {
      platform: 'ec2',
      controlPlaneUrl: ownControlPlane.url,
      cluster: 'default',
      dataDirectory: join(bundle.path, 'data'),
      runtime: { ...ec2Host.config, network },
    };
    writeFileSync(join(bundle.path, 'agent.json'), JSON.stringify(config));
    await using agent = spawnAgent([join(bundle.path, 'agent', 'agent.mjs'), join(bundle.path, 'agent.json')], {
      AWS_EC2_METADATA_SERVICE_ENDPOINT: metadata.url,
    });
    const end = endOf(agent);
    const spec = taskSpec({
      taskId: newTaskId(),
      containers: [containerSpec({ image: machine.image, entryPoint: [], command: ['true'] })],
    });
    ownControlPlane.run(spec);
    await ownControlPlane.untilStatus(spec.taskId, 'STOPPED');
    expect(ownControlPlane.registrations[0]).toMatchObject({
      name: fakeInstance['instance-id'],
      address: fakeInstance['local-ipv4'],
      agentVersion: packageVersion,
      attributes: { 'ecs.instance-type': 'm7g.large' },
      instanceProof: { headers: { host: 'sts.eu-central-1.amazonaws.com' } },
    });
    expect(ownControlPlane.registrations[0]).not.toHaveProperty('token');
    agent.kill('SIGTERM');
    expect((await end).code).toBe(0);
  });
});

describe('the bundle of the agent', () => {
  it('says its version, and what is wrong with its configuration, with nothing of npm beside it', async () => {
    using bundle = mkdtempDisposableSync(join(tmpdir(), 'gantry-bundle-'));
    await buildAgent(repository, bundle.path);
    const file = join(bundle.path, 'agent', 'agent.mjs');
    await using version = spawnAgent([file, '--version']);
    expect(await endOf(version)).toEqual({ code: 0, printed: `${packageVersion}\n`, said: '' });
    writeFileSync(join(bundle.path, 'agent.json'), '{"platform":"ec2"}');
    await using wrong = spawnAgent([file, join(bundle.path, 'agent.json')]);
    const { code, said } = await endOf(wrong);
    expect(code).toBe(1);
    expect(said).toContain('at controlPlaneUrl');
  });

  it('ends at once when it is told to while instance metadata does not answer', async () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'gantry-bundle-'));
    const path = join(directory.path, 'agent.json');
    writeFileSync(path, JSON.stringify({ platform: 'ec2', controlPlaneUrl: 'http://127.0.0.1:1', cluster: 'default' }));
    await using agent = spawnAgent([entry, path], { AWS_EC2_METADATA_SERVICE_ENDPOINT: 'http://127.0.0.1:9' });
    if (agent.stderr !== null) await once(agent.stderr, 'data');
    const end = endOf(agent);
    agent.kill('SIGTERM');
    expect(await end).toMatchObject({ code: 0, said: expect.stringContaining('the agent has ended') });
  });
});
