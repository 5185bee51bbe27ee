/** From a reference to the manifest that this host is to run. */
import {
  chooseManifest,
  type Descriptor,
  fitsPlatform,
  formatPlatform,
  type ImageConfig,
  indexMediaTypes,
  type Manifest,
  offeredPlatforms,
  type Platform,
  parseImageConfig,
  parseIndex,
  parseManifest,
} from './manifest.ts';
import { checkConfigType, unpackedType } from './media-types.ts';
import * as failure from './pull-failure.ts';
import type { ImageReference } from './reference.ts';
import type { FetchedManifest, ImageRegistry } from './registry.ts';
import { type RetryContext, retrying } from './retry.ts';

export interface Resolution extends RetryContext {
  readonly registry: ImageRegistry;
  readonly platform: Platform;
}

/** A document as it was sent, which its digest is of. */
export interface Document {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

export interface ResolvedImage {
  /** The index that the reference stands for, with the position of the manifest in it; undefined where it is the manifest itself. */
  readonly index: (Document & { readonly position: number }) | undefined;
  readonly manifest: Document & { readonly content: Manifest };
  readonly config: Document & { readonly content: ImageConfig };
}

/** The digest that the registry has for the tag at this moment, if it says so. Throws RuntimeFailure. */
export function resolvedDigest(resolution: Resolution): Promise<string | undefined> {
  const { image, registry, signal } = resolution;
  return retrying(resolution, () => registry.digestOf(wanted(image), signal));
}

/** Fetches manifest and config for the platform, through an index where there is one. Throws RuntimeFailure. */
export async function resolveImage(resolution: Resolution): Promise<ResolvedImage> {
  const { image, platform } = resolution;
  const top = await fetchManifest(resolution, wanted(image));
  if (!indexMediaTypes.includes(top.mediaType)) {
    const { manifest, config } = await withConfig(resolution, top);
    if (!fitsPlatform(config.content, platform)) {
      const { os = 'unknown', architecture = 'unknown' } = config.content;
      throw failure.noManifestForPlatform(image, formatPlatform(platform), formatPlatform({ os, architecture }));
    }
    return { index: undefined, manifest, config };
  }
  const index = parsed(image, () => parseIndex(top.bytes));
  const position = chooseManifest(index, platform);
  const entry = position === undefined ? undefined : index.manifests[position];
  if (position === undefined || entry === undefined) {
    throw failure.noManifestForPlatform(image, formatPlatform(platform), offeredPlatforms(index));
  }
  const chosen = await fetchManifest(resolution, entry.digest);
  if (indexMediaTypes.includes(chosen.mediaType)) throw failure.badManifest(image, 'it is an index inside an index');
  return { index: { ...document(top), position }, ...(await withConfig(resolution, chosen)) };
}

async function withConfig(
  resolution: Resolution,
  fetched: FetchedManifest,
): Promise<Pick<ResolvedImage, 'manifest' | 'config'>> {
  const { image, registry, signal } = resolution;
  const content = parsed(image, () => imageManifest(fetched.bytes));
  const bytes = await retrying(resolution, () => registry.smallBlob(content.config, signal));
  const config = parsed(image, () => parseImageConfig(bytes));
  const [layers, diffIds] = [content.layers.length, config.rootfs.diff_ids.length];
  if (layers !== diffIds) throw failure.badManifest(image, `it has ${layers} layers, and its config ${diffIds}`);
  return {
    manifest: { ...document(fetched), content },
    config: { descriptor: content.config, bytes, content: config },
  };
}

/** Before anything of it is fetched. */
function imageManifest(bytes: Uint8Array): Manifest {
  const manifest = parseManifest(bytes);
  checkConfigType(manifest.config.mediaType);
  for (const { mediaType } of manifest.layers) unpackedType(mediaType);
  return manifest;
}

function fetchManifest(resolution: Resolution, tagOrDigest: string): Promise<FetchedManifest> {
  const { registry, signal } = resolution;
  return retrying(resolution, () => registry.manifest(tagOrDigest, signal));
}

function document({ mediaType, digest, bytes }: FetchedManifest): Document {
  return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
}

function parsed<T>(image: ImageReference, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw failure.badManifest(image, error instanceof Error ? error.message : String(error), error);
  }
}

function wanted({ digest, tag }: ImageReference): string {
  return digest ?? tag ?? 'latest';
}
