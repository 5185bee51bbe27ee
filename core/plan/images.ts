/**
 * Which images leave a host: those that nobody has used for long, and where the disk is full the longest unused first. Never one that a
 * task of the ledger needs, running or yet to start, and none that somebody pulled by hand or pinned. Decides and never acts.
 */

export interface ImagePolicy {
  /** Images that nobody has used for this long go. */
  readonly unusedForMs: number;
  /** Parts of the disk: above the first, images go until it is down to the second. */
  readonly diskHigh: number;
  readonly diskLow: number;
}

export interface StoredImage {
  readonly digest: string;
  /** Completed: `docker.io/library/busybox:latest`. */
  readonly names: readonly string[];
  /** Epoch milliseconds. */
  readonly lastUsedAt?: number | undefined;
  /** Whether it was pulled for tasks, and nobody has pinned it. */
  readonly isOurs: boolean;
}

/** By what tasks have it: an image that is yet to be pulled by its name. */
export interface ImagesInUse {
  readonly names: ReadonlySet<string>;
  readonly digests: ReadonlySet<string>;
}

/** A task may have been given it a moment ago, and not have said so yet. */
const graceMs = 60_000;

export const isInUse = ({ digest, names }: StoredImage, inUse: ImagesInUse): boolean =>
  inUse.digests.has(digest) || names.some((name) => inUse.names.has(name));

/** Those that may go, the longest unused first. */
export function removableImages<T extends StoredImage>(images: readonly T[], inUse: ImagesInUse, now: number): T[] {
  return images
    .filter((image) => image.isOurs && !isInUse(image, inUse) && now - (image.lastUsedAt ?? 0) >= graceMs)
    .sort((a, b) => (a.lastUsedAt ?? 0) - (b.lastUsedAt ?? 0));
}

export const isOutdated = ({ lastUsedAt = 0 }: StoredImage, { unusedForMs }: ImagePolicy, now: number): boolean =>
  now - lastUsedAt >= unusedForMs;
