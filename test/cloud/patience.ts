/** How long the cloud's tests wait: for processes to start, on a machine on which other tests run too. What is quicker ends sooner. */
import { setTimeout as delay } from 'node:timers/promises';

/** Of a test or a hook. */
export const patience = { timeout: 300_000 };

const longestMs = 100_000;
const intervalMs = 20;

/** Resolves once the check no longer fails; fails with its last failure. Not vi.waitFor: chaos comes here without vitest. */
export async function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  const deadline = performance.now() + longestMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await delay(intervalMs);
  }
}
