/** Small files that are whole or not there, also after a power cut: keys and what else is made once and has to stay. */
import { chmodSync, renameSync, writeFileSync } from 'node:fs';

export function writeWhole(file: string, text: string, mode = 0o600): void {
  const unfinished = `${file}.new`;
  writeFileSync(unfinished, text, { mode, flush: true });
  chmodSync(unfinished, mode); // One that was left may have had another.
  renameSync(unfinished, file);
}
