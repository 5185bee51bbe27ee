/**
 * What containers are answered when they ask for the metadata and the statistics of their task: from the ledger, and read from the kernel
 * when asked. Nothing is measured that nobody asks for. Only reads.
 */
import { totalmem } from 'node:os';
import type { Logger } from 'pino';
import type { RegisterRequest } from '../../core/host-protocol.ts';
import type { ContainerStats } from '../../core/model/container-stats.ts';
import type { LedgerTask } from '../../core/plan/ledger.ts';
import type { Ledger } from '../ledger.ts';
import type { MetadataAsker } from '../network/metadata-ids.ts';
import type { AnswerMetadata } from '../network/metadata-server.ts';
import type { Runtime } from '../runtime.ts';

export interface TaskMetadataDeps {
  readonly ledger: Pick<Ledger, 'get'>;
  readonly runtime: Pick<Runtime, 'containerStats'>;
  readonly host: Pick<RegisterRequest, 'address' | 'attributes'>;
  readonly log: Logger;
}

export function createTaskMetadata(deps: TaskMetadataDeps): AnswerMetadata {
  const { ledger, host, log } = deps;
  const readings = createReadings(deps);
  return async (asker, resource) => {
    const task = ledger.get(asker.taskId);
    try {
      if (task === undefined) throw new Error('the task is not in the ledger');
      const place = placeOf(host, asker);
      const { containerDocument, taskDocument } = await import('./documents.ts');
      switch (resource) {
        case 'container':
          return containerDocument(task, asker.container, place);
        case 'task':
          return taskDocument(task, place);
        case 'containerStats':
          return await readings.of(task, asker.container);
        case 'taskStats':
          return await readings.ofAll(task);
      }
    } catch (error) {
      log.warn({ err: error, taskId: asker.taskId, resource }, 'the metadata of a task cannot be told');
      throw error;
    }
  };
}

const placeOf = ({ address, attributes }: TaskMetadataDeps['host'], { addresses }: MetadataAsker) => ({
  availabilityZone: attributes['ecs.availability-zone'],
  hostAddress: address,
  addresses,
});

/** Remembers the last reading that was asked for, since clients take the difference; by task, while it is asked for. */
function createReadings({ runtime, ledger }: TaskMetadataDeps) {
  const last = new Map<string, Map<string, ContainerStats>>();

  const of = async (task: LedgerTask, name: string): Promise<unknown> => {
    const id = task.containers.find((container) => container.name === name)?.runtimeId;
    const stats = await runtime.containerStats(task.taskId, name);
    if (id === undefined || stats === undefined) return null; // As ECS, of a container that does not run.
    const { statsDocument } = await import('./stats-document.ts');
    const { dockerName } = await import('./documents.ts');
    const ofTask = last.get(task.taskId) ?? rememberTask(task.taskId);
    const before = ofTask.get(name);
    ofTask.set(name, stats);
    return statsDocument({ id, name: dockerName(task, name, id), stats, before, machineMemoryBytes: totalmem() });
  };
  const rememberTask = (taskId: string): Map<string, ContainerStats> => {
    for (const other of last.keys())
      if (ledger.get(other)?.removedAt !== undefined || ledger.get(other) === undefined) last.delete(other);
    const fresh = new Map<string, ContainerStats>();
    last.set(taskId, fresh);
    return fresh;
  };
  return {
    of,
    async ofAll(task: LedgerTask): Promise<unknown> {
      const known = task.containers.flatMap(({ name, runtimeId }) =>
        runtimeId === undefined ? [] : [{ name, runtimeId }],
      );
      const documents = await Promise.all(known.map(async ({ name, runtimeId }) => [runtimeId, await of(task, name)]));
      return Object.fromEntries(documents);
    },
  };
}
