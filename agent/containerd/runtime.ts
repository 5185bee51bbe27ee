/**
 * The Runtime of a real host: containerd runs the containers, the kernel limits them and carries their traffic. Puts the parts
 * together and keeps the order of effects; what each part does is in its own file. Decides nothing about tasks.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { NetworkBinding } from '../../core/model/task.ts';
import type { TaskSpec } from '../../core/model/task-spec.ts';
import { type Cgroups, detectCgroups, taskLimits } from '../cgroups/cgroups.ts';
import { cgroupMounts } from '../cgroups/mounts.ts';
import { type Clock, systemClock } from '../clock.ts';
import type { RuntimeConfig } from '../config.ts';
import type { RegistryCredentials } from '../images/credentials.ts';
import { removeTemporarySnapshots } from '../images/snapshots.ts';
import { readTaskLogs, type TaskLife } from '../logs/log-reader.ts';
import { LogStore } from '../logs/log-store.ts';
import type { Bell } from '../loops/bell.ts';
import { openHostMode } from '../network/host-mode.ts';
import { TaskNetworks } from '../network/task-network.ts';
import type { ContainerState, FoundTask, HeldImage, PulledImage, PullProgress, Runtime } from '../runtime.ts';
import { type Containerd, connect, type NamespacedContainerd } from './client.ts';
import { ContainerBuilder } from './runtime-builder.ts';
import { findRecord, listRecords, removeRecord } from './runtime-containers.ts';
import { watchExits } from './runtime-exits.ts';
import { failingAs } from './runtime-failures.ts';
import { RuntimeFiles } from './runtime-files.ts';
import { openImages, type RuntimeImages } from './runtime-images.ts';
import { runtimeIdOf, taskCgroup } from './runtime-naming.ts';
import { deleteProcess, processState, signalProcess, startProcess } from './runtime-processes.ts';
import { signalNumber } from './runtime-signals.ts';
import { ContainerStates } from './runtime-states.ts';

const SIGTERM = 15;
const SIGKILL = 9;

export interface RuntimeSurroundings {
  readonly log: Logger;
  readonly clock?: Clock;
  /** Asked where the configuration has no credentials for a registry. */
  readonly registryCredentials?: RegistryCredentials | undefined;
}

/** Opens the host for an agent. Nothing that runs is touched. Throws Error where the machine lacks what containers need. */
export async function createContainerdRuntime(
  config: RuntimeConfig,
  { log, clock = systemClock, registryCredentials = async () => undefined }: RuntimeSurroundings,
): Promise<Runtime> {
  const mountInfo = readFileSync('/proc/self/mountinfo', 'utf8');
  const cgroups = detectCgroups(mountInfo);
  const networks = await TaskNetworks.open({
    network: config.network,
    owner: config.namespace,
    directory: join(config.stateDirectory, 'network'),
    hostMode: await openHostMode(config.network.netns, config.cgroupParent, cgroupMounts(mountInfo)),
  });
  await networks.makeHost().catch((error: unknown) => {
    // Tasks without a network run all the same; each that needs one tries again and says what is wrong.
    log.warn({ err: error }, 'the network for tasks cannot be made now');
  });
  const daemon = connect(config.socket);
  await removeTemporarySnapshots(daemon.withNamespace(config.namespace)).catch((error: unknown) => {
    log.warn({ err: error }, 'what an earlier agent left half-unpacked cannot be removed now, and goes within a day');
  });
  return new ContainerdRuntime({ config, cgroups, networks, daemon, clock, log, registryCredentials });
}

interface Parts {
  readonly config: RuntimeConfig;
  readonly cgroups: Cgroups;
  readonly networks: TaskNetworks;
  readonly daemon: Containerd;
  readonly clock: Clock;
  readonly log: Logger;
  readonly registryCredentials: RegistryCredentials;
}

class ContainerdRuntime implements Runtime {
  readonly #config: RuntimeConfig;
  readonly #cgroups: Cgroups;
  readonly #networks: TaskNetworks;
  readonly #clock: Clock;
  readonly #daemon: Containerd;
  readonly #containerd: NamespacedContainerd;
  readonly #files: RuntimeFiles;
  readonly #logs: LogStore;
  readonly #images: RuntimeImages;
  readonly #states: ContainerStates;
  readonly #builder: ContainerBuilder;
  readonly #exits: Disposable;
  readonly #listeners = new Set<(taskId: string | undefined) => void>();

