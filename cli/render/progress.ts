/**
 * Image pulls while they happen: a bar each that redraws itself on a terminal; off it one line when a download begins, since the story
 * tells its end.
 */
import type { ProgressFrame } from '../../core/host-protocol.ts';
import { pullWaitText } from '../../core/task/pull-wait.ts';
import { formatBytes, plural } from '../../core/text.ts';
import { oneLine } from './text.ts';

const barWidth = 24;

/** `[########                ]  34 %`. Of nothing, as before a size is known, empty. */
export function progressBar(done: number, total: number, width = barWidth): string {
  const part = total > 0 ? Math.min(1, Math.max(0, done / total)) : 0;
  const filled = Math.round(part * width);
  const bar = `${'#'.repeat(filled)}${' '.repeat(width - filled)}`;
  return `[${bar}] ${String(Math.floor(part * 100)).padStart(3)} %`;
}

/** The last member of an image's reference is what tells images apart on a narrow terminal. */
const shortImage = (image: string): string => image.slice(image.lastIndexOf('/') + 1);

export function progressLine(frame: ProgressFrame, now: number): string {
  const { image, phase, layersDone, layersTotal, bytesDone, bytesTotal, waitsFor } = frame;
  if (waitsFor !== undefined) return `${shortImage(image)}  waiting: ${oneLine(pullWaitText(waitsFor, now))}`;
  switch (phase) {
    case 'resolving':
      return `${shortImage(image)}  resolving`;
    case 'downloading':
      return `${shortImage(image)}  ${progressBar(bytesDone, bytesTotal)}  ${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}`;
    case 'unpacking':
      return `${shortImage(image)}  ${progressBar(layersDone, layersTotal)}  unpacked ${layersDone} of ${plural(layersTotal, 'layer')}`;
    case 'done':
      return `${shortImage(image)}  done`;
  }
}

/** Said once a pull, off a terminal. */
export const pullBegins = ({ image, layersTotal, bytesTotal }: ProgressFrame): string =>
  `pulling ${image} (${plural(layersTotal, 'layer')}, ${formatBytes(bytesTotal)})`;

/** Said whenever what a pull waits for becomes another thing, off a terminal. */
export const pullWaits = ({ image, waitsFor }: ProgressFrame, now: number): string =>
  waitsFor === undefined ? '' : `pulling ${image}: ${oneLine(pullWaitText(waitsFor, now))}`;
