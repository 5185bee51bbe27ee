/**
 * Where snapshots are, and those that live for one piece of work, kept by its lease: a layer that is being unpacked, an image that is
 * looked into. Their keys say so; those of an agent that died in the middle are taken away when the next one starts, a day before their
 * lease would.
 */
import { randomUUID } from 'node:crypto';
import type { NamespacedContainerd } from '../containerd/client.ts';
import { ignoreNotFound } from '../containerd/grpc-error.ts';

export const snapshotter = 'overlayfs';

const prefix = 'temporary-';

/** @param purpose what an operator reads in `ctr snapshots list` */
export const temporaryKey = (purpose: string): string => `${prefix}${randomUUID()} ${purpose}`;

/** Only before this agent makes any itself: those in the host's namespace are nobody's then. What they were made of stays. */
export async function removeTemporarySnapshots(containerd: NamespacedContainerd): Promise<void> {
  const keys: string[] = [];
  const active = containerd.snapshots.list({ snapshotter, filters: ['kind==active'] });
  for await (const { info } of active)
    keys.push(...info.map(({ name }) => name).filter((key) => key.startsWith(prefix)));
  for (const key of keys) await ignoreNotFound(containerd.snapshots.remove({ snapshotter, key }));
}
