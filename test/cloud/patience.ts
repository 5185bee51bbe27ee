/** How long the cloud's tests wait: for processes to start, on a machine on which other tests run too. What is quicker ends sooner. */
import { vi } from 'vitest';

/** Of a test or a hook. */
export const patience = { timeout: 180_000 };

/** Resolves once the check no longer fails; fails with its last failure. */
export const eventually = (check: () => unknown): Promise<unknown> =>
  vi.waitFor(check, { timeout: 40_000, interval: 20 });
