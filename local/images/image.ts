/** OCI images made in memory: configuration, layers and manifest, or an index over several. The same input gives the same bytes. */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type LayerEntries, tarArchive } from './tar.ts';

export interface Blob {
  readonly mediaType: string;
  /** `sha256:…` of the bytes. */
  readonly digest: string;
  readonly bytes: Buffer;
}

export interface Image {
  readonly manifest: Blob;
  /** Configuration and layers: what must be in the registry before the manifest. */
  readonly blobs: readonly Blob[];
  readonly platform: Platform;
}

export interface ImageIndex {
  readonly manifest: Blob;
  readonly images: readonly Image[];
}

interface Platform {
  readonly os: 'linux';
  /** As OCI spells it: amd64, arm64. */
  readonly architecture: string;
}

/** The OCI image configuration's `config` object, with its own member names. */
export interface ImageConfig {
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Env?: readonly string[];
  readonly User?: string;
  readonly WorkingDir?: string;
  readonly StopSignal?: string;
  readonly ExposedPorts?: Readonly<Record<string, object>>;
  readonly Labels?: Readonly<Record<string, string>>;
}

export interface ImageSpec {
  readonly config?: ImageConfig;
  /** From the lowest to the uppermost. */
  readonly layers: readonly LayerEntries[];
  /** This machine's where absent. */
  readonly architecture?: string;
  /** Which family of media types the manifest names; `docker` is what most published images still have. */
  readonly mediaTypes?: MediaTypeFamily;
}

type MediaTypeFamily = keyof typeof mediaTypes;

const mediaTypes = {
  oci: {
    index: 'application/vnd.oci.image.index.v1+json',
    manifest: 'application/vnd.oci.image.manifest.v1+json',
    config: 'application/vnd.oci.image.config.v1+json',
    layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  },
  docker: {
    index: 'application/vnd.docker.distribution.manifest.list.v2+json',
    manifest: 'application/vnd.docker.distribution.manifest.v2+json',
    config: 'application/vnd.docker.container.image.v1+json',
    layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  },
} as const;

const compress = promisify(gzip);

export async function buildImage(spec: ImageSpec): Promise<Image> {
  const types = mediaTypes[spec.mediaTypes ?? 'oci'];
  const platform: Platform = { os: 'linux', architecture: spec.architecture ?? thisArchitecture() };
  const archives = spec.layers.map(tarArchive);
  const layers = await Promise.all(archives.map(async (archive) => blobOf(types.layer, await compress(archive))));
  const config = jsonBlob(types.config, {
    created: '1970-01-01T00:00:00Z',
    ...platform,
    config: spec.config ?? {},
    rootfs: { type: 'layers', diff_ids: archives.map(digestOf) },
    history: archives.map(() => ({ created: '1970-01-01T00:00:00Z', created_by: 'gantry' })),
  });
  const manifest = jsonBlob(types.manifest, {
    schemaVersion: 2,
    mediaType: types.manifest,
    config: descriptorOf(config),
    layers: layers.map(descriptorOf),
  });
  return { manifest, blobs: [config, ...layers], platform };
}

/** One name for the images of several platforms. */
export function buildIndex(images: readonly Image[], family: MediaTypeFamily = 'oci'): ImageIndex {
  const mediaType = mediaTypes[family].index;
  const manifests = images.map(({ manifest, platform }) => ({ ...descriptorOf(manifest), platform }));
  return { manifest: jsonBlob(mediaType, { schemaVersion: 2, mediaType, manifests }), images };
}

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function thisArchitecture(): string {
  return process.arch === 'x64' ? 'amd64' : process.arch;
}

function jsonBlob(mediaType: string, value: object): Blob {
  return blobOf(mediaType, Buffer.from(JSON.stringify(value)));
}

function blobOf(mediaType: string, bytes: Buffer): Blob {
  return { mediaType, digest: digestOf(bytes), bytes };
}

function descriptorOf({ mediaType, digest, bytes }: Blob): object {
  return { mediaType, digest, size: bytes.length };
}
