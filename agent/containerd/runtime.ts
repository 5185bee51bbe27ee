/**
 * The Runtime of a real host: containerd runs the containers, the kernel limits them and carries their traffic. Puts the parts
 * together and keeps the order of effects; what each part does is in its own file. Decides nothing about tasks.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { ContainerStats } from '../../core/model/container-stats.ts';
import type { NetworkBinding } from '../../core/model/task.ts';
import type { TaskSpec } from '../../core/model/task-spec.ts';
import { type Cgroups, detectCgroups, taskLimits } from '../cgroups/cgroups.ts';
import { cgroupMounts } from '../cgroups/mounts.ts';
import { type Clock, systemClock } from '../clock.ts';
import type { RuntimeConfig } from '../config.ts';
import type { RegistryCredentials } from '../images/credentials.ts';
import { ImageDisk } from '../images/disk.ts';
import { removeTemporarySnapshots } from '../images/snapshots.ts';
import type { LogKeeper } from '../logs/log-keeper.ts';
import { openHostMode } from '../network/host-mode.ts';
import type { AnswerMetadata } from '../network/metadata-server.ts';
import { TaskNetworks } from '../network/task-network.ts';
import type { ContainerState, FoundTask, HeldImage, PulledImage, PullProgress, Runtime } from '../runtime.ts';
import { type Containerd, connect, type NamespacedContainerd } from './client.ts';
import { isGrpcError } from './grpc-error.ts';
import { ContainerBuilder } from './runtime-builder.ts';
import { findRecord } from './runtime-containers.ts';
import { watchExits } from './runtime-exits.ts';
import { failingAs, noAnswer } from './runtime-failures.ts';
import { RuntimeFiles } from './runtime-files.ts';
import { openImages, type RuntimeImages } from './runtime-images.ts';
import { ContainerLives } from './runtime-lives.ts';
import { openLogs, readLogs } from './runtime-logs.ts';
import { taskCgroup } from './runtime-naming.ts';
import { ContainerStates } from './runtime-states.ts';
import { StatsReader } from './runtime-stats.ts';

/** For what containerd answers at once where it answers at all. */
const answerTimeoutMs = 5000;

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
    now: () => clock.now(),
    warn: (error, message) => log.warn({ err: error }, message),
  });
  await networks.makeHost().catch((error: unknown) => {
    // Tasks without a network run all the same; each that needs one tries again and says what is wrong.
    log.warn({ err: error }, 'the network for tasks cannot be made now');
  });
  const daemon = connect(config.socket);
  const containerd = daemon.withNamespace(config.namespace);
  await removeTemporarySnapshots(containerd).catch((error: unknown) => {
    log.warn({ err: error }, 'what an earlier agent left half-unpacked cannot be removed now, and goes within a day');
  });
  const files = new RuntimeFiles(join(config.stateDirectory, 'tasks'));
  const logs = await openLogs({ config, containerd, files, clock, log });
  return new ContainerdRuntime({ config, cgroups, networks, daemon, files, logs, clock, log, registryCredentials });
}

interface Parts {
  readonly config: RuntimeConfig;
  readonly cgroups: Cgroups;
  readonly networks: TaskNetworks;
  readonly daemon: Containerd;
  readonly files: RuntimeFiles;
  readonly logs: LogKeeper;
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
  readonly #logs: LogKeeper;
  readonly images: RuntimeImages;
  readonly #states: ContainerStates;
  readonly #stats: StatsReader;
  readonly #builder: ContainerBuilder;
  readonly #lives: ContainerLives;
  readonly #exits: Disposable;
  readonly #listeners = new Set<(taskId: string | undefined) => void>();

