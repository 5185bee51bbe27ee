/**
 * The /etc/passwd and /etc/group of an image, read from its unpacked layers without running anything. They are the same for every
 * container of the image, so each image is looked at once.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { withLease } from '../images/lease.ts';
import { prepareSnapshot, snapshotter, temporaryKey } from '../images/snapshots.ts';
import { readRootfsFile } from '../oci/rootfs-path.ts';
import type { AccountFiles } from '../oci/user.ts';
import type { NamespacedContainerd } from './client.ts';
import type { Mount } from './gen/types_pb.ts';
import { ignoreNotFound } from './grpc-error.ts';

const maxRemembered = 100;

export class ImageAccounts {
  readonly #containerd: NamespacedContainerd;
  readonly #byChainId = new Map<string, Promise<{ passwd: string | undefined; group: string | undefined }>>();

  constructor(containerd: NamespacedContainerd) {
    this.#containerd = containerd;
  }

  /** @param chainId the snapshot of all of the image's layers */
  of(chainId: string): AccountFiles {
    return {
      passwd: async () => (await this.#load(chainId)).passwd,
      group: async () => (await this.#load(chainId)).group,
    };
  }

  #load(chainId: string): Promise<{ passwd: string | undefined; group: string | undefined }> {
    const known = this.#byChainId.get(chainId);
    if (known !== undefined) return known;
    if (this.#byChainId.size >= maxRemembered) this.#byChainId.clear();
    const loading = readAccounts(this.#containerd, chainId);
    this.#byChainId.set(chainId, loading);
    loading.catch(() => this.#byChainId.delete(chainId)); // The next one tries again.
    return loading;
  }
}

function readAccounts(containerd: NamespacedContainerd, chainId: string) {
  return withLease(containerd, 'gantry-accounts', async (leased) => {
    const key = temporaryKey(`shows ${chainId}`);
    const mounts = await prepareSnapshot(leased, { key, parent: chainId });
    try {
      return await withRootfs(mounts, async (root) => ({
        passwd: await readRootfsFile(root, '/etc/passwd'),
        group: await readRootfsFile(root, '/etc/group'),
      }));
    } finally {
      await ignoreNotFound(leased.snapshots.remove({ snapshotter, key }));
    }
  });
}

/** Calls `read` with a directory that shows the snapshot's content. */
async function withRootfs<T>(mounts: readonly Mount[], read: (root: string) => Promise<T>): Promise<T> {
  const lower = mounts[0]?.options.find((option) => option.startsWith('lowerdir='))?.slice('lowerdir='.length);
  const layers = lower?.split(':') ?? [];
  const [only] = layers;
  if (only === undefined) throw new Error('The snapshot of the image has no layers that could be read.');
  return layers.length === 1 ? await read(only) : await withOverlay(layers, read);
}

/**
 * Mounts the layers over each other, read-only, in a mount namespace that a helper process holds: when the helper is gone, even
 * because the agent was killed, so is the mount.
 */
async function withOverlay<T>(layers: readonly string[], read: (root: string) => Promise<T>): Promise<T> {
  await using mountPoint = await mkdtempDisposable(join(tmpdir(), 'gantry-image-'));
  // Relative paths: those of a hundred layers would not fit into the page that mount(2) takes.
  const base = dirname(dirname(layers[0] ?? '/'));
  const lowerdir = layers.map((layer) => relative(base, layer)).join(':');
  const script = 'mount -t overlay overlay -o "ro,lowerdir=$0" "$1" && echo mounted && read -r _';
  const helper = spawn(
    'unshare',
    ['--mount', '--propagation', 'private', 'sh', '-c', script, lowerdir, mountPoint.path],
    {
      cwd: base,
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  );
  const complaints: Buffer[] = [];
  helper.stderr.on('data', (chunk: Buffer) => complaints.push(chunk));
  const ended = once(helper, 'close');
  try {
    const mounted = once(helper.stdout, 'data').then(() => true);
    if (!(await Promise.race([mounted, ended.then(() => false)])))
      throw new Error(`The layers of the image could not be mounted: ${Buffer.concat(complaints).toString().trim()}`);
    return await read(`/proc/${helper.pid}/root${mountPoint.path}`);
  } finally {
    helper.stdin.end();
    await ended;
  }
}
