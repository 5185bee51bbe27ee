/**
 * Images that are on this host. Each pulled one has two records in containerd: one by the name that was pulled, which moves with its
 * tag, and one by digest, which keeps what a task was given until the task needs it no more.
 */
import type { NamespacedContainerd } from '../containerd/client.ts';
import { isAlreadyExists, isNotFound } from '../containerd/grpc-error.ts';
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
import { chainIds, hasSnapshot } from './unpack.ts';

/** An image that is complete and unpacked. */
export interface LocalImage extends PulledImage {
  /** Name of its record in containerd: `docker.io/library/busybox:latest`. */
  readonly name: string;
  /** Digest of what the name stands for: an index, or the manifest itself. */
  readonly targetDigest: string;
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

export function localImage(
  image: Pick<ImageReference, 'original'>,
  name: string,
  targetDigest: string,
  digest: string,
  content: Manifest,
  config: ImageConfig,
): LocalImage {
  const sizeBytes = [content.config, ...content.layers].reduce((total, { size }) => total + size, 0);
  const chainId = chainIds(config.rootfs.diff_ids).at(-1) ?? '';
  return { reference: image.original, digest, name, targetDigest, config, chainId, sizeBytes };
}

/** Makes the name stand for the target. */
export async function recordImage(
  containerd: NamespacedContainerd,
  name: string,
  { mediaType, digest, size }: Descriptor,
  signal: AbortSignal,
): Promise<void> {
  const image = { name, target: { mediaType, digest, size: BigInt(size) } };
  try {
    await containerd.images.create({ image }, { signal });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    await containerd.images.update({ image }, { signal });
  }
}

/** Every image that has a record and is complete, each once. */
export async function heldImages(containerd: NamespacedContainerd, platform: Platform): Promise<HeldImage[]> {
  const { images: records } = await containerd.images.list({});
  const held = new Map<string, HeldImage>();
  for (const { name } of records) {
    const image = await load(containerd, { original: name }, name, platform);
    if (image === undefined) continue;
    const { digest, sizeBytes } = image;
    // The record by digest says nothing that the digest does not.
    const names = [...(held.get(digest)?.names ?? []), ...(name.endsWith(`@${digest}`) ? [] : [name])];
    held.set(digest, { names, digest, sizeBytes });
  }
  return [...held.values()];
}

async function load(
  containerd: NamespacedContainerd,
  image: Pick<ImageReference, 'original'>,
  name: string,
  platform: Platform,
): Promise<LocalImage | undefined> {
  try {
    const { image: record } = await containerd.images.get({ name });
    if (record?.target === undefined) return undefined;
    const { digest: targetDigest, mediaType } = record.target;
    const digest = indexMediaTypes.includes(mediaType)
      ? await chosenFrom(containerd, targetDigest, platform)
      : targetDigest;
    if (digest === undefined) return undefined;
    const content = parseManifest(await readBlob(containerd, digest));
    const config = parseImageConfig(await readBlob(containerd, content.config.digest));
    const found = localImage(image, name, targetDigest, digest, content, config);
    await Promise.all(content.layers.map((layer) => containerd.content.info({ digest: layer.digest })));
    return (await hasSnapshot(containerd, found.chainId)) ? found : undefined;
  } catch (error) {
    if (isNotFound(error)) return undefined; // Never pulled, or a part of it is missing.
    throw error;
  }
}

async function chosenFrom(
  containerd: NamespacedContainerd,
  digest: string,
  platform: Platform,
): Promise<string | undefined> {
  const index = parseIndex(await readBlob(containerd, digest));
  const position = chooseManifest(index, platform);
  return position === undefined ? undefined : index.manifests[position]?.digest;
}
