/**
 * Layers that are whole after a loss of power. containerd notes a layer on the disk at once; its files get there when the kernel sees fit,
 * up to half a minute later, and until then a machine that loses its power comes back with layers whose files are empty. So each says by a
 * label in which boot it was unpacked, until the disk has been flushed since: in the background, where it holds up nobody. What still says
 * so of another boot is unpacked anew of what was downloaded, which containerd flushes by itself.
 */
import type { Logger } from 'pino';
import { bootId } from '../boot-id.ts';
import type { NamespacedContainerd } from '../containerd/client.ts';
import type { Info } from '../containerd/gen/snapshots_pb.ts';
import { ignoreNotFound } from '../containerd/grpc-error.ts';
import type { ImageDisk } from './disk.ts';
import { packedImages } from './image-store.ts';
import { pullLease, withLease } from './lease.ts';
import type { Platform } from './manifest.ts';
import { snapshotter } from './snapshots.ts';
import { unpackedIn, unpackLayer } from './unpack.ts';

/** For pulls that come together. */
const settleAfterMs = 5000;

export interface SettlerOptions {
  readonly containerd: NamespacedContainerd;
  readonly platform: Platform;
  readonly disk: Pick<ImageDisk, 'flush'>;
  readonly log: Logger;
}

/** Flushes what was unpacked in this boot, and takes the labels away. */
export class LayerSettler implements Disposable {
  readonly #options: SettlerOptions;
  #timer: NodeJS.Timeout | undefined;
  #renewed: Promise<void> | undefined;

  constructor(options: SettlerOptions) {
    this.#options = options;
  }

  /** In a moment, together with what is unpacked until then. */
  settleSoon(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.settle().catch((error: unknown) => {
        this.#options.log.warn(
          { err: error },
          'layers cannot be flushed now: after a loss of power they are unpacked anew',
        );
      });
    }, settleAfterMs);
    this.#timer.unref();
  }

  async settle(): Promise<void> {
    const { containerd, disk } = this.#options;
    const layers = (await snapshots(containerd)).filter(({ labels }) => labels[unpackedIn] === bootId());
    if (layers.length === 0) return;
    await disk.flush();
    const updateMask = { paths: [`labels.${unpackedIn}`] };
    for (const { name } of layers)
      await ignoreNotFound(containerd.snapshots.update({ snapshotter, info: { name }, updateMask }));
  }

  /** Resolves when what another boot left is whole: before that no image is to be used. Throws GrpcError; may be asked again. */
  async renewed(): Promise<void> {
    this.#renewed ??= renewLayers(this.#options);
    try {
      await this.#renewed;
    } catch (error) {
      this.#renewed = undefined;
      throw error;
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}

/**
 * Takes away the layers of another boot that nobody has flushed, with what stands on them (root file systems of containers that ended with
 * that boot), and unpacks them anew.
 */
async function renewLayers({ containerd, platform, log }: SettlerOptions): Promise<void> {
  const doomed = standingOn(await snapshots(containerd), ({ labels }) => (labels[unpackedIn] ?? bootId()) !== bootId());
  if (doomed.length === 0) return;
  for (const { name } of doomed) await ignoreNotFound(containerd.snapshots.remove({ snapshotter, key: name }));
  log.warn(
    { layers: doomed.length },
    'the machine lost its power before these layers were flushed; they are unpacked anew',
  );
  const failed = (error: unknown) =>
    log.warn({ err: error }, 'an image cannot be unpacked anew now; it is pulled when a task wants it');
  for (const layers of await packedImages(containerd, platform, failed)) {
    await withLease(containerd, pullLease, async (leased) => {
      for (const layer of layers) await unpackLayer(leased, layer, new AbortController().signal);
    }).catch(failed);
  }
}

async function snapshots(containerd: NamespacedContainerd): Promise<Info[]> {
  const all: Info[] = [];
  for await (const { info } of containerd.snapshots.list({ snapshotter })) all.push(...info);
  return all;
}

/** Those that are meant and all that stand on one of them, each before what it stands on. */
function standingOn(all: readonly Info[], isMeant: (info: Info) => boolean): Info[] {
  const byName = new Map(all.map((info) => [info.name, info]));
  const depthOf = ({ parent }: Info): number => {
    const below = byName.get(parent);
    return below === undefined ? 0 : depthOf(below) + 1;
  };
  const stands = (info: Info): boolean => {
    const below = byName.get(info.parent);
    return isMeant(info) || (below !== undefined && stands(below));
  };
  return all.filter(stands).toSorted((one, other) => depthOf(other) - depthOf(one));
}
