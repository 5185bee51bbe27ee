/** What is left where agent, containerd or a shim was killed in the middle of something: it is in nobody's way, and goes with its task. */
import { mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isNotFound } from '../../../agent/containerd/grpc-error.ts';
import { snapshotter, temporaryKey } from '../../../agent/images/snapshots.ts';
import { shimsOf, startLostShim } from '../../support/containerd.ts';
import { describeWithContainers } from '../../support/containers.ts';
import { exitOf, prepare } from '../runtime-driver.ts';
import { type RealHost, type RealMachine, startRealMachine } from './real-host.ts';

describeWithContainers('a task of which something broke off', () => {
  let machine: RealMachine;
  let host: RealHost;
  const stack = new AsyncDisposableStack();
  beforeAll(async () => {
    machine = stack.use(await startRealMachine());
    host = stack.use(await machine.host());
  });
  afterAll(() => stack.disposeAsync());

  const begin = async (command = 'exit 7') =>
    await prepare({ runtime: host.runtime, image: machine.image }, { main: ['sh', '-c', command] });

  /** What an agent leaves that dies before it writes down that the container is whole. Answers the next one's runtime. */
  const dieBeforeItIsWhole = async (taskId: string, runtimeId: string) => {
    await rm(join(host.config.stateDirectory, 'tasks', taskId, runtimeId, 'container.json'));
    return await host.reopen();
  };

  it('is made though a snapshot that broke off left its directory where the next one is to be', async () => {
    const { taskId, spec, image } = await begin();
    const { leases } = machine.client.withNamespace(host.config.namespace);
    await leases.create({ id: 'before' });
    const { snapshots } = machine.client.withNamespace(host.config.namespace).withLease('before');
    const before = { snapshotter, key: 'before' };
    const { mounts } = await snapshots.prepare({ ...before, parent: '', labels: {} });
    const source = mounts[0]?.source ?? ''; // …/snapshots/NUMBER/fs
    const next = Number(basename(dirname(source))) + 1;
    mkdirSync(join(dirname(dirname(source)), `${next}`, 'fs'), { recursive: true });
    await host.runtime.createContainer(spec, 'main', image);
    await host.runtime.startContainer(taskId, 'main');
    expect((await exitOf(host.runtime, taskId)).exit.exitCode).toBe(7);
    await host.runtime.removeTask(taskId);
    await snapshots.remove(before);
    await leases.delete({ id: 'before' });
    expect(await host.leftovers()).toEqual([]);
  });

  it('leaves no half-unpacked snapshot when its agent dies: the next one takes it away, and no other', async () => {
    const { leases, snapshots } = machine.client.withNamespace(host.config.namespace);
    await leases.create({ id: 'of-the-dead' });
    const ofTheDead = machine.client.withNamespace(host.config.namespace).withLease('of-the-dead');
    const key = temporaryKey('unpacks a layer');
    const other = 'of-a-container';
    for (const made of [key, other])
      await ofTheDead.snapshots.prepare({ snapshotter, key: made, parent: '', labels: {} });
    await snapshots.stat({ snapshotter, key });
    await host.reopen();
    await expect(snapshots.stat({ snapshotter, key })).rejects.toSatisfy(isNotFound);
    await snapshots.remove({ snapshotter, key: other });
    await leases.delete({ id: 'of-the-dead' });
  });

  it('is made anew under another id, since containerd undoes what broke off by its id', async () => {
    const { taskId, spec, image } = await begin();
    const first = await host.runtime.createContainer(spec, 'main', image);
    const runtime = await dieBeforeItIsWhole(taskId, first.runtimeId);
    const second = await runtime.createContainer(spec, 'main', image);
    expect(second.runtimeId).not.toBe(first.runtimeId);
    expect(await runtime.createContainer(spec, 'main', image)).toEqual(second);
    const { containers } = machine.client.withNamespace(host.config.namespace);
    await expect(containers.get({ id: first.runtimeId })).rejects.toSatisfy(isNotFound);
    await runtime.startContainer(taskId, 'main');
    expect((await exitOf(runtime, taskId)).exit.exitCode).toBe(7);
    await runtime.removeTask(taskId);
    expect(await host.leftovers()).toEqual([]);
  });

  it('takes with it the shim that containerd lost sight of', async () => {
    const { taskId, spec, image } = await begin();
    const { runtimeId } = await host.runtime.createContainer(spec, 'main', image);
    const lost = startLostShim(machine.daemon, host.config.namespace, runtimeId);
    const runtime = await dieBeforeItIsWhole(taskId, runtimeId);
    await runtime.createContainer(spec, 'main', image);
    await runtime.startContainer(taskId, 'main');
    expect((await exitOf(runtime, taskId)).exit.exitCode).toBe(7);
    await runtime.removeContainer(taskId, 'main');
    expect(shimsOf(machine.daemon.socket, host.config.namespace)).toEqual([lost]);
    await runtime.removeTask(taskId);
    await expect.poll(() => host.leftovers(), { timeout: 5000 }).toEqual([]);
  });

  it('loses its shim while it is made, started, stopped or removed, and leaves nothing all the same', async () => {
    const killShims = () => {
      for (const pid of shimsOf(machine.daemon.socket, host.config.namespace)) process.kill(pid, 'SIGKILL');
    };
    const untilStopped = 'trap "exit 0" TERM; while :; do sleep 0.05; done';
    const { runtime } = host;
    const created = await begin(untilStopped);
    await runtime.createContainer(created.spec, 'main', created.image);
    killShims();
    await expect(runtime.startContainer(created.taskId, 'main')).rejects.toThrow(/its shim was killed/);
    expect(await runtime.containerState(created.taskId, 'main')).toEqual({ state: 'vanished' });
    const steps = {
      created: (taskId: string) => runtime.removeContainer(taskId, 'main'),
      stopped: (taskId: string) => runtime.signalContainer(taskId, 'main', 'stop'),
      removed: (taskId: string) => runtime.removeTask(taskId),
    };
    for (const step of Object.values(steps)) {
      const { taskId, spec, image } = await begin(untilStopped);
      await runtime.createContainer(spec, 'main', image);
      await runtime.startContainer(taskId, 'main');
      const done = step(taskId).catch(() => {});
      killShims();
      await done;
      await expect.poll(async () => (await runtime.containerState(taskId, 'main'))?.state).not.toBe('running');
      await runtime.removeTask(taskId);
    }
    await runtime.removeTask(created.taskId);
    await expect.poll(() => host.leftovers(), { timeout: 10_000 }).toEqual([]);
  });
});
