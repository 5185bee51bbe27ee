/** Layers become snapshots here: each is applied on the one below and committed under its chain id. */
import { createHash } from 'node:crypto';
import type { NamespacedContainerd } from '../containerd/client.ts';
import { ignoreNotFound, isAlreadyExists, isNotFound } from '../containerd/grpc-error.ts';
import type { Descriptor } from './manifest.ts';
import { snapshotter, temporaryKey } from './snapshots.ts';

export interface Layer {
  readonly blob: Descriptor;
  /** Digest of the uncompressed layer. */
  readonly diffId: string;
  /** Names the snapshot of this layer and all below it. */
  readonly chainId: string;
  /** Chain id of the layer below, empty for none. */
  readonly parent: string;
}

/** The layer unpacks to something else than the image's config says. */
export class WrongDiffId extends Error {
  override readonly name = 'WrongDiffId';
}

/** Chain ids as the OCI image specification defines them. */
export function chainIds(diffIds: readonly string[]): string[] {
  const chain: string[] = [];
  for (const diffId of diffIds) {
    const below = chain.at(-1);
    chain.push(
      below === undefined ? diffId : `sha256:${createHash('sha256').update(`${below} ${diffId}`).digest('hex')}`,
    );
  }
  return chain;
}

export async function hasSnapshot(
  containerd: NamespacedContainerd,
  key: string,
  signal?: AbortSignal,
): Promise<boolean> {
  try {
    await containerd.snapshots.stat({ snapshotter, key }, signal === undefined ? {} : { signal });
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

/** Unpacks a layer whose blob is in the content store, unless that was done before. Leaves no half-made snapshot. */
export async function unpackLayer(containerd: NamespacedContainerd, layer: Layer, signal: AbortSignal): Promise<void> {
  if (await hasSnapshot(containerd, layer.chainId, signal)) return;
  const key = temporaryKey(`unpacks ${layer.chainId}`);
  try {
    await applyAndCommit(containerd, layer, key, signal);
  } catch (error) {
    // What cannot be taken away now (containerd is gone) goes with the lease; the first error is the one to tell.
    await ignoreNotFound(containerd.snapshots.remove({ snapshotter, key }, { timeoutMs: 30_000 })).catch(() => {});
    if (!isAlreadyExists(error)) throw error; // Another process was faster: its snapshot is as good.
  }
}

async function applyAndCommit(
  containerd: NamespacedContainerd,
  { blob, diffId, chainId, parent }: Layer,
  key: string,
  signal: AbortSignal,
): Promise<void> {
  const labels = { 'containerd.io/snapshot.ref': chainId };
  const { mounts } = await containerd.snapshots.prepare({ snapshotter, key, parent, labels }, { signal });
  const diff = { mediaType: blob.mediaType, digest: blob.digest, size: BigInt(blob.size) };
  const { applied } = await containerd.diff.apply({ diff, mounts }, { signal });
  if (applied?.digest !== diffId)
    throw new WrongDiffId(`it unpacks to ${applied?.digest}, and the config promises ${diffId}`);
  await containerd.snapshots.commit({ snapshotter, name: chainId, key }, { signal });
}
