/**
 * Makes one container of a prepared task, up to the process that waits to be started: its specification, files, record, snapshot and
 * process. It counts as whole once that is written down; a half-made one is taken away and made anew.
 */
import { existsSync } from 'node:fs';
import { arch, hostname as machineHostname, release } from 'node:os';
import { setImmediate as endOfTurn } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { ContainerSpec, TaskSpec } from '../../core/model/task-spec.ts';
import { allEnded } from '../all-ended.ts';
import type { Cgroups } from '../cgroups/cgroups.ts';
import type { Clock } from '../clock.ts';
import type { RuntimeConfig } from '../config.ts';
import type { LocalImage } from '../images/image-store.ts';
import type { LogStore } from '../logs/log-store.ts';
import { type EtcContent, writeEtcFiles } from '../network/etc-files.ts';
import type { TaskNetworks } from '../network/task-network.ts';
import { processArgs, requestedUser } from '../oci/process.ts';
import { readLimitCeilings } from '../oci/rlimits.ts';
import type { RuntimeSpec } from '../oci/runtime-spec.ts';
import { type ContainerNetwork, type MachineFacts, makeSpec } from '../oci/spec.ts';
import { resolveUser } from '../oci/user.ts';
import { type PulledImage, RuntimeFailure } from '../runtime.ts';
import type { NamespacedContainerd } from './client.ts';
import type { Mount } from './gen/types_pb.ts';
import { isAlreadyExists, isNotFound } from './grpc-error.ts';
import { ImageAccounts } from './runtime-accounts.ts';
import { createRecord, type NewContainer, removeRecord } from './runtime-containers.ts';
import { asFailure, failingAs } from './runtime-failures.ts';
import type { RuntimeFiles } from './runtime-files.ts';
import type { RuntimeImages } from './runtime-images.ts';
import { containerCgroup, runtimeIdOf } from './runtime-naming.ts';
import { createProcess, deleteProcess } from './runtime-processes.ts';

export interface BuilderParts {
  readonly config: RuntimeConfig;
  readonly containerd: NamespacedContainerd;
  readonly cgroups: Cgroups;
  readonly networks: TaskNetworks;
  readonly images: RuntimeImages;
  readonly files: RuntimeFiles;
  readonly logs: LogStore;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Read once: they are fixed while the agent runs. */
export function machineFacts({ version, swapLimits }: Cgroups): MachineFacts {
  return {
    architecture: arch(),
    kernelRelease: release(),
    cgroupVersion: version,
    swapLimits,
    ipv6: existsSync('/proc/sys/net/ipv6'),
    limitCeilings: readLimitCeilings(),
  };
}

export class ContainerBuilder {
  readonly #parts: BuilderParts;
  readonly #machine: MachineFacts;
  readonly #accounts: ImageAccounts;
  /** By runtime id, of containers that this agent made. */
  readonly #taskIds = new Map<string, string>();

  constructor(parts: BuilderParts) {
    this.#parts = parts;
    this.#accounts = new ImageAccounts(parts.containerd);
    this.#machine = machineFacts(parts.cgroups);
  }

  /** The task of a container that this agent made. */
  taskOf(runtimeId: string): string | undefined {
    return this.#taskIds.get(runtimeId);
  }

  forget(runtimeId: string): void {
    this.#taskIds.delete(runtimeId);
  }

  async build(task: TaskSpec, containerName: string, pulled: PulledImage): Promise<{ runtimeId: string }> {
    const container = task.containers.find(({ name }) => name === containerName);
    if (container === undefined) throw new Error('the task has no container of this name');
    const runtimeId = runtimeIdOf(task.taskId, containerName);
    this.#taskIds.set(runtimeId, task.taskId);
    const { files, clock } = this.#parts;
    if ((await files.container(task.taskId, runtimeId)) !== undefined) return { runtimeId };
    const image = await this.#imageOf(pulled);
    const [spec, log] = await Promise.all([
      this.#specOf(task, container, image, runtimeId),
      this.#parts.logs.create(task.taskId, containerName),
    ]);
    const rootfs = await this.#createRecord(task, container, image, runtimeId, spec);
    await allEnded([
      this.#createProcess(task, containerName, { id: runtimeId, rootfs, ...log }),
      this.#connectNetwork(task.taskId),
    ]);
    await files.writeContainer(task.taskId, runtimeId, { createdAt: clock.now() });
    return { runtimeId };
  }

