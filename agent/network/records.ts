/**
 * What the agent must remember of a task's network: addresses and ports, in a file a task, written before the effect, so that an
 * agent that starts again neither hands anything out twice nor leaves anything behind. Names are derived (names.ts).
 */
import { mkdirSync } from 'node:fs';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { networkBindingSchema } from '../../core/model/task.ts';
import { NewerFormat, refuseNewer } from '../stored-format.ts';

const containerRecordSchema = z.object({
  name: z.string(),
  /** Absent in host mode. */
  address: z.ipv4().optional(),
  bindings: z.array(networkBindingSchema),
  /** In its address of the task metadata endpoint; absent where an older agent made it. */
  metadataId: z.string().optional(),
});
export type ContainerRecord = z.infer<typeof containerRecordSchema>;

const taskRecordSchema = z.object({
  version: z.literal(1),
  taskId: z.string(),
  containers: z.array(containerRecordSchema),
});
export type TaskRecord = z.infer<typeof taskRecordSchema>;

export class NetworkRecords {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  /**
   * Every record. One that cannot be read (the machine lost power while it was written) counts as a task without addresses: after
   * a power cut no network is left either. Throws NewerFormat where a newer agent wrote one.
   */
  async all(): Promise<TaskRecord[]> {
    const names = (await readdir(this.#directory)).filter((name) => name.endsWith('.json'));
    return Promise.all(names.map((name) => this.#read(name.slice(0, -'.json'.length))));
  }

  async write(record: TaskRecord): Promise<void> {
    const path = this.#path(record.taskId);
    // Not synced: what it describes does not survive what a sync would guard against.
    await writeFile(`${path}.tmp`, JSON.stringify(record));
    await rename(`${path}.tmp`, path);
  }

  async remove(taskId: string): Promise<void> {
    await rm(this.#path(taskId), { force: true });
  }

  async #read(taskId: string): Promise<TaskRecord> {
    const nothing: TaskRecord = { version: 1, taskId, containers: [] };
    const path = this.#path(taskId);
    try {
      const stored: unknown = JSON.parse(await readFile(path, 'utf8'));
      refuseNewer(path, stored, { member: 'version', format: 1 });
      return taskRecordSchema.parse(stored);
    } catch (error) {
      if (error instanceof NewerFormat) throw error;
      return nothing;
    }
  }

  #path(taskId: string): string {
    return join(this.#directory, `${taskId}.json`);
  }
}
