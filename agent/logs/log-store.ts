/**
 * Where containers' output is kept: a file for stdout and one for stderr, in a directory a container, in a directory a task. The
 * files are made before the container, because the shim only opens what is there; it writes, the agent only reads.
 */
import { mkdirSync } from 'node:fs';
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

export type Stream = 'stdout' | 'stderr';
export const streams: readonly Stream[] = ['stdout', 'stderr'];

export type LogPaths = Readonly<Record<Stream, string>>;

export class LogStore {
  readonly #directory: string;
  /** When a task's directory was made, which does not change: epoch milliseconds by task. */
  readonly #madeAt = new Map<string, number>();

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  /** Makes room for these containers; their files come with `create`. */
  async announce(taskId: string, containers: readonly string[]): Promise<void> {
    await Promise.all(containers.map((name) => mkdir(this.directoryOf(taskId, name), { recursive: true })));
  }

  /** Makes the files, and leaves them as they are if they are there. */
  async create(taskId: string, container: string): Promise<LogPaths> {
    await this.announce(taskId, [container]);
    const paths = this.paths(taskId, container);
    await Promise.all(streams.map(async (stream) => (await open(paths[stream], 'a', 0o600)).close()));
    return paths;
  }

  directoryOf(taskId: string, container: string): string {
    return join(this.#directory, taskId, container);
  }

  paths(taskId: string, container: string): LogPaths {
    const directory = this.directoryOf(taskId, container);
    return { stdout: join(directory, 'stdout'), stderr: join(directory, 'stderr') };
  }

  /** The containers of a task that have, or will have, a log. */
  async containers(taskId: string): Promise<string[]> {
    return (await listDirectory(join(this.#directory, taskId))).toSorted();
  }

  /** False for a container that is announced and was never created. */
  async isCreated(taskId: string, container: string): Promise<boolean> {
    return (await stat(this.paths(taskId, container).stdout).catch(() => undefined)) !== undefined;
  }

  /** Tasks that have a log, the one first that was made first. */
  async tasks(): Promise<string[]> {
    const tasks = await Promise.all(
      (await listDirectory(this.#directory)).map(async (taskId) => {
        const madeAt = this.#madeAt.get(taskId) ?? (await this.#timeOf(taskId));
        this.#madeAt.set(taskId, madeAt);
        return { taskId, madeAt };
      }),
    );
    return tasks.toSorted((a, b) => a.madeAt - b.madeAt).map(({ taskId }) => taskId);
  }

  async remove(taskId: string): Promise<void> {
    await rm(join(this.#directory, taskId), { recursive: true, force: true });
    this.#madeAt.delete(taskId);
  }

  async #timeOf(taskId: string): Promise<number> {
    const made = await stat(join(this.#directory, taskId)).catch(() => undefined); // Removed meanwhile.
    return made?.birthtimeMs ?? 0;
  }
}

async function listDirectory(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
