/**
 * What the runtime must know of a container beyond what containerd tells: that it was made whole, in which attempt, and when it was
 * started. Kept in a directory a task, which is there from the task's preparation to its removal.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { runtimeIdOf } from './runtime-naming.ts';

/** Times are epoch milliseconds. */
const containerRecordSchema = z.object({
  createdAt: z.number(),
  startedAt: z.number().optional(),
  attempt: z.number().int().default(0),
});
export type ContainerRecord = z.infer<typeof containerRecordSchema>;

const lostDirectory = 'lost';

export class RuntimeFiles {
  readonly #directory: string;
  /** What was written in this agent's life, by path: nobody else writes it. */
  readonly #written = new Map<string, ContainerRecord>();
  /** Tasks that were new to this host in this agent's life: nothing of theirs was made before. */
  readonly #fresh = new Set<string>();

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  async addTask(taskId: string): Promise<void> {
    const made = await mkdir(join(this.#directory, taskId), { recursive: true });
    if (made !== undefined) this.#fresh.add(taskId);
  }

  async hasTask(taskId: string): Promise<boolean> {
    return (await this.tasks()).includes(taskId);
  }

  async tasks(): Promise<string[]> {
    return await readdir(this.#directory);
  }

  async removeTask(taskId: string): Promise<void> {
    this.#fresh.delete(taskId); // Before its directory goes, which `areContainersGone` looks into.
    await rm(join(this.#directory, taskId), { recursive: true, force: true });
    const below = join(this.#directory, taskId, '/');
    for (const path of this.#written.keys()) if (path.startsWith(below)) this.#written.delete(path);
  }

  /**
   * Whether the files say for certain that containerd has no container of the task: all that were made had a directory before they had
   * a record there. False where an earlier agent, or a power cut, may have left more than is written here.
   */
  async areContainersGone(taskId: string): Promise<boolean> {
    if (!this.#fresh.has(taskId)) return false;
    return (await readdir(join(this.#directory, taskId))).every((name) => name === lostDirectory);
  }

  /** For the files that are mounted into the container. */
  etcDirectory(taskId: string, containerName: string): string {
    return join(this.#directoryOf(taskId, containerName), 'etc');
  }

  /**
   * Undefined while the container is not whole. Where it cannot be read (a disk error; a power cut, after which its process is gone as
   * well) the container counts as made and started when the file was: what runs is never taken for what is not there.
   */
  async container(taskId: string, containerName: string): Promise<ContainerRecord | undefined> {
    const path = this.#recordPath(taskId, containerName);
    return this.#written.get(path) ?? (this.#fresh.has(taskId) ? undefined : await readRecord(path));
  }

  /** Its id in containerd; undefined while it is not whole. */
  async runtimeId(taskId: string, containerName: string): Promise<string | undefined> {
    const record = await this.container(taskId, containerName);
    return record === undefined ? undefined : runtimeIdOf(taskId, containerName, record.attempt);
  }

  /** The directory is there since the files for `etc` were written. */
  async writeContainer(taskId: string, containerName: string, record: ContainerRecord): Promise<void> {
    const path = this.#recordPath(taskId, containerName);
    await writeFile(`${path}.tmp`, JSON.stringify(record));
    await rename(`${path}.tmp`, path);
    this.#written.set(path, record);
  }

  async removeContainer(taskId: string, containerName: string): Promise<void> {
    this.#written.delete(this.#recordPath(taskId, containerName));
    await rm(this.#directoryOf(taskId, containerName), { recursive: true, force: true });
  }

  /** That making the container broke off, or that containerd knew it and no process of it when it was to be removed. Kept with the task. */
  async noteLost(taskId: string, runtimeId: string): Promise<void> {
    await mkdir(this.#lostDirectory(taskId), { recursive: true });
    await writeFile(join(this.#lostDirectory(taskId), runtimeId), '');
  }

  /** Their ids in containerd. */
  async lostContainers(taskId: string): Promise<string[]> {
    return existsSync(this.#lostDirectory(taskId)) ? await readdir(this.#lostDirectory(taskId)) : [];
  }

  #lostDirectory(taskId: string): string {
    return join(this.#directory, taskId, lostDirectory);
  }

  /** Called after its first attempt, whichever it is made in: a name may have characters, and a length, that a directory's may not. */
  #directoryOf(taskId: string, containerName: string): string {
    return join(this.#directory, taskId, runtimeIdOf(taskId, containerName));
  }

  #recordPath(taskId: string, containerName: string): string {
    return join(this.#directoryOf(taskId, containerName), 'container.json');
  }
}

async function readRecord(path: string): Promise<ContainerRecord | undefined> {
  try {
    return containerRecordSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    const file = await stat(path).catch(() => undefined);
    return file === undefined ? undefined : { createdAt: file.mtimeMs, startedAt: file.mtimeMs, attempt: 0 };
  }
}
