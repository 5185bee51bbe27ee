/**
 * Where snapshots are, and those that live for one piece of work, kept by its lease: a layer that is being unpacked, an image that is
 * looked into. Their keys say so; those of an agent that died in the middle are taken away when the next one starts, a day before their
 * lease would.
 */
import { randomUUID } from 'node:crypto';
import type { CallOptions } from '../containerd/call.ts';
import type { Containerd, NamespacedContainerd } from '../containerd/client.ts';
import type { Plugin } from '../containerd/gen/introspection_pb.ts';
import type { Mount } from '../containerd/gen/types_pb.ts';
import { GrpcError, ignoreNotFound } from '../containerd/grpc-error.ts';

export const snapshotter = 'overlayfs';

const prefix = 'temporary-';

/** What containerd says of the snapshotter; undefined where it has none. */
export async function snapshotterPlugin(introspection: Containerd['introspection']): Promise<Plugin | undefined> {
  const { plugins } = await introspection.plugins({
    filters: [`type==io.containerd.snapshotter.v1,id==${snapshotter}`],
  });
  return plugins[0];
}

/** A containerd that hangs must not keep an agent from starting. */
const callTimeoutMs = 10_000;

/** @param purpose what an operator reads in `ctr snapshots list` */
export const temporaryKey = (purpose: string): string => `${prefix}${randomUUID()} ${purpose}`;

export interface NewSnapshot {
  readonly key: string;
  /** The name of a committed snapshot, empty for none. */
  readonly parent: string;
  readonly labels?: Record<string, string>;
}

/**
 * Answers the mounts that make it. A containerd that was killed while it made one leaves a directory under the number that the next one
 * gets; that one fails and takes the directory away, whichever it is, so that a second try finds the number free.
 */
export async function prepareSnapshot(
  containerd: NamespacedContainerd,
  snapshot: NewSnapshot,
  options: CallOptions = {},
): Promise<Mount[]> {
  const request = { snapshotter, ...snapshot };
  try {
    return (await containerd.snapshots.prepare(request, options)).mounts;
  } catch (error) {
    if (!(error instanceof GrpcError && /failed to rename: .*: file exists/.test(error.details))) throw error;
    return (await containerd.snapshots.prepare(request, options)).mounts;
  }
}

/** Only before this agent makes any itself: those in the host's namespace are nobody's then. What they were made of stays. */
export async function removeTemporarySnapshots(containerd: NamespacedContainerd): Promise<void> {
  const keys: string[] = [];
  const timeoutMs = callTimeoutMs;
  const active = containerd.snapshots.list({ snapshotter, filters: ['kind==active'] }, { timeoutMs });
  for await (const { info } of active)
    keys.push(...info.map(({ name }) => name).filter((key) => key.startsWith(prefix)));
  for (const key of keys) await ignoreNotFound(containerd.snapshots.remove({ snapshotter, key }, { timeoutMs }));
}
