/** Keeps what is being made from garbage collection until something else keeps it, or until it is given up. */
import { randomUUID } from 'node:crypto';
import type { NamespacedContainerd } from '../containerd/client.ts';
import { ignoreNotFound } from '../containerd/grpc-error.ts';

/** After a crash in the middle of the work its lease is nobody's: containerd drops it, and all it kept, after this time. */
const lifetimeMs = 24 * 60 * 60 * 1000;

const deleteTimeoutMs = 60_000;

/** What the leases of pulls are called. */
export const pullLease = 'gantry-pull';

/** Those of this process: every other one is of an agent that is no more. */
const own = new Set<string>();

/** Runs the work with a client whose every call is kept by one lease. When it fails, what it made is gone when this throws. */
export async function withLease<T>(
  containerd: NamespacedContainerd,
  purpose: string,
  work: (leased: NamespacedContainerd) => Promise<T>,
): Promise<T> {
  const id = `${purpose}-${randomUUID()}`;
  own.add(id);
  const expiresAt = new Date(Date.now() + lifetimeMs).toISOString();
  let succeeded = false;
  try {
    await containerd.leases.create({ id, labels: { 'containerd.io/gc.expire': expiresAt } });
    const result = await work(containerd.withLease(id));
    succeeded = true;
    return result;
  } finally {
    // A lease that cannot be deleted now (containerd is gone) expires; the outcome of the work is what counts.
    await containerd.leases.delete({ id, sync: !succeeded }, { timeoutMs: deleteTimeoutMs }).catch(() => {});
    own.delete(id);
  }
}

/** Lets go of what agents that died have left under leases of this purpose. What somebody else keeps too, stays. */
export async function dropDeadLeases(containerd: NamespacedContainerd, purpose: string): Promise<void> {
  const { leases } = await containerd.leases.list({});
  for (const { id } of leases) {
    if (!id.startsWith(`${purpose}-`) || own.has(id)) continue;
    await ignoreNotFound(containerd.leases.delete({ id, sync: true }, { timeoutMs: deleteTimeoutMs }));
  }
}