  async #imageOf(pulled: PulledImage): Promise<LocalImage> {
    const image = await this.#parts.images.find(pulled);
    if (image !== undefined) return image;
    throw new Error(`the image ${pulled.reference} (${pulled.digest}) is no longer on this host`);
  }

  async #specOf(task: TaskSpec, container: ContainerSpec, image: LocalImage, runtimeId: string): Promise<RuntimeSpec> {
    const { config, networks, files } = this.#parts;
    const defaults = image.config.config ?? {};
    if (processArgs(container, defaults).length === 0)
      throw new Error(`no command was given, and the image ${image.reference} has none of its own. Set command.`);
    const place = networks.placeOf(task.taskId, container.name);
    if (task.networkMode === 'bridge' && place === undefined) throw new Error('its network was not prepared');
    const hostname = container.hostname ?? (task.networkMode === 'host' ? machineHostname() : runtimeId.slice(0, 12));
    const content: EtcContent = {
      hostname,
      address: place?.address,
      likeTheMachine: task.networkMode === 'host',
      nameServers: config.network.nameServers,
    };
    const [user, etc] = await Promise.all([
      resolveUser(requestedUser(container, defaults), this.#accounts.of(image.chainId)),
      writeEtcFiles(files.etcDirectory(task.taskId, runtimeId), content),
    ]);
    return makeSpec({
      task,
      container,
      image: defaults,
      user,
      hostname,
      etc,
      network: this.#networkOf(task, place?.netns),
      cgroupsPath: containerCgroup(config.cgroupParent, task.taskId, runtimeId),
      machine: this.#machine,
    });
  }

  #networkOf(task: TaskSpec, netns: string | undefined): ContainerNetwork {
    if (netns !== undefined) return { kind: 'namespace', path: netns };
    if (task.networkMode === 'none') return { kind: 'isolated' };
    return { kind: 'host', path: this.#parts.config.network.netns };
  }

  async #createRecord(
    task: TaskSpec,
    container: ContainerSpec,
    image: LocalImage,
    runtimeId: string,
    spec: RuntimeSpec,
  ): Promise<Mount[]> {
    const { containerd, config, images } = this.#parts;
    const record: NewContainer = {
      id: runtimeId,
      identity: {
        taskId: task.taskId,
        name: container.name,
        imageDigest: image.digest,
        stopSignal: image.config.config?.StopSignal ?? 'SIGTERM',
      },
      imageName: image.name,
      chainId: image.chainId,
      spec,
      runtimeRoot: config.runtimeRoot,
    };
    try {
      return await createRecord(containerd, record);
    } catch (error) {
      if (isNotFound(error)) images.forget(image); // Its layers are gone.
      if (!isAlreadyExists(error)) throw error;
    }
    // An earlier attempt broke off. Nothing of it has ever run.
    await deleteProcess(containerd, runtimeId);
    await removeRecord(containerd, runtimeId);
    return await createRecord(containerd, record);
  }

  async #connectNetwork(taskId: string): Promise<void> {
    await endOfTurn(); // Starting tools stops this process for milliseconds: containerd is to have been asked by then.
    await failingAs('ContainerNetworkingError', 'network', () => this.#parts.networks.whole(taskId));
  }

  async #createProcess(
    task: TaskSpec,
    containerName: string,
    process: Parameters<typeof createProcess>[1],
  ): Promise<void> {
    const { containerd, networks, config } = this.#parts;
    try {
      const pid = await createProcess(containerd, process);
      await networks.checkProcess(task, containerCgroup(config.cgroupParent, task.taskId, process.id), pid);
    } catch (error) {
      // runc looks for the program already now; for ECS' users that is the start.
      const failure = asFailure('CannotStartContainerError', `container ${containerName}`, error);
      const isProgram = failure.message.includes(': exec: ');
      throw isProgram ? failure : new RuntimeFailure('CannotCreateContainerError', failure.message, failure);
    }
  }
}
