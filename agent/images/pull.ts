/**
 * One pull of one image: resolve, download, unpack, record, in an order in which a crash at any moment leaves nothing that garbage
 * collection would not take. Who may share it, and what to do when the registry is away, is decided in puller.ts.
 */
import type { NamespacedContainerd } from '../containerd/client.ts';
import { GrpcError, isGrpcError, isUnavailable } from '../containerd/grpc-error.ts';
import { createLimiter, type Limiter } from '../loops/limiter.ts';
import type { BlobWrite } from './content.ts';
import type { ImageDisk } from './disk.ts';
import type { DownloadSlots } from './download-slots.ts';
import { findImage, type LocalImage, localImage, recordImage } from './image-store.ts';
import { ingest } from './ingest.ts';
import type { KeyedLock } from './keyed-lock.ts';
import { pullLease, withLease } from './lease.ts';
import type { Descriptor } from './manifest.ts';
import type { ProgressMeter } from './progress.ts';
import * as failure from './pull-failure.ts';
import { digestName, type ImageReference } from './reference.ts';
import { type Document, type Resolution, type ResolvedImage, resolvedDigest, resolveImage } from './resolve.ts';
import { briefRetryPolicy } from './retry.ts';
import type { LayerSettler } from './settling.ts';
import { snapshotter } from './snapshots.ts';
import { chainIds, type Layer, layersOf, unpackLayer, WrongDiffId } from './unpack.ts';
import { canUnpackBeside, unpackBeside } from './unpack-beside.ts';

const parallelDownloads = 3;
const gcContent = 'containerd.io/gc.ref.content';

export interface Pull extends Resolution {
  readonly containerd: NamespacedContainerd;
  /** For layers that are unpacked side by side, of all pulls together. */
  readonly unpackRoom: Limiter;
  readonly locks: KeyedLock;
  readonly slots: DownloadSlots;
  readonly disk: ImageDisk | undefined;
  readonly settler: LayerSettler | undefined;
  readonly progress: ProgressMeter;
  /** Whether the image that is here will do where the registry is in trouble: then nobody waits long for it. */
  readonly mayUseCached: boolean;
}

/**
 * Makes the image complete and unpacked on this host. Throws RuntimeFailure, after having taken away whatever it had made; when the
 * signal fires, its reason.
 */
export async function pullImage(pull: Pull): Promise<LocalImage> {
  try {
    const image = (await present(pull)) ?? (await download(pull));
    pull.progress.done();
    return image;
  } catch (error) {
    if (pull.signal.aborted) throw pull.signal.reason;
    throw asHostFailure(error, pull.image, 'looking up or recording it');
  }
}

/** The image, if this host has it as the registry has it now: then one short question to the registry is all that it costs. */
async function present(pull: Pull): Promise<LocalImage | undefined> {
  const found = await findImage(pull.containerd, pull.image, pull.platform);
  if (found === undefined || pull.image.digest !== undefined) return found;
  const question = pull.mayUseCached ? { ...pull, retry: briefRetryPolicy } : pull;
  return (await resolvedDigest(question)) === found.targetDigest ? found : undefined;
}

async function download(pull: Pull): Promise<LocalImage> {
  const resolved = await resolveImage(pull);
  const full = new AbortController();
  using _watch = pull.disk?.watch((reason) => full.abort(reason));
  try {
    return await downloadResolved({ ...pull, signal: AbortSignal.any([pull.signal, full.signal]) }, resolved);
  } catch (error) {
    const cause: unknown = full.signal.aborted ? full.signal.reason : error;
    if (pull.signal.aborted || !failure.isDiskFull(cause)) throw error;
    const { config, layers } = resolved.manifest.content;
    throw failure.diskFull(
      pull.image,
      [config, ...layers].reduce((total, { size }) => total + size, 0),
      cause,
    );
  }
}

function downloadResolved(pull: Pull, resolved: ResolvedImage): Promise<LocalImage> {
  return withLease(pull.containerd, pullLease, async (containerd) => {
    const leased = { ...pull, containerd };
    await storeDocuments(leased, resolved);
    await storeLayers(leased, resolved);
    pull.settler?.settleSoon();
    const { image, signal } = pull;
    const { index, manifest, config } = resolved;
    const target = (index ?? manifest).descriptor;
    await recordImage(containerd, digestName(image, manifest.descriptor.digest), manifest.descriptor, signal);
    const labels = await recordImage(containerd, image.name, target, signal);
    const found = {
      name: image.name,
      targetDigest: target.digest,
      manifest: { ...manifest.descriptor, content: manifest.content },
      config: config.content,
    };
    return localImage(image, found, labels);
  });
}

/** Stores index, manifest and config, labelled so that garbage collection keeps whatever each of them names. */
async function storeDocuments(pull: Pull, { index, manifest, config }: ResolvedImage): Promise<void> {
  const { content, descriptor } = manifest;
  if (index !== undefined)
    await storeDocument(pull, index, { [`${gcContent}.m.${index.position}`]: descriptor.digest });
  await storeDocument(pull, manifest, {
    [`${gcContent}.config`]: content.config.digest,
    ...Object.fromEntries(content.layers.map(({ digest }, position) => [`${gcContent}.l.${position}`, digest])),
  });
  const top = chainIds(config.content.rootfs.diff_ids).at(-1) ?? '';
  await storeDocument(pull, config, { [`containerd.io/gc.ref.snapshot.${snapshotter}`]: top });
}

