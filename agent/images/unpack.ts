/** Layers become snapshots here: each is applied on the one below and committed under its chain id. */
import { createHash } from 'node:crypto';
import { bootId } from '../boot-id.ts';
import type { NamespacedContainerd } from '../containerd/client.ts';
import type { Mount } from '../containerd/gen/types_pb.ts';
import { ignoreNotFound, isAlreadyExists, isNotFound } from '../containerd/grpc-error.ts';
import type { Descriptor, ImageConfig, Manifest } from './manifest.ts';
import { unpackedType } from './media-types.ts';
import { type NewSnapshot, prepareSnapshot, snapshotter, temporaryKey } from './snapshots.ts';

/** Of containerd's Mount what it reads. */
export type MountParts = Pick<Mount, 'type' | 'source' | 'options'>;

export interface Layer {
  readonly blob: Descriptor;
  /** Digest of the uncompressed layer. */
  readonly diffId: string;
  /** Names the snapshot of this layer and all below it. */
  readonly chainId: string;
  /** Chain id of the layer below, empty for none. */
  readonly parent: string;
}

/** A label of a layer's snapshot: the boot of the machine in which it was unpacked, until it has been flushed (settling.ts). */
export const unpackedIn = 'gantry.unpacked-in';

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

/** The lowest first. */
export function layersOf({ layers }: Manifest, { rootfs }: ImageConfig): Layer[] {
  const chain = chainIds(rootfs.diff_ids);
  return layers.map((blob, position) => ({
    blob,
    diffId: rootfs.diff_ids[position] ?? '',
    chainId: chain[position] ?? '',
    parent: chain[position - 1] ?? '',
  }));
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

/** Unpacks a layer whose blob is in the content store onto those below it, unless that was done before. */
export async function unpackLayer(containerd: NamespacedContainerd, layer: Layer, signal: AbortSignal): Promise<void> {
  const { chainId, parent } = layer;
  if (await hasSnapshot(containerd, chainId, signal)) return;
  await makeSnapshot(containerd, layer, async (key) => {
    const mounts = await prepareSnapshot(containerd, newSnapshot(layer, key, parent), { signal });
    await applyLayer(containerd, layer, mounts, signal);
    await commitSnapshot(containerd, { name: chainId, key }, signal);
    return true;
  });
}

/** @param snapshot `parent` where it comes to stand on another than it was prepared on */
export async function commitSnapshot(
  containerd: NamespacedContainerd,
  snapshot: { readonly name: string; readonly key: string; readonly parent?: string },
  signal: AbortSignal,
): Promise<void> {
  await containerd.snapshots.commit({ snapshotter, ...snapshot, labels: { [unpackedIn]: bootId() } }, { signal });
}

/** The snapshot into which a layer is applied. */
export const newSnapshot = ({ chainId }: Layer, key: string, parent: string): NewSnapshot => ({
  key,
  parent,
  labels: { 'containerd.io/snapshot.ref': chainId },
});

/**
 * Makes a layer's snapshot by a temporary one, which is taken away where it was not committed.
 * @param make answers whether it was
 */
export async function makeSnapshot(
  containerd: NamespacedContainerd,
  { chainId }: Layer,
  make: (key: string) => Promise<boolean>,
): Promise<boolean> {
  const key = temporaryKey(`unpacks ${chainId}`);
  let isCommitted = false;
  try {
    isCommitted = await make(key);
    return isCommitted;
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    return true; // Another process was faster: its snapshot is as good.
  } finally {
    // What cannot be taken away now (containerd is gone) goes with the lease; the first error is the one to tell.
    if (!isCommitted)
      await ignoreNotFound(containerd.snapshots.remove({ snapshotter, key }, { timeoutMs: 30_000 })).catch(() => {});
  }
}

/** Throws WrongDiffId where it is not the layer that the image's config names. */
export async function applyLayer(
  containerd: NamespacedContainerd,
  { blob, diffId }: Layer,
  mounts: MountParts[],
  signal: AbortSignal,
): Promise<void> {
  const diff = { mediaType: unpackedType(blob.mediaType), digest: blob.digest, size: BigInt(blob.size) };
  const { applied } = await containerd.diff.apply({ diff, mounts }, { signal });
  if (applied?.digest !== diffId)
    throw new WrongDiffId(`it unpacks to ${applied?.digest}, and the config promises ${diffId}`);
}
