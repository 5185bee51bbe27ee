/**
 * Images that are on this host. Each pulled one has two records in containerd: one by the name that was pulled, which moves with its
 * tag, and one by digest, which keeps what a task was given until the task needs it no more. A label on both says when it was last used,
 * to the hour, and tells the images of tasks from those that somebody pulled by hand.
 */
import type { NamespacedContainerd } from '../containerd/client.ts';
import { ignoreNotFound, isAlreadyExists, isNotFound } from '../containerd/grpc-error.ts';
import type { HeldImage, PulledImage } from '../runtime.ts';
import { readBlob } from './content.ts';
import {
  chooseManifest,
  type Descriptor,
  type ImageConfig,
  indexMediaTypes,
  type Manifest,
  type Platform,
  parseImageConfig,
  parseIndex,
  parseManifest,
} from './manifest.ts';
import { digestName, type ImageReference } from './reference.ts';
import { chainIds, hasSnapshot, type Layer, layersOf } from './unpack.ts';

const lastUsedLabel = 'gantry.last-used-at';
/** With one of these on any of its records an image stays, whatever the disk: ours, and that of Kubernetes' runtimes. */
const pinLabels = ['gantry.pinned', 'io.cri-containerd.pinned'];

/** An image that is complete and unpacked. */
export interface LocalImage extends PulledImage {
  /** Name of its record in containerd: `docker.io/library/busybox:latest`. */
  readonly name: string;
  /** Digest of what the name stands for: an index, or the manifest itself. */
  readonly targetDigest: string;
  readonly manifest: Descriptor;
  /** Whether this name was pulled for a task, and not by hand. */
  readonly isOurs: boolean;
  readonly lastUsedAt: number | undefined;
  readonly isPinned: boolean;
  readonly config: ImageConfig;
  /** The snapshot that a container's root is prepared from. */
  readonly chainId: string;
  /** What was downloaded: config and layers, compressed. */
  readonly sizeBytes: number;
}

/** The image as its name stands here now; undefined where it is not complete. Asks no registry. */
export function findImage(
  containerd: NamespacedContainerd,
  image: ImageReference,
  platform: Platform,
): Promise<LocalImage | undefined> {
  return load(containerd, image, image.name, platform);
}

/** The image with exactly this manifest (`PulledImage.digest`), whatever its tag stands for by now. */
export function findImageByDigest(
  containerd: NamespacedContainerd,
  image: ImageReference,
  digest: string,
  platform: Platform,
): Promise<LocalImage | undefined> {
  return load(containerd, image, digestName(image, digest), platform);
}

interface FoundImage {
  readonly name: string;
  readonly targetDigest: string;
  readonly manifest: Descriptor & { readonly content: Manifest };
  readonly config: ImageConfig;
}

/** @param labels of its record */
export function localImage(
  image: Pick<ImageReference, 'original'>,
  found: FoundImage,
  labels: Readonly<Record<string, string>>,
): LocalImage {
  const lastUsedAt = Date.parse(labels[lastUsedLabel] ?? '');
  const state = {
    isOurs: labels[lastUsedLabel] !== undefined,
    lastUsedAt: Number.isNaN(lastUsedAt) ? undefined : lastUsedAt,
    isPinned: pinLabels.some((label) => labels[label] !== undefined),
  };
  const { content, ...manifest } = found.manifest;
  const sizeBytes = [content.config, ...content.layers].reduce((total, { size }) => total + size, 0);
  const chainId = chainIds(found.config.rootfs.diff_ids).at(-1) ?? '';
  return { ...found, ...state, reference: image.original, digest: manifest.digest, manifest, chainId, sizeBytes };
}

/** Makes the name stand for the target, used now, and answers the labels that say so. Labels that others have set stay. */
export async function recordImage(
  containerd: NamespacedContainerd,
  name: string,
  { mediaType, digest, size }: Descriptor,
  signal?: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  const labels = { [lastUsedLabel]: new Date().toISOString() };
  const options = signal === undefined ? {} : { signal };
  const image = { name, target: { mediaType, digest, size: BigInt(size) }, labels };
  try {
    await containerd.images.create({ image }, options);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    await containerd.images.update({ image, updateMask: { paths: ['target', `labels.${lastUsedLabel}`] } }, options);
  }
  return labels;
}

