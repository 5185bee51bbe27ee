/**
 * How a container is: what its record on this host, its process in containerd and, once that has ended, its cgroup say together.
 * Only looks; a process that has ended is not deleted here, because its exit would be lost.
 */
import type { Cgroups } from '../cgroups/cgroups.ts';
import type { ContainerExit, ContainerState, FoundContainer } from '../runtime.ts';
import type { NamespacedContainerd } from './client.ts';
import { type FoundRecord, listRecords } from './runtime-containers.ts';
import type { ContainerRecord, RuntimeFiles } from './runtime-files.ts';
import { containerCgroup, runtimeIdOf } from './runtime-naming.ts';
import { allProcessStates, type ProcessState, processState } from './runtime-processes.ts';

export interface StateSources {
  readonly containerd: NamespacedContainerd;
  readonly files: RuntimeFiles;
  readonly cgroups: Cgroups;
  readonly cgroupParent: string;
}

export class ContainerStates {
  readonly #sources: StateSources;

  constructor(sources: StateSources) {
    this.#sources = sources;
  }

  /** A container that is not whole yet does not exist for anyone but who makes it. */
  async of(taskId: string, containerName: string): Promise<ContainerState | undefined> {
    const { files, containerd } = this.#sources;
    const record = await files.container(taskId, containerName);
    if (record === undefined) return undefined;
    const runtimeId = runtimeIdOf(taskId, containerName, record.attempt);
    return await this.#state(taskId, runtimeId, record, await processState(containerd, runtimeId));
  }

  /** Every container that has a record, with its task; of a half-made one only the task. */
  async all(): Promise<{ readonly taskId: string; readonly container?: FoundContainer }[]> {
    const { containerd } = this.#sources;
    const [records, processes] = await Promise.all([listRecords(containerd), allProcessStates(containerd)]);
    return await Promise.all(records.map((record) => this.#found(record, processes.get(record.id))));
  }

  async #found(
    { id, identity }: FoundRecord,
    process: ProcessState | undefined,
  ): Promise<{ taskId: string; container?: FoundContainer }> {
    const { taskId, name, imageDigest, attempt } = identity;
    const record = await this.#sources.files.container(taskId, name);
    if (record === undefined || record.attempt !== attempt) return { taskId };
    const status = await this.#state(taskId, id, record, process);
    return { taskId, container: { name, runtimeId: id, imageDigest, status } };
  }

  async #state(
    taskId: string,
    runtimeId: string,
    record: ContainerRecord,
    process: ProcessState | undefined,
  ): Promise<ContainerState> {
    switch (process?.state) {
      case undefined:
        return { state: 'vanished' };
      case 'created':
        return { state: 'created' };
      case 'running':
        return { state: 'running', startedAt: record.startedAt ?? record.createdAt };
      case 'exited':
        return { state: 'exited', exit: await this.#exit(taskId, runtimeId, process) };
    }
  }

  async #exit(
    taskId: string,
    runtimeId: string,
    { exitCode, at }: Extract<ProcessState, { state: 'exited' }>,
  ): Promise<ContainerExit> {
    const { cgroups, cgroupParent } = this.#sources;
    // The group goes with the process' deletion: until then the kernel's count is the only witness.
    const kills = await cgroups.oomKills(containerCgroup(cgroupParent, taskId, runtimeId));
    return { exitCode, oomKilled: kills > 0, at };
  }
}
