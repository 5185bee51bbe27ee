/**
 * Lets tests wait longer on a slow machine: what vitest's own ways to wait for something are given as their limit, times
 * GANTRY_TEST_TIME_FACTOR. A setup file of vitest; the limits of whole tests are multiplied in vitest.config.ts. Changes no limit of Gantry.
 */
import { expect, vi } from 'vitest';

const factor = Number(process.env.GANTRY_TEST_TIME_FACTOR ?? 1);
/** vitest's. */
const defaultMs = 1000;
/** Test files may share a process, and each runs this. */
const done = Symbol.for('gantry.test-time-factor');

if (factor !== 1 && !(done in globalThis)) {
  Object.assign(globalThis, { [done]: true });
  const { poll } = expect;
  const { waitFor, waitUntil } = vi;
  const longer = <T extends { timeout?: number }>(options: T | number = {} as T): T => {
    const given = typeof options === 'number' ? ({ timeout: options } as T) : options;
    return { ...given, timeout: (given.timeout ?? defaultMs) * factor };
  };
  Object.assign(expect, { poll: (...[actual, options]: Parameters<typeof poll>) => poll(actual, longer(options)) });
  Object.assign(vi, {
    waitFor: (...[look, options]: Parameters<typeof waitFor>) => waitFor(look, longer(options)),
    waitUntil: (...[look, options]: Parameters<typeof waitUntil>) => waitUntil(look, longer(options)),
  });
}
