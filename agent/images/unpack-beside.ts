/**
 * Layers unpacked side by side, where containerd can commit a snapshot onto another than it was made on (2.2 and newer): each is applied
 * alone, whatever becomes of those below it, and committed onto them when they are there. What comes of it is what unpacking them one after
 * the other gives: a layer that would take something over from those below is unpacked that way.
 */
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { NamespacedContainerd } from '../containerd/client.ts';
import type { Mount } from '../containerd/gen/types_pb.ts';
import type { Limiter } from '../loops/limiter.ts';
import { prepareSnapshot, snapshotter, snapshotterPlugin } from './snapshots.ts';
import {
  applyLayer,
  commitSnapshot,
  hasSnapshot,
  type Layer,
  type MountParts,
  makeSnapshot,
  newSnapshot,
  unpackLayer,
} from './unpack.ts';

/** The kernel stamps files by a clock of its own, which is some milliseconds behind. */
const slackMs = 1000;

export async function canUnpackBeside({ introspection }: NamespacedContainerd): Promise<boolean> {
  return (await snapshotterPlugin(introspection))?.capabilities.includes('rebase') === true;
}

export interface Beside {
  /** Resolves when the layers below have their snapshots. */
  readonly below: Promise<void>;
  /** For as many as are applied at once on this host. */
  readonly room: Limiter;
}

/** Does what `unpackLayer` does. */
export async function unpackBeside(
  containerd: NamespacedContainerd,
  layer: Layer,
  { below, room }: Beside,
  signal: AbortSignal,
): Promise<void> {
  if (await hasSnapshot(containerd, layer.chainId, signal)) return;
  const isMade = await makeSnapshot(containerd, layer, async (key) => {
    const application = await room.run(0, signal, () => applyAlone(containerd, layer, key, signal));
    if (application === undefined) throw signal.reason;
    await below;
    return application.isWhole && (await commitOnto(containerd, layer, key, signal));
  });
  if (!isMade) await unpackLayer(containerd, layer, signal);
}

/** Answers whether it lacks nothing that it would have taken over from the layers below. */
async function applyAlone(
  containerd: NamespacedContainerd,
  layer: Layer,
  key: string,
  signal: AbortSignal,
): Promise<{ readonly isWhole: boolean }> {
  const since = Date.now() - slackMs;
  const [mount, ...others] = await prepareSnapshot(containerd, newSnapshot(layer, key, ''), { signal });
  if (mount?.type !== 'bind' || others.length > 0) return { isWhole: false };
  await applyLayer(containerd, layer, [asOverlay(mount)], signal);
  return { isWhole: !(await hasDirectorySince(mount.source, since)) };
}

/** What has nothing below it is no overlay yet; only into one are the files that a layer deletes written as such. */
const asOverlay = ({ source, options }: Mount): MountParts => ({
  type: 'overlay',
  source: 'overlay',
  options: [...options.filter((option) => option !== 'rbind'), `upperdir=${source}`],
});

/**
 * Whether a directory has times of its own making: no entry of the layer gave it any. It is there for a file below it, with mode 0755 and
 * owner 0, where it would have those of the directory that it hides.
 */
async function hasDirectorySince(path: string, since: number): Promise<boolean> {
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const below = join(path, entry.name);
    if ((await lstat(below)).mtimeMs >= since || (await hasDirectorySince(below, since))) return true;
  }
  return false;
}

/** Answers false, and leaves nothing, where containerd has taken no notice of what it is to stand on. */
async function commitOnto(
  containerd: NamespacedContainerd,
  { chainId, parent }: Layer,
  key: string,
  signal: AbortSignal,
): Promise<boolean> {
  await commitSnapshot(containerd, { name: chainId, key, parent }, signal);
  const { info } = await containerd.snapshots.stat({ snapshotter, key: chainId }, { signal });
  if (info?.parent === parent) return true;
  await containerd.snapshots.remove({ snapshotter, key: chainId }, { signal });
  return false;
}
