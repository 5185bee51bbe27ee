/**
 * How long images stay on the host (core/plan/images.ts decides; docs/images.md tells). Looks when something has happened (a pull has
 * ended, a task has gone, a heartbeat was sent), whether the disk is full each time, and how old images are once an hour.
 */
import type { Logger } from 'pino';
import { type ImagePolicy, type ImagesInUse, isInUse, isOutdated, removableImages } from '../../core/plan/images.ts';
import type { Clock } from '../clock.ts';
import { reserveBytes } from '../images/disk.ts';
import { type ImageReference, parseReference } from '../images/reference.ts';
import type { Ledger } from '../ledger.ts';
import type { DiskUse, HeldImage, Runtime } from '../runtime.ts';
import { createBell } from './bell.ts';

const lookEveryMs = 60 * 60 * 1000;
/** What unpacked layers take beside those that were downloaded, at a guess. */
const unpackedFactor = 4;

export interface ImageRetentionDeps {
  readonly runtime: Pick<Runtime, 'listImages' | 'images'>;
  readonly ledger: Pick<Ledger, 'all'>;
  readonly policy: ImagePolicy;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface ImageRetention {
  /** Something has happened: to be looked at soon. */
  ring(): void;
  /** For a pull that met a full disk. Answers whether anything was removed. */
  makeRoom(imageBytes: number): Promise<boolean>;
  loop(signal: AbortSignal): Promise<void>;
}

/** When the disk is too full, and when it is no longer. */
interface Fullness {
  readonly isFull: (disk: DiskUse) => boolean;
  readonly hasRoom: (disk: DiskUse) => boolean;
}

export function createImageRetention(deps: ImageRetentionDeps): ImageRetention {
  const { runtime, ledger, policy, clock, log } = deps;
  const bell = createBell();
  const beganAt = clock.now();
  let lookedAt = Number.NEGATIVE_INFINITY;
  let last: Promise<unknown> = Promise.resolve();

  const remove = async (image: HeldImage, why: string): Promise<void> => {
    await runtime.images.remove(image.digest);
    const { names, digest, sizeBytes, lastUsedAt } = image;
    log.info({ names, digest, sizeBytes, lastUsedAt, why }, 'an image was removed');
  };

  const collect = async ({ isFull, hasRoom }: Fullness): Promise<boolean> => {
    const tooFull = isFull(await runtime.images.disk());
    if (!tooFull && clock.now() - lookedAt < lookEveryMs) return false;
    // Tasks of an earlier agent have had an hour to take up their pulls.
    if (clock.now() - beganAt >= lookEveryMs) await runtime.images.dropDeadPulls();
    lookedAt = clock.now();
    const images = await runtime.listImages();
    const used = images.filter((image) => isInUse(image, imagesInUse(ledger)));
    // Counted as used now, so that an image does not go the moment its task of a week ends.
    await runtime.images.touch(used.map(({ digest }) => digest));
    let removed = 0;
    for (const image of removableImages(images, imagesInUse(ledger), clock.now())) {
      const outdated = isOutdated(image, policy, clock.now());
      if (!outdated && (!tooFull || hasRoom(await runtime.images.disk()))) break;
      if (isInUse(image, imagesInUse(ledger))) continue; // A task has come meanwhile.
      await remove(image, outdated ? 'nobody has used it for long' : 'the disk is full');
      removed += 1;
    }
    return removed > 0;
  };

  /** One after the other: each measures what those before it have left. */
  const inTurn = (fullness: Fullness): Promise<boolean> => {
    const turn = last.then(() => collect(fullness));
    last = turn.catch(() => {});
    return turn;
  };

  return {
    ring: () => bell.ring(),
    async makeRoom(imageBytes) {
      const hasRoom = (disk: DiskUse): boolean =>
        disk.freeBytes >= reserveBytes(disk) + imageBytes * (1 + unpackedFactor);
      try {
        return await inTurn({ isFull: () => true, hasRoom });
      } catch (error) {
        log.warn({ err: error }, 'no room can be made for an image');
        return false;
      }
    },
    async loop(signal) {
      const fullness = {
        isFull: (disk: DiskUse) => usedPart(disk) >= policy.diskHigh,
        hasRoom: (disk: DiskUse) => usedPart(disk) <= policy.diskLow,
      };
      for (;;) {
        await bell.rung(signal);
        if (signal.aborted) return;
        await inTurn(fullness).catch((error: unknown) => {
          log.warn({ err: error }, 'unused images cannot be removed now'); // The next event tries again.
        });
      }
    },
  };
}

const usedPart = ({ totalBytes, freeBytes }: DiskUse): number => (totalBytes === 0 ? 0 : 1 - freeBytes / totalBytes);

/** Those of every task of which anything may still be on this host, and of those that wait to start. */
function imagesInUse(ledger: Pick<Ledger, 'all'>): ImagesInUse {
  const [names, digests] = [new Set<string>(), new Set<string>()];
  for (const { spec, containers, removedAt } of ledger.all()) {
    if (removedAt !== undefined) continue;
    for (const { imageDigest } of containers) if (imageDigest !== undefined) digests.add(imageDigest);
    for (const { image } of spec.containers) {
      const reference = referenceOf(image);
      if (reference === undefined) continue;
      names.add(reference.name);
      if (reference.digest !== undefined) digests.add(reference.digest);
    }
  }
  return { names, digests };
}

/** Undefined for one that is not valid: nothing was pulled for it. */
function referenceOf(image: string): ImageReference | undefined {
  try {
    return parseReference(image);
  } catch {
    return undefined;
  }
}