/** Every image that has a record and is complete, each once. */
export async function heldImages(containerd: NamespacedContainerd, platform: Platform): Promise<HeldImage[]> {
  const byDigest = Map.groupBy(await recordedImages(containerd, platform), ({ digest }) => digest);
  return [...byDigest].map(([digest, records]) => ({
    // The record by digest says nothing that the digest does not.
    names: records.map(({ name }) => name).filter((name) => !name.endsWith(`@${digest}`)),
    digest,
    sizeBytes: records[0]?.sizeBytes ?? 0,
    lastUsedAt: latest(records.flatMap(({ lastUsedAt }) => lastUsedAt ?? [])),
    isOurs: records.every(({ isOurs, isPinned }) => isOurs && !isPinned),
  }));
}

/** Removes every record of the image, and answers once containerd has removed what only they have kept. */
export async function removeImage(containerd: NamespacedContainerd, platform: Platform, digest: string): Promise<void> {
  const records = (await recordedImages(containerd, platform)).filter((record) => record.digest === digest);
  if (records.some(({ isOurs, isPinned }) => !isOurs || isPinned)) return;
  for (const { name } of records)
    await ignoreNotFound(containerd.images.delete({ name, sync: name === records.at(-1)?.name }));
}

export async function recordedImages(containerd: NamespacedContainerd, platform: Platform): Promise<LocalImage[]> {
  const { images } = await containerd.images.list({});
  const found: LocalImage[] = [];
  for (const { name } of images) {
    const image = await load(containerd, { original: name }, name, platform);
    if (image !== undefined) found.push(image);
  }
  return found;
}

/** The layers of each image whose every blob is here and which is not unpacked. One that cannot be read is left out, and told of. */
export async function packedImages(
  containerd: NamespacedContainerd,
  platform: Platform,
  onUnreadable: (error: unknown) => void,
): Promise<(readonly Layer[])[]> {
  const { images } = await containerd.images.list({});
  const packed: (readonly Layer[])[] = [];
  for (const { name } of images) {
    try {
      const whole = await downloaded(containerd, { original: name }, name, platform);
      if (whole !== undefined && !(await hasSnapshot(containerd, whole.image.chainId))) packed.push(whole.layers);
    } catch (error) {
      onUnreadable(error);
    }
  }
  return packed;
}

const latest = (times: readonly number[]): number | undefined => (times.length === 0 ? undefined : Math.max(...times));

async function load(
  containerd: NamespacedContainerd,
  image: Pick<ImageReference, 'original'>,
  name: string,
  platform: Platform,
): Promise<LocalImage | undefined> {
  const found = (await downloaded(containerd, image, name, platform))?.image;
  return found !== undefined && (await hasSnapshot(containerd, found.chainId)) ? found : undefined;
}

/** Whether or not it is unpacked. */
async function downloaded(
  containerd: NamespacedContainerd,
  image: Pick<ImageReference, 'original'>,
  name: string,
  platform: Platform,
): Promise<{ readonly image: LocalImage; readonly layers: readonly Layer[] } | undefined> {
  try {
    const { image: record } = await containerd.images.get({ name });
    if (record?.target === undefined) return undefined;
    const { digest: targetDigest } = record.target;
    const manifest = await chosenFrom(containerd, record.target, platform);
    if (manifest === undefined) return undefined;
    const content = parseManifest(await readBlob(containerd, manifest.digest));
    const config = parseImageConfig(await readBlob(containerd, content.config.digest));
    const found = localImage(image, { name, targetDigest, manifest: { ...manifest, content }, config }, record.labels);
    await Promise.all(content.layers.map((layer) => containerd.content.info({ digest: layer.digest })));
    return { image: found, layers: layersOf(content, config) };
  } catch (error) {
    if (isNotFound(error)) return undefined; // Never pulled, or a part of it is missing.
    throw error;
  }
}

/** The manifest for the platform: the target itself, unless that is an index. */
async function chosenFrom(
  containerd: NamespacedContainerd,
  { mediaType, digest, size }: { mediaType: string; digest: string; size: bigint },
  platform: Platform,
): Promise<Descriptor | undefined> {
  if (!indexMediaTypes.includes(mediaType)) return { mediaType, digest, size: Number(size) };
  const index = parseIndex(await readBlob(containerd, digest));
  const entry = index.manifests[chooseManifest(index, platform) ?? -1];
  return entry && { mediaType: entry.mediaType, digest: entry.digest, size: entry.size };
}
