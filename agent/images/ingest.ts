/**
 * Gets a blob into the content store whatever happens on the way: resumes after a broken connection, waits for another writer,
 * takes a blob that is there already. On failure nothing of the write is left.
 */

import type { NamespacedContainerd } from '../containerd/client.ts';
import { isAlreadyExists, isUnavailable } from '../containerd/grpc-error.ts';
import { RuntimeFailure } from '../runtime.ts';
import { abortWrite, type BlobWrite, labelBlob, writeBlob } from './content.ts';
import type { KeyedLock } from './keyed-lock.ts';
import { pauseAfter, type RetryPolicy } from './retry.ts';

/** A registry that breaks off again and again is given up at last, even if a little comes each time. */
const maxFailures = 20;

export interface Ingest {
  readonly containerd: NamespacedContainerd;
  readonly blob: BlobWrite;
  /** Shared by all writers of this process, so that one's clean-up never hits another's write. */
  readonly locks: KeyedLock;
  readonly retry: RetryPolicy;
  readonly signal: AbortSignal;
}

/** Throws what `writeBlob` throws, when trying again does not help. */
export async function ingest(job: Ingest): Promise<void> {
  const { containerd, blob, locks, signal } = job;
  await locks.run(blob.ref, signal, async () => {
    try {
      await writeWithRetries(job);
    } catch (error) {
      if (isAlreadyExists(error)) {
        blob.onOffset(blob.size);
        await labelBlob(containerd, blob.digest, blob.labels, signal);
        return;
      }
      // What cannot be taken away now (containerd is gone) goes with the lease; the first error is the one to tell.
      if (!isLocked(error)) await abortWrite(containerd, blob.ref).catch(() => {});
      throw error;
    }
  });
}

async function writeWithRetries({ containerd, blob, retry, signal }: Ingest): Promise<void> {
  let inRow = 0;
  let furthest = 0;
  const observed: BlobWrite = {
    ...blob,
    onOffset(offset) {
      if (offset > furthest) inRow = 0;
      furthest = Math.max(furthest, offset);
      blob.onOffset(offset);
    },
  };
  for (let failures = 0; ; failures++) {
    try {
      return await writeBlob(containerd, observed, signal);
    } catch (error) {
      inRow += 1;
      if (signal.aborted || !isPassing(error) || inRow >= retry.failuresInRow || failures >= maxFailures) throw error;
      await pauseAfter(inRow, retry, signal);
    }
  }
}

/** Passing troubles: the registry's, and a ref that is still locked by the stream that broke a moment ago. */
function isPassing(error: unknown): boolean {
  if (error instanceof RuntimeFailure) return error.retryable;
  return isLocked(error);
}

/** Somebody else is writing under this ref. */
function isLocked(error: unknown): boolean {
  return isUnavailable(error) && error.details.includes('locked');
}
