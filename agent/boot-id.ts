/** Which boot of this machine it is: another one has none of its processes, and may lack what was not flushed before it. */
import { readFileSync } from 'node:fs';

let known: string | undefined;

export function bootId(): string {
  known ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return known;
}
