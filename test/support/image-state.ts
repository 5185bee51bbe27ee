/** Everything that a containerd namespace holds of images: what a failed pull must leave as it was. */
import type { NamespacedContainerd } from '../../agent/containerd/client.ts';

export interface ImageState {
  readonly images: string[];
  readonly blobs: string[];
  readonly ingests: string[];
  readonly snapshots: string[];
  readonly leases: string[];
}

export async function imageState(containerd: NamespacedContainerd): Promise<ImageState> {
  const [{ images }, { statuses }, { leases }] = await Promise.all([
    containerd.images.list({}),
    containerd.content.listStatuses({}),
    containerd.leases.list({}),
  ]);
  const blobs: string[] = [];
  for await (const { info } of containerd.content.list({})) blobs.push(...info.map(({ digest }) => digest));
  const snapshots: string[] = [];
  for await (const { info } of containerd.snapshots.list({ snapshotter: 'overlayfs' }))
    snapshots.push(...info.map(({ name }) => name));
  return {
    images: images.map(({ name }) => name).toSorted(),
    blobs: blobs.toSorted(),
    ingests: statuses.map(({ ref }) => ref).toSorted(),
    snapshots: snapshots.toSorted(),
    leases: leases.map(({ id }) => id).toSorted(),
  };
}
