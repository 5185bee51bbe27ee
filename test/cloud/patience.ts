/** How long the cloud's tests wait: for processes to start, on a machine on which other tests run too. What is quicker ends sooner. */
import { vi } from 'vitest';

/** Of a test or a hook. */
export const patience = { timeout: 300_000 };

/** Resolves once the check no longer fails; fails with its last failure. */
export const eventually = (check: () => unknown): Promise<unknown> =>
  vi.waitFor(check, { timeout: 100_000, interval: 20 });
