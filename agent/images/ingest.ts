/**
 * Gets a blob into the content store whatever happens on the way: resumes after a broken connection, waits for another writer,
 * takes a blob that is there already, and writes one anew of which only the name is there. On failure nothing of the write is left.
 */

import type { NamespacedContainerd } from '../containerd/client.ts';
import { ignoreNotFound, isAlreadyExists, isUnavailable } from '../containerd/grpc-error.ts';
import { abortWrite, type BlobWrite, hasBytes, labelBlob, writeBlob } from './content.ts';
import type { KeyedLock } from './keyed-lock.ts';
import { RegistryTrouble } from './pull-failure.ts';
import { type RetryContext, Tries } from './retry.ts';

/** A registry that breaks off again and again is given up at last, even if a little comes each time. */
const maxFailures = 20;

export interface Ingest extends RetryContext {
  readonly containerd: NamespacedContainerd;
  readonly blob: BlobWrite;
  /** Shared by all writers of this process, so that one's clean-up never hits another's write. */
  readonly locks: KeyedLock;
}

/** Throws what `writeBlob` throws, when trying again does not help. */
export async function ingest(job: Ingest): Promise<void> {
  const { containerd, blob, locks, progress, signal } = job;
  // Another pull is at it: its download is this one's too.
  if (locks.isHeld(blob.ref)) progress.waits(job, { reason: `another pull downloads ${blob.digest}` });
  await locks.run(blob.ref, signal, async () => {
    progress.waits(job, undefined);
    try {
      if ((await write(job)) === 'was there') await takeOver(job);
    } catch (error) {
      // What cannot be taken away now (containerd is gone) goes with the lease; the first error is the one to tell.
      if (!isLocked(error)) await abortWrite(containerd, blob.ref).catch(() => {});
      throw error;
    }
  });
}

async function write(job: Ingest): Promise<'written' | 'was there'> {
  try {
    await writeWithRetries(job);
    return 'written';
  } catch (error) {
    if (isAlreadyExists(error)) return 'was there';
    throw error;
  }
}

/** Of a blob that containerd has. */
async function takeOver(job: Ingest): Promise<void> {
  const { containerd, blob, signal } = job;
  if (!(await hasBytes(containerd, blob.digest, signal))) {
    await ignoreNotFound(containerd.content.delete({ digest: blob.digest }, { signal }));
    if ((await write(job)) === 'written') return;
  }
  blob.onOffset(blob.size);
  await labelBlob(containerd, blob.digest, blob.labels, signal);
}

async function writeWithRetries(job: Ingest): Promise<void> {
  const { containerd, blob, signal } = job;
  const tries = new Tries(job);
  let furthest = 0;
  const observed: BlobWrite = {
    ...blob,
    onOffset(offset) {
      if (offset > furthest) tries.progressed();
      furthest = Math.max(furthest, offset);
      blob.onOffset(offset);
    },
  };
  for (let failures = 0; ; failures++) {
    await tries.begin();
    try {
      return await writeBlob(containerd, observed, signal);
    } catch (error) {
      // Passing: the registry's troubles, and a ref that is still locked by the stream that broke a moment ago.
      const isPassing = error instanceof RegistryTrouble || isLocked(error);
      if (!isPassing || failures >= maxFailures || !(await tries.again(error))) throw error;
    }
  }
}

/** Somebody else is writing under this ref. */
function isLocked(error: unknown): boolean {
  return isUnavailable(error) && error.details.includes('locked');
}
