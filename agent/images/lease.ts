/** Keeps what is being made from garbage collection until something else keeps it, or until it is given up. */
import { randomUUID } from 'node:crypto';
import type { NamespacedContainerd } from '../containerd/client.ts';

/** After a crash in the middle of the work its lease is nobody's: containerd drops it, and all it kept, after this time. */
const lifetimeMs = 24 * 60 * 60 * 1000;

const deleteTimeoutMs = 60_000;

/** Runs the work with a client whose every call is kept by one lease. When it fails, what it made is gone when this throws. */
export async function withLease<T>(
  containerd: NamespacedContainerd,
  purpose: string,
  work: (leased: NamespacedContainerd) => Promise<T>,
): Promise<T> {
  const id = `${purpose}-${randomUUID()}`;
  const expiresAt = new Date(Date.now() + lifetimeMs).toISOString();
  await containerd.leases.create({ id, labels: { 'containerd.io/gc.expire': expiresAt } });
  let succeeded = false;
  try {
    const result = await work(containerd.withLease(id));
    succeeded = true;
    return result;
  } finally {
    // A lease that cannot be deleted now (containerd is gone) expires; the outcome of the work is what counts.
    await containerd.leases.delete({ id, sync: !succeeded }, { timeoutMs: deleteTimeoutMs }).catch(() => {});
  }
}
