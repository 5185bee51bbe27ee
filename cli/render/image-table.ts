/** `gantry images`: a row for each image by digest. */
import { formatBytes } from '../../core/text.ts';
import type { ImageUse } from '../images/uses.ts';
import type { Output } from '../output.ts';
import { formatMoment } from './time.ts';

const shortDigestLength = 12;

export function printImageTable(images: readonly ImageUse[], out: Output, now: number): void {
  out.table(
    ['IMAGE', 'DIGEST', 'SIZE', 'RUNNING', 'TASKS', 'LAST USED', 'FAMILIES', 'HOSTS'],
    images.map(({ image, imageDigest, sizeBytes, hosts, families, running, tasks, lastUsedAt }) => [
      image,
      imageDigest.replace(/^sha256:/, '').slice(0, shortDigestLength),
      sizeBytes === undefined ? '-' : formatBytes(sizeBytes),
      running > 0 ? out.paint('green', String(running)) : '0',
      String(tasks),
      lastUsedAt === undefined ? '-' : formatMoment(lastUsedAt, { terminal: out.terminal, now }),
      families.join(' ') || '-',
      hosts.join(' '),
    ]),
  );
}
