/**
 * What the runtime must know of a container beyond what containerd tells: that it was made whole, and when it was started. Kept in a
 * directory a task, which is there from the task's preparation to its removal.
 */
import { mkdirSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const containerRecordSchema = z.object({ createdAt: z.number(), startedAt: z.number().optional() });
/** Epoch milliseconds. */
export type ContainerRecord = z.infer<typeof containerRecordSchema>;

export class RuntimeFiles {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  async addTask(taskId: string): Promise<void> {
    await mkdir(join(this.#directory, taskId), { recursive: true });
  }

  async hasTask(taskId: string): Promise<boolean> {
    return (await this.tasks()).includes(taskId);
  }

  async tasks(): Promise<string[]> {
    return await readdir(this.#directory);
  }

  async removeTask(taskId: string): Promise<void> {
    await rm(join(this.#directory, taskId), { recursive: true, force: true });
  }

  /** For the files that are mounted into the container. */
  etcDirectory(taskId: string, runtimeId: string): string {
    return join(this.#directory, taskId, runtimeId, 'etc');
  }

  /** Undefined while the container is not whole. */
  async container(taskId: string, runtimeId: string): Promise<ContainerRecord | undefined> {
    try {
      return containerRecordSchema.parse(JSON.parse(await readFile(this.#recordPath(taskId, runtimeId), 'utf8')));
    } catch {
      return undefined; // There is none, or a power cut destroyed it: then its process is gone as well.
    }
  }

  async writeContainer(taskId: string, runtimeId: string, record: ContainerRecord): Promise<void> {
    const path = this.#recordPath(taskId, runtimeId);
    await mkdir(join(this.#directory, taskId, runtimeId), { recursive: true });
    await writeFile(`${path}.tmp`, JSON.stringify(record));
    await rename(`${path}.tmp`, path);
  }

  async removeContainer(taskId: string, runtimeId: string): Promise<void> {
    await rm(join(this.#directory, taskId, runtimeId), { recursive: true, force: true });
  }

  #recordPath(taskId: string, runtimeId: string): string {
    return join(this.#directory, taskId, runtimeId, 'container.json');
  }
}
