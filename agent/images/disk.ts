/**
 * The disk that images are on: how full it is, and the watch that ends a pull before it takes what the host needs for itself. A layer
 * says nothing of how large it is once it is unpacked, so what fills the disk is noticed only while it does.
 */
import { execFile } from 'node:child_process';
import { statfs } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Containerd } from '../containerd/client.ts';
import type { DiskUse } from '../runtime.ts';
import { snapshotter, snapshotterPlugin } from './snapshots.ts';

/** Only while a pull is under way. */
const watchEveryMs = 250;
const longestReserveBytes = 1024 ** 3;

/** What pulls leave free for everything else: a fiftieth of the disk, at most 1 GiB. */
export const reserveBytes = ({ totalBytes }: DiskUse): number => Math.min(longestReserveBytes, totalBytes / 50);

/** Pulls must not go on. */
class NoSpaceLeft extends Error {
  override readonly name = 'NoSpaceLeft';
}

export class ImageDisk {
  readonly #introspection: Containerd['introspection'];
  #root: string | undefined;

  constructor({ introspection }: Pick<Containerd, 'introspection'>) {
    this.#introspection = introspection;
  }

  async use(): Promise<DiskUse> {
    const { bsize, blocks, bavail } = await statfs(await this.#path());
    return { totalBytes: bsize * blocks, freeBytes: bsize * bavail };
  }

  /** Returns when all that was written to its file system is there also after a loss of power. Throws Error. */
  async flush(): Promise<void> {
    await promisify(execFile)('sync', ['--file-system', await this.#path()]);
  }

  /** Throws NoSpaceLeft where that many bytes more would not leave the reserve. A disk that cannot be looked at has room. */
  async checkRoom(bytes: number): Promise<void> {
    const use = await this.use().catch(() => undefined);
    if (use !== undefined && use.freeBytes - bytes < reserveBytes(use))
      throw new NoSpaceLeft('no space left on device');
  }

  /** Aborts with NoSpaceLeft when the reserve is begun on, until it is disposed of. */
  watch(abort: (reason: NoSpaceLeft) => void): Disposable {
    const timer = setInterval(() => {
      this.checkRoom(0).catch((error: unknown) => {
        if (error instanceof NoSpaceLeft) abort(error);
      });
    }, watchEveryMs);
    return { [Symbol.dispose]: () => clearInterval(timer) };
  }

  /** As containerd itself says it. */
  async #path(): Promise<string> {
    this.#root ??= (await snapshotterPlugin(this.#introspection))?.exports.root;
    if (this.#root === undefined) throw new Error(`containerd does not say where ${snapshotter} keeps its snapshots`);
    return this.#root;
  }
}
