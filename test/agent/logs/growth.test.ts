/** When files are looked at that something else writes: whatever comes while a look is under way is seen by the next one. */
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../../agent/clock.ts';
import { GrowthWatch } from '../../../agent/logs/growth.ts';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gantry-growth-'));
  path = join(directory, 'stdout');
  writeFileSync(path, '');
});
afterEach(() => rmSync(directory, { recursive: true }));

it('misses nothing that is written between what a look sees and its end', async () => {
  let looks = 0;
  const third = Promise.withResolvers<void>();
  const look = async (): Promise<boolean> => {
    looks += 1;
    if (looks === 3) third.resolve();
    if (looks !== 2) return false;
    // It has seen the file already, and does not say so before the kernel has told of what is written now.
    using watcher = disposable(watch(path, { persistent: false }));
    const told = once(watcher.of, 'change');
    appendFileSync(path, 'late\n');
    await told;
    return false;
  };
  using _watch = new GrowthWatch([path], look, systemClock);
  await third.promise;
  expect(looks).toBe(3);
});

const disposable = <T extends { close(): void }>(of: T) => ({ of, [Symbol.dispose]: () => of.close() });