  constructor({ config, cgroups, networks, daemon, files, logs, clock, log, registryCredentials }: Parts) {
    this.#config = config;
    this.#cgroups = cgroups;
    this.#networks = networks;
    this.#clock = clock;
    this.#daemon = daemon;
    this.#containerd = daemon.withNamespace(config.namespace);
    this.#files = files;
    this.#logs = logs;
    this.images = openImages(this.#containerd, new ImageDisk(daemon), config, { registryCredentials, log });
    const { cgroupParent } = config;
    const parts = {
      config,
      cgroups,
      cgroupParent,
      networks,
      log,
      clock,
      containerd: this.#containerd,
      files: this.#files,
    };
    this.#states = new ContainerStates(parts);
    this.#stats = new StatsReader(parts);
    this.#builder = new ContainerBuilder({ ...parts, logs: this.#logs, images: this.images });
    this.#lives = new ContainerLives({
      ...parts,
      removed: (taskId, runtimeIds) => {
        for (const runtimeId of runtimeIds) this.#builder.forget(runtimeId);
        this.#tell(taskId);
      },
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
    credentials?: string,
  ): Promise<PulledImage> {
    return await failingAs('CannotPullContainerError', `image ${reference}`, () =>
      this.images.pull(reference, onProgress, signal, credentials),
    );
  }

  async listImages(): Promise<HeldImage[]> {
    return await failingAs('ResourceInitializationError', 'the images of this host', () => this.images.list());
  }

  async prepareTask(spec: TaskSpec): Promise<Readonly<Record<string, readonly NetworkBinding[]>>> {
    const { taskId } = spec;
    const group = taskCgroup(this.#config.cgroupParent, taskId);
    const [bindings] = await Promise.all([
      failingAs('ContainerNetworkingError', 'network', () => this.#networks.prepare(spec)),
      failingAs('ResourceInitializationError', 'limits', () => this.#cgroups.createGroup(group, taskLimits(spec))),
      failingAs('ResourceInitializationError', 'files', async () => {
        await this.#files.addTask(taskId);
        await this.#logs.store.announce(
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
    return await failingAs('CannotStartContainerError', `container ${containerName}`, () =>
      this.#lives.start(taskId, containerName),
    );
  }

  async containerState(taskId: string, containerName: string): Promise<ContainerState | undefined> {
    return await failingAs('CannotStartContainerError', `container ${containerName}`, () =>
      this.#states.of(taskId, containerName),
    );
  }

  async containerStats(taskId: string, containerName: string): Promise<ContainerStats | undefined> {
    return await failingAs('ResourceInitializationError', `container ${containerName}`, () =>
      this.#stats.of(taskId, containerName),
    );
  }

  async signalContainer(taskId: string, containerName: string, signal: 'stop' | 'kill'): Promise<void> {
    await failingAs('CannotStopContainerError', `container ${containerName}`, async () => {
      await this.#logs.letGo(taskId, containerName);
      await this.#lives.signal(taskId, containerName, signal);
    });
  }

  async removeContainer(taskId: string, containerName: string): Promise<void> {
    await failingAs('CannotStopContainerError', `container ${containerName}`, async () => {
      await this.#logs.letGo(taskId, containerName);
      await this.#lives.remove(taskId, containerName);
      await this.#logs.finish(taskId, containerName);
    });
  }

  async removeTask(taskId: string): Promise<void> {
    await failingAs('CannotStopContainerError', `task ${taskId}`, async () => {
      await this.#logs.letGo(taskId);
      await this.#lives.removeAll(taskId);
      await Promise.all([
        this.#networks.remove(taskId),
        this.#cgroups.removeGroup(taskCgroup(this.#config.cgroupParent, taskId)),
      ]);
      await this.#logs.finish(taskId);
      await this.#files.removeTask(taskId); // Last: while it is there the task is found.
    });
    this.#tell(taskId);
  }

  answerMetadata(answer: AnswerMetadata): void {
    this.#networks.answerMetadata(answer);
  }

  async repairNetwork(): Promise<boolean> {
    return await failingAs('ContainerNetworkingError', 'firewall', () => this.#networks.repair());
  }

  async removeLogs(taskId: string): Promise<void> {
    await this.#logs.remove(taskId);
  }

  async tasksWithLogs(): Promise<string[]> {
    return await this.#logs.store.tasks();
  }

  readLogs(taskId: string, options: Parameters<Runtime['readLogs']>[1]): ReturnType<Runtime['readLogs']> {
    return readLogs({ runtime: this, files: this.#files, logs: this.#logs, clock: this.#clock }, taskId, options);
  }

  onExit(listener: (taskId: string | undefined) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  async trouble(): Promise<string | undefined> {
    try {
      await this.#daemon.version.version({}, { timeoutMs: answerTimeoutMs });
      return undefined;
    } catch (error) {
      return isGrpcError(error) ? noAnswer(error) : String(error);
    }
  }

  async close(): Promise<void> {
    this.#exits[Symbol.dispose]();
    this.images[Symbol.dispose]();
    await this.#logs.close();
    this.#daemon.close();
    this.#networks.close();
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
