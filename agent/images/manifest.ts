/**
 * What a registry's documents look like (OCI and Docker schema 2), and which manifest of an index fits a host.
 * Everything that comes from a registry passes these schemas before it is used.
 */
import { z } from 'zod';

/** What is asked for when a manifest is fetched. */
export const indexMediaTypes: readonly string[] = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];
export const manifestMediaTypes: readonly string[] = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];

/** Above this overlayfs' mount options no longer fit; Docker draws the same line. */
const maxLayers = 127;

/** Builders write null for what is not set; it is left out here. */
const optional = <T extends z.ZodType>(schema: T) => schema.nullish().transform((value) => value ?? undefined);

const digest = z.string().regex(/^sha256:[a-f0-9]{64}$/, 'must be a sha256 digest');

const descriptor = z.object({
  mediaType: z.string().max(255),
  digest,
  size: z.number().int().nonnegative(),
});
export type Descriptor = z.infer<typeof descriptor>;

const manifestSchema = z.object({
  schemaVersion: z.literal(2),
  config: descriptor,
  layers: z.array(descriptor).min(1, 'an image needs a layer').max(maxLayers),
});
export type Manifest = z.infer<typeof manifestSchema>;

const platformSchema = z.object({ os: z.string(), architecture: z.string(), variant: optional(z.string()) });

const indexSchema = z.object({
  schemaVersion: z.literal(2),
  manifests: z.array(descriptor.extend({ platform: optional(platformSchema) })).max(1000),
});
export type Index = z.infer<typeof indexSchema>;

const imageConfigSchema = z.object({
  architecture: optional(z.string()),
  os: optional(z.string()),
  variant: optional(z.string()),
  config: optional(
    z.object({
      User: optional(z.string()),
      Env: optional(z.array(z.string())),
      Entrypoint: optional(z.array(z.string())),
      Cmd: optional(z.array(z.string())),
      WorkingDir: optional(z.string()),
      StopSignal: optional(z.string()),
      Volumes: optional(z.record(z.string(), z.unknown())),
      ExposedPorts: optional(z.record(z.string(), z.unknown())),
      Labels: optional(z.record(z.string(), z.string())),
    }),
  ),
  rootfs: z.object({ type: z.literal('layers'), diff_ids: z.array(digest).min(1).max(maxLayers) }),
});

/** The OCI image config: what a container of the image runs by default, and its layers' diff ids. */
export type ImageConfig = z.infer<typeof imageConfigSchema>;

/** In OCI's words: os `linux`, architecture `amd64` or `arm64`, variant `v8`. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | undefined;
}

export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant === undefined ? [] : [variant])].join('/');
}

/** These throw an Error that says which member is wrong. */
export const parseManifest = (bytes: Uint8Array): Manifest => parseJson(manifestSchema, bytes);
export const parseIndex = (bytes: Uint8Array): Index => parseJson(indexSchema, bytes);
export const parseImageConfig = (bytes: Uint8Array): ImageConfig => parseJson(imageConfigSchema, bytes);

function parseJson<T extends z.ZodType>(schema: T, bytes: Uint8Array): z.infer<T> {
  const result = schema.safeParse(JSON.parse(Buffer.from(bytes).toString('utf8')));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new Error(`${issue?.path.join('.') || 'the document'}: ${issue?.message ?? 'is not valid'}`);
}

/** The position in the index of the manifest that fits, or undefined. */
export function chooseManifest(index: Index, wanted: Platform): number | undefined {
  const variants = acceptedVariants(wanted);
  const candidates = index.manifests.flatMap(({ platform }, position) => {
    if (platform?.os !== wanted.os || platform.architecture !== wanted.architecture) return [];
    const rank = variants.indexOf(platform.variant ?? defaultVariant(platform.architecture));
    return rank === -1 ? [] : [{ position, rank }];
  });
  return candidates.toSorted((a, b) => a.rank - b.rank)[0]?.position;
}

export function fitsPlatform(config: ImageConfig, wanted: Platform): boolean {
  return (config.os ?? wanted.os) === wanted.os && (config.architecture ?? wanted.architecture) === wanted.architecture;
}

/** What an index offers, for an error message. */
export function offeredPlatforms(index: Index): string {
  const offered = index.manifests.flatMap(({ platform }) =>
    platform === undefined || platform.os === 'unknown' ? [] : [formatPlatform(platform)],
  );
  return offered.length === 0 ? 'none' : [...new Set(offered)].join(', ');
}

/** Variants that the platform can run, the best first. */
function acceptedVariants({ architecture, variant }: Platform): string[] {
  const own = variant ?? defaultVariant(architecture);
  const level = Number(/^v(\d)$/.exec(own)?.[1] ?? 0);
  // A processor runs what was built for lower levels of its architecture: v7 before v6 before v5.
  return level === 0 ? [own] : Array.from({ length: level }, (_, below) => `v${level - below}`);
}

/** What an entry without a variant means. */
function defaultVariant(architecture: string): string {
  return { arm64: 'v8', arm: 'v7', amd64: 'v1' }[architecture] ?? '';
}