function storeDocument(pull: Pull, { descriptor, bytes }: Document, labels: Record<string, string>): Promise<void> {
  const read = async function* (offset: number): AsyncGenerator<Uint8Array> {
    yield bytes.subarray(offset);
  };
  return store(pull, descriptor, labels, read, () => {});
}

/** Downloads the layers side by side, and unpacks each as soon as it is there, or else as soon as those below it are unpacked. */
async function storeLayers(pull: Pull, { manifest, config }: ResolvedImage): Promise<void> {
  const layers = layersOf(manifest.content, config.content);
  const blobs = new Map(layers.map(({ blob, diffId }) => [blob.digest, { blob, diffId }])); // Images may repeat a layer.
  const bytesTotal = [...blobs.values()].reduce((total, { blob }) => total + blob.size, 0);
  pull.progress.startDownload(layers.length, bytesTotal);

  const room = await roomBeside(pull);
  const failed = new AbortController();
  const part: Pull = { ...pull, signal: AbortSignal.any([pull.signal, failed.signal]) };
  const limiter = createLimiter(parallelDownloads);
  const downloads = new Map<string, Promise<unknown>>();
  for (const { blob, diffId } of blobs.values()) {
    const downloaded = limiter.run(0, part.signal, () => storeLayerBlob(part, blob, diffId));
    downloaded.catch((error: unknown) => failed.abort(error)); // The others, and the unpacking under way, need not go on.
    downloads.set(blob.digest, downloaded);
  }
  const unpacked: Promise<void>[] = [];
  for (const layer of layers) {
    const below = unpacked.at(-1) ?? Promise.resolve();
    const downloaded = downloads.get(layer.blob.digest);
    const made = Promise.resolve(downloaded).then(() => unpack(part, layer, below, room));
    made.catch((error: unknown) => failed.abort(error));
    unpacked.push(made);
  }
  try {
    for (const made of unpacked) {
      await made;
      pull.progress.layerUnpacked();
    }
  } catch (error) {
    failed.abort(error);
    await Promise.allSettled([...downloads.values(), ...unpacked]); // They clean up after themselves, while the lease is still there.
    throw failed.signal.reason; // The first failure; those that followed from it say less.
  }
}

function storeLayerBlob(pull: Pull, blob: Descriptor, diffId: string): Promise<void> {
  const { disk, image, progress, registry, signal, slots } = pull;
  const labels = { 'containerd.io/uncompressed': diffId };
  const read = async function* (offset: number): AsyncGenerator<Uint8Array> {
    const waits = (reason: string): void => progress.waits(blob, { reason });
    using _slot = await slots.enter({ pull: progress, registry: image.host }, signal, waits);
    progress.waits(blob, undefined);
    await disk?.checkRoom(blob.size - offset);
    yield* registry.blob(blob, offset, signal);
  };
  return store(pull, blob, labels, read, (offset) => progress.downloaded(blob.digest, offset));
}

async function store(
  pull: Pull,
  { digest, size }: Descriptor,
  gcLabels: Record<string, string>,
  read: BlobWrite['read'],
  onOffset: BlobWrite['onOffset'],
): Promise<void> {
  const { image } = pull;
  const labels = { ...gcLabels, [`containerd.io/distribution.source.${image.host}`]: image.repository };
  const blob = { ref: `gantry-${digest}`, digest, size, labels, read, onOffset };
  try {
    await ingest({ ...pull, blob });
  } catch (error) {
    if (isGrpcError(error, 'FAILED_PRECONDITION')) throw failure.corruptBlob(image, digest, error.details, error);
    throw asHostFailure(error, image, `storing ${digest}`);
  }
}

/** Undefined where each layer is to wait for those below it. */
async function roomBeside({ containerd, unpackRoom, image }: Pull): Promise<Limiter | undefined> {
  try {
    return (await canUnpackBeside(containerd)) ? unpackRoom : undefined;
  } catch (error) {
    throw asHostFailure(error, image, 'asking containerd what it can');
  }
}

/** Whoever unpacks a layer may wait for those below it, never for one above: no two pulls can wait for each other. */
async function unpack(
  { containerd, image, locks, signal }: Pull,
  layer: Layer,
  below: Promise<void>,
  room: Limiter | undefined,
): Promise<void> {
  if (room === undefined) await below;
  try {
    await locks.run(layer.chainId, signal, () =>
      room === undefined || layer.parent === ''
        ? unpackLayer(containerd, layer, signal)
        : unpackBeside(containerd, layer, { below, room }, signal),
    );
  } catch (error) {
    if (error instanceof WrongDiffId) throw failure.corruptBlob(image, layer.blob.digest, error.message, error);
    throw asHostFailure(error, image, `unpacking the layer ${layer.blob.digest}`);
  }
}

function asHostFailure(error: unknown, image: ImageReference, doing: string): unknown {
  return error instanceof GrpcError ? failure.hostFailed(image, doing, error, isUnavailable(error)) : error;
}