  constructor({ config, cgroups, networks, daemon, clock, log, registryCredentials }: Parts) {
    this.#config = config;
    this.#cgroups = cgroups;
    this.#networks = networks;
    this.#clock = clock;
    this.#daemon = daemon;
    this.#containerd = daemon.withNamespace(config.namespace);
    this.#files = new RuntimeFiles(join(config.stateDirectory, 'tasks'));
    this.#logs = new LogStore(join(config.stateDirectory, 'logs'));
    this.#images = openImages(this.#containerd, config, registryCredentials);
    this.#states = new ContainerStates({
      cgroups,
      containerd: this.#containerd,
      files: this.#files,
      cgroupParent: config.cgroupParent,
    });
    this.#builder = new ContainerBuilder({
      config,
      cgroups,
      networks,
      log,
      clock,
      containerd: this.#containerd,
      files: this.#files,
      logs: this.#logs,
      images: this.#images,
    });
    const watch = { containerd: this.#daemon, namespace: config.namespace, clock, log };
    this.#exits = watchExits(watch, (runtimeId) => void this.#exited(runtimeId));
  }

  async inventory(): Promise<FoundTask[]> {
    const [found, directories, groups] = await failingAs(
      'ResourceInitializationError',
      'the containers of this host',
      () =>
        Promise.all([this.#states.all(), this.#files.tasks(), this.#cgroups.childGroups(this.#config.cgroupParent)]),
    );
    const bindings = this.#networks.inventory();
    const containers = Map.groupBy(found, ({ taskId }) => taskId);
    const taskIds = new Set([...containers.keys(), ...directories, ...groups, ...bindings.keys()]);
    return [...taskIds].map((taskId) => ({
      taskId,
      containers: (containers.get(taskId) ?? []).flatMap(({ container }) => container ?? []),
      networkBindings: bindings.get(taskId) ?? {},
    }));
  }

  async pullImage(
    reference: string,
    onProgress: (progress: PullProgress) => void,
    signal: AbortSignal,
  ): Promise<PulledImage> {
    return await failingAs('CannotPullContainerError', `image ${reference}`, () =>
      this.#images.pull(reference, onProgress, signal),
    );
  }

  async listImages(): Promise<HeldImage[]> {
    return await failingAs('ResourceInitializationError', 'the images of this host', () => this.#images.list());
  }

  async prepareTask(spec: TaskSpec): Promise<Readonly<Record<string, readonly NetworkBinding[]>>> {
    const { taskId } = spec;
    const group = taskCgroup(this.#config.cgroupParent, taskId);
    const [bindings] = await Promise.all([
      failingAs('ContainerNetworkingError', 'network', () => this.#networks.prepare(spec)),
      failingAs('ResourceInitializationError', 'limits', () => this.#cgroups.createGroup(group, taskLimits(spec))),
      failingAs('ResourceInitializationError', 'files', async () => {
        await this.#files.addTask(taskId);
        await this.#logs.announce(
          taskId,
          spec.containers.map(({ name }) => name),
        );
      }),
    ]);
    return bindings;
  }

  async createContainer(spec: TaskSpec, containerName: string, image: PulledImage): Promise<{ runtimeId: string }> {
    return await failingAs('CannotCreateContainerError', `container ${containerName}`, () =>
      this.#builder.build(spec, containerName, image),
    );
  }

  async startContainer(taskId: string, containerName: string): Promise<{ startedAt: number }> {
    const runtimeId = runtimeIdOf(taskId, containerName);
    return await failingAs('CannotStartContainerError', `container ${containerName}`, async () => {
      const record = await this.#files.container(taskId, runtimeId);
      if (record === undefined) throw new Error('it was not created, or it was removed');
      const startedAt = record.startedAt ?? this.#clock.now();
      if (record.startedAt === undefined) await this.#files.writeContainer(taskId, runtimeId, { ...record, startedAt });
      try {
        await startProcess(this.#containerd, runtimeId);
      } catch (error) {
        // It may run by an earlier call whose answer got lost; then that is what was asked for.
        const found = await processState(this.#containerd, runtimeId);
        if (found?.state === 'running') return { startedAt };
        if (found?.state === 'exited') throw new Error('it has ended already, and is not run a second time');
        if (found === undefined) throw new Error('its process is gone');
        throw error;
      }
      return { startedAt };
    });
  }

  async containerState(taskId: string, containerName: string): Promise<ContainerState | undefined> {
    return await failingAs('CannotStartContainerError', `container ${containerName}`, () =>
      this.#states.of(taskId, containerName),
    );
  }

  async signalContainer(taskId: string, containerName: string, signal: 'stop' | 'kill'): Promise<void> {
    const runtimeId = runtimeIdOf(taskId, containerName);
    await failingAs('CannotStopContainerError', `container ${containerName}`, async () => {
      const number = signal === 'kill' ? SIGKILL : await this.#stopSignal(runtimeId);
      await signalProcess(this.#containerd, runtimeId, number);
    });
  }

  async removeContainer(taskId: string, containerName: string): Promise<void> {
    await failingAs('CannotStopContainerError', `container ${containerName}`, () =>
      this.#removeContainer(taskId, runtimeIdOf(taskId, containerName)),
    );
  }

  async removeTask(taskId: string): Promise<void> {
    await failingAs('CannotStopContainerError', `task ${taskId}`, async () => {
      const records = await listRecords(this.#containerd, taskId);
      await Promise.all(records.map(({ id }) => this.#removeContainer(taskId, id)));
      await Promise.all([
        this.#networks.remove(taskId),
        this.#cgroups.removeGroup(taskCgroup(this.#config.cgroupParent, taskId)),
      ]);
      await this.#files.removeTask(taskId); // Last: while it is there the task is found.
    });
    this.#tell(taskId);
  }

  async removeLogs(taskId: string): Promise<void> {
    await this.#logs.remove(taskId);
  }

  async tasksWithLogs(): Promise<string[]> {
    return await this.#logs.tasks();
  }

  readLogs(
    taskId: string,
    options: { container?: string; tail?: number; follow: boolean; signal: AbortSignal },
  ): ReturnType<Runtime['readLogs']> {
    const life: TaskLife = {
      isOver: (id, containers) => this.#isOver(id, containers),
      ringOnChange: (id, bell) => this.#ringOnChange(id, bell),
    };
    return readTaskLogs({ store: this.#logs, life, clock: this.#clock }, taskId, options);
  }

  onExit(listener: (taskId: string | undefined) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  async close(): Promise<void> {
    this.#exits[Symbol.dispose]();
    this.#daemon.close();
  }

  async #stopSignal(runtimeId: string): Promise<number> {
    const record = await findRecord(this.#containerd, runtimeId);
    return signalNumber(record?.identity.stopSignal ?? '') ?? SIGTERM;
  }

  async #removeContainer(taskId: string, runtimeId: string): Promise<void> {
    await deleteProcess(this.#containerd, runtimeId);
    await removeRecord(this.#containerd, runtimeId);
    await this.#files.removeContainer(taskId, runtimeId);
    this.#builder.forget(runtimeId);
    this.#tell(taskId);
  }

  async #isOver(taskId: string, containers: readonly string[]): Promise<boolean> {
    if (!(await this.#files.hasTask(taskId))) return true;
    const alive = await Promise.all(
      containers.map(async (name) => {
        const state = await this.containerState(taskId, name);
        if (state !== undefined) return state.state === 'created' || state.state === 'running';
        return !(await this.#logs.isCreated(taskId, name)); // It is yet to come; otherwise it has been removed.
      }),
    );
    return !alive.includes(true);
  }

  #ringOnChange(taskId: string, bell: Bell): Disposable {
    return this.onExit((changed) => {
      if (changed === undefined || changed === taskId) bell.ring();
    });
  }

  async #exited(runtimeId: string | undefined): Promise<void> {
    if (runtimeId === undefined) return this.#tell(undefined);
    const known = this.#builder.taskOf(runtimeId);
    // Of an earlier agent's container only its record tells the task; where that cannot be had, everybody looks.
    const record =
      known === undefined ? await findRecord(this.#containerd, runtimeId).catch(() => undefined) : undefined;
    this.#tell(known ?? record?.identity.taskId);
  }

  #tell(taskId: string | undefined): void {
    for (const listener of this.#listeners) listener(taskId);
  }
}
