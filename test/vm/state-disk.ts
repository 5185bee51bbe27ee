/** A file system for what is to survive a power cut, on a disk that loses what was not flushed. */
import { execFileSync } from 'node:child_process';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { VolatileDisk } from './volatile-disk.ts';

export function makeStateDisk(directory: string, sizeMib: number): VolatileDisk {
  const file = join(directory, 'state.img');
  writeFileSync(file, '');
  truncateSync(file, sizeMib * 2 ** 20);
  execFileSync('mkfs.ext4', ['-q', file]);
  return new VolatileDisk(file, join(directory, 'state.sock'));
}

/** True for every other, on average, and for the same seed at the same places (mulberry32). */
export function chance(seed: number): () => boolean {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) & 1) === 1;
  };
}
