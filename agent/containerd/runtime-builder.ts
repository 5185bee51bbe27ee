/**
 * Makes one container of a prepared task, up to the process that waits to be started: its specification, files, record, snapshot and
 * process. It counts as whole once that is written down; a half-made one is made anew under another id, and then taken away.
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
import type { LogKeeper } from '../logs/log-keeper.ts';
import type { LogPaths } from '../logs/log-store.ts';
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
import { createRecord, listRecords, type NewContainer, removeRecord } from './runtime-containers.ts';
import { asFailure, failingAs } from './runtime-failures.ts';
import type { RuntimeFiles } from './runtime-files.ts';
import type { RuntimeImages } from './runtime-images.ts';
import { containerCgroup, earlierIds, runtimeIdOf, shimGroupOf } from './runtime-naming.ts';
import { createProcess, deleteProcess, processState } from './runtime-processes.ts';

export interface BuilderParts {
  readonly config: RuntimeConfig;
  readonly containerd: NamespacedContainerd;
  readonly cgroups: Cgroups;
  readonly networks: TaskNetworks;
  readonly images: RuntimeImages;
  readonly files: RuntimeFiles;
  readonly logs: LogKeeper;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Wanted {
  readonly task: TaskSpec;
  readonly container: ContainerSpec;
  readonly image: LocalImage;
}

/** One attempt to make a container, with what its process takes. */
interface Attempt extends LogPaths {
  readonly number: number;
  readonly containerName: string;
  readonly runtimeId: string;
  readonly rootfs: readonly Mount[];
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
    const there = await this.#whole(task.taskId, containerName);
    if (there !== undefined) return { runtimeId: there };
    const image = await this.#imageOf(pulled);
    const attempt = await this.#makeRecord({ task, container, image });
    const { runtimeId } = attempt;
    this.#taskIds.set(runtimeId, task.taskId);
    await allEnded([
      this.#createProcess(task, attempt),
      this.#connectNetwork(task.taskId),
      this.#removeEarlier(task.taskId, containerName, attempt.number),
    ]);
    const record = { createdAt: this.#parts.clock.now(), attempt: attempt.number };
    await this.#parts.files.writeContainer(task.taskId, containerName, record);
    return { runtimeId };
  }

  /** The id of a container that is made already, and needs no more than to be started; what has been started is never made again. */
  async #whole(taskId: string, containerName: string): Promise<string | undefined> {
    const record = await this.#parts.files.container(taskId, containerName);
    if (record === undefined) return undefined;
    const runtimeId = runtimeIdOf(taskId, containerName, record.attempt);
    this.#taskIds.set(runtimeId, taskId);
    const isThere =
      record.startedAt !== undefined || (await processState(this.#parts.containerd, runtimeId)) !== undefined;
    return isThere ? runtimeId : undefined;
  }

  async #imageOf(pulled: PulledImage): Promise<LocalImage> {
    const image = await this.#parts.images.find(pulled);
    if (image !== undefined) return image;
    throw new Error(`the image ${pulled.reference} (${pulled.digest}) is no longer on this host`);
  }

  async #specOf({ task, container, image }: Wanted, number: number, runtimeId: string): Promise<RuntimeSpec> {
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
      writeEtcFiles(files.etcDirectory(task.taskId, container.name), content),
    ]);
    return makeSpec({
      task,
      container,
      image: defaults,
      user,
      hostname,
      etc,
      network: this.#networkOf(task, place?.netns),
      metadataUri: networks.metadataUriOf(task.taskId, container.name),
      cgroupsPath: containerCgroup(config.cgroupParent, task.taskId, runtimeId),
      shimGroup: shimGroupOf(task.taskId, number),
      machine: this.#machine,
    });
  }

  #networkOf(task: TaskSpec, netns: string | undefined): ContainerNetwork {
    if (netns !== undefined) return { kind: 'namespace', path: netns };
    if (task.networkMode === 'none') return { kind: 'isolated' };
    return { kind: 'host', path: this.#parts.config.network.netns };
  }

  /** Where an earlier attempt has left its record, a further one is begun. */
  async #makeRecord(wanted: Wanted): Promise<Attempt> {
    const { taskId } = wanted.task;
    const { name } = wanted.container;
    try {
      return await this.#attempt(wanted, 0);
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
    const earlier = await listRecords(this.#parts.containerd, taskId, name);
    const last = Math.max(0, ...earlier.map(({ identity }) => identity.attempt));
    return await this.#attempt(wanted, last + 1);
  }

  async #attempt(wanted: Wanted, number: number): Promise<Attempt> {
    const { containerd, config, images, logs } = this.#parts;
    const { task, container, image } = wanted;
    const runtimeId = runtimeIdOf(task.taskId, container.name, number);
    const [spec, paths] = await Promise.all([
      this.#specOf(wanted, number, runtimeId),
      logs.create(task.taskId, container.name, container.log),
    ]);
    const record: NewContainer = {
      id: runtimeId,
      identity: {
        taskId: task.taskId,
        name: container.name,
        imageDigest: image.digest,
        stopSignal: image.config.config?.StopSignal ?? 'SIGTERM',
        attempt: number,
      },
      imageName: image.name,
      chainId: image.chainId,
      spec,
      runtimeRoot: config.runtimeRoot,
    };
    try {
      return {
        number,
        containerName: container.name,
        runtimeId,
        rootfs: await createRecord(containerd, record),
        ...paths,
      };
    } catch (error) {
      if (isNotFound(error)) images.forget(image); // Its layers are gone.
      throw error;
    }
  }

  /** Of attempts that broke off, none of which has ever run. What cannot be removed now goes with the container. */
  async #removeEarlier(taskId: string, containerName: string, attempt: number): Promise<void> {
    const { containerd, files, log } = this.#parts;
    for (const runtimeId of earlierIds(taskId, containerName, attempt)) {
      try {
        await files.noteLost(taskId, runtimeId);
        await deleteProcess(containerd, runtimeId);
        await removeRecord(containerd, runtimeId);
      } catch (error) {
        log.warn({ taskId, runtimeId, err: error }, 'an attempt to make a container cannot be cleared away now');
      }
    }
  }

  async #connectNetwork(taskId: string): Promise<void> {
    await endOfTurn(); // Starting tools stops this process for milliseconds: containerd is to have been asked by then.
    await failingAs('ContainerNetworkingError', 'network', () => this.#parts.networks.whole(taskId));
  }

  async #createProcess(task: TaskSpec, { containerName, runtimeId, ...rest }: Attempt): Promise<void> {
    const { containerd, networks, config } = this.#parts;
    try {
      const pid = await createProcess(containerd, { id: runtimeId, ...rest });
      await networks.checkProcess(task, containerCgroup(config.cgroupParent, task.taskId, runtimeId), pid);
    } catch (error) {
      // runc looks for the program already now; for ECS' users that is the start.
      const failure = asFailure('CannotStartContainerError', `container ${containerName}`, error);
      const isProgram = failure.message.includes(': exec: ');
      throw isProgram ? failure : new RuntimeFailure('CannotCreateContainerError', failure.message, failure);
    }
  }
}
