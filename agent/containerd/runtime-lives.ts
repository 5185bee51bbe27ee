/**
 * What is done to one container that was made: it is started once, signalled, and removed with everything that is left of it, of
 * attempts to make it that broke off as well. Never makes one, and decides nothing.
 */
import type { Clock } from '../clock.ts';
import type { NamespacedContainerd } from './client.ts';
import { type FoundRecord, findRecord, listRecords, removeRecord } from './runtime-containers.ts';
import type { RuntimeFiles } from './runtime-files.ts';
import { earlierIds, runtimeIdOf } from './runtime-naming.ts';
import { deleteProcess, processState, signalProcess, startProcess } from './runtime-processes.ts';
import { killShims, removeRemains } from './runtime-remains.ts';
import { signalNumber } from './runtime-signals.ts';

const SIGTERM = 15;
const SIGKILL = 9;

export interface LifeParts {
  readonly containerd: NamespacedContainerd;
  readonly files: RuntimeFiles;
  readonly clock: Clock;
  /** Where runc keeps what is this host's. */
  readonly config: { readonly runtimeRoot: string; readonly namespace: string };
  /** Nothing of these is left. */
  readonly removed: (taskId: string, runtimeIds: readonly string[]) => void;
}

export class ContainerLives {
  readonly #parts: LifeParts;

  constructor(parts: LifeParts) {
    this.#parts = parts;
  }

  async start(taskId: string, containerName: string): Promise<{ startedAt: number }> {
    const { files, clock, containerd } = this.#parts;
    const record = await files.container(taskId, containerName);
    if (record === undefined) throw new Error('it was not created, or it was removed');
    const runtimeId = runtimeIdOf(taskId, containerName, record.attempt);
    const startedAt = record.startedAt ?? clock.now();
    if (record.startedAt === undefined) await files.writeContainer(taskId, containerName, { ...record, startedAt });
    try {
      await startProcess(containerd, runtimeId);
    } catch (error) {
      // It may run by an earlier call whose answer got lost; then that is what was asked for.
      const found = await processState(containerd, runtimeId);
      if (found?.state === 'running') return { startedAt };
      if (found?.state === 'exited') throw new Error('it has ended already, and is not run a second time');
      if (found === undefined) throw new Error('its process is gone: its shim was killed, or crashed');
      throw error;
    }
    return { startedAt };
  }

  async signal(taskId: string, containerName: string, signal: 'stop' | 'kill'): Promise<void> {
    const { files, containerd } = this.#parts;
    const runtimeId = await files.runtimeId(taskId, containerName);
    if (runtimeId === undefined) return;
    const number = signal === 'kill' ? SIGKILL : await this.#stopSignal(runtimeId);
    await signalProcess(containerd, runtimeId, number);
  }

  async remove(taskId: string, containerName: string): Promise<void> {
    const { files, containerd } = this.#parts;
    const record = await files.container(taskId, containerName);
    const last = record?.attempt ?? lastAttemptOf(await listRecords(containerd, taskId, containerName));
    await this.#remove(taskId, containerName, last);
  }

  /** All containers of the task, and the shims that serve none of them. */
  async removeAll(taskId: string): Promise<void> {
    const { containerd, files, config } = this.#parts;
    // containerd looks at every container of the host to find those of one task.
    if (!(await files.areContainersGone(taskId))) {
      const byName = Map.groupBy(await listRecords(containerd, taskId), ({ identity }) => identity.name);
      await Promise.all([...byName].map(([name, attempts]) => this.#remove(taskId, name, lastAttemptOf(attempts))));
    }
    const lost = await files.lostContainers(taskId);
    if (lost.length > 0) await killShims(config.namespace, lost);
  }

  async #remove(taskId: string, containerName: string, lastAttempt: number): Promise<void> {
    const { files, containerd, config, removed } = this.#parts;
    const runtimeIds = earlierIds(taskId, containerName, lastAttempt + 1);
    for (const [attempt, runtimeId] of runtimeIds.entries()) {
      const wasThere = await deleteProcess(containerd, runtimeId);
      const brokeOff = attempt < lastAttempt;
      const isLost = brokeOff || (!wasThere && (await findRecord(containerd, runtimeId)) !== undefined);
      if (isLost) await files.noteLost(taskId, runtimeId);
      await removeRecord(containerd, runtimeId);
      if (isLost) await removeRemains(config, runtimeId);
    }
    await files.removeContainer(taskId, containerName);
    removed(taskId, runtimeIds);
  }

  async #stopSignal(runtimeId: string): Promise<number> {
    const record = await findRecord(this.#parts.containerd, runtimeId);
    return signalNumber(record?.identity.stopSignal ?? '') ?? SIGTERM;
  }
}

const lastAttemptOf = (records: readonly FoundRecord[]): number =>
  Math.max(0, ...records.map(({ identity }) => identity.attempt));
