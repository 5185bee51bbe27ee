/**
 * When each image was last used: in memory, and to the hour in the label of its record by digest, which outlives the agent. A task's
 * start waits for the label only once in that time.
 */
import type { NamespacedContainerd } from '../containerd/client.ts';
import { type LocalImage, recordImage } from './image-store.ts';
import { digestName, type ImageReference } from './reference.ts';

const writtenEveryMs = 60 * 60 * 1000;

export class ImageUses {
  readonly #containerd: NamespacedContainerd;
  /** By name of the record. */
  readonly #writtenAt = new Map<string, number>();

  constructor(containerd: NamespacedContainerd) {
    this.#containerd = containerd;
  }

  /** A task is given the image: its record by digest is there when this returns. */
  async note(reference: ImageReference, image: LocalImage, signal: AbortSignal): Promise<void> {
    const now = Date.now();
    const name = digestName(reference, image.digest);
    if (now - (this.#writtenAt.get(name) ?? Number.NEGATIVE_INFINITY) < writtenEveryMs) return;
    await recordImage(this.#containerd, name, image.manifest, signal);
    this.#writtenAt.set(name, now);
  }

  /** Tasks use these images now. */
  async touch(images: readonly LocalImage[]): Promise<void> {
    const now = Date.now();
    for (const { name, manifest, digest, lastUsedAt = 0 } of images)
      if (name.endsWith(`@${digest}`) && now - lastUsedAt >= writtenEveryMs)
        await recordImage(this.#containerd, name, manifest);
  }

  /** The image is removed: its records are to be made anew when it is used again. */
  forget(digest: string): void {
    for (const name of this.#writtenAt.keys()) if (name.endsWith(`@${digest}`)) this.#writtenAt.delete(name);
  }
}
