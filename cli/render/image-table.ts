/** `gantry images`: a row for each image by digest. */
import type { Output } from '../output.ts';
import { formatMoment } from './time.ts';

export interface ImageUse {
  readonly image: string;
  readonly imageDigest: string;
  readonly hosts: readonly string[];
  readonly families: readonly string[];
  /** Containers. */
  readonly running: number;
  readonly tasks: number;
  readonly lastUsedAt: Date;
}

const shortDigestLength = 12;

export function printImageTable(images: readonly ImageUse[], out: Output, now: number): void {
  out.table(
    ['IMAGE', 'DIGEST', 'RUNNING', 'TASKS', 'LAST USED', 'FAMILIES', 'HOSTS'],
    images.map(({ image, imageDigest, hosts, families, running, tasks, lastUsedAt }) => [
      image,
      imageDigest.replace(/^sha256:/, '').slice(0, shortDigestLength),
      running > 0 ? out.paint('green', String(running)) : '0',
      String(tasks),
      formatMoment(lastUsedAt, { terminal: out.terminal, now }),
      families.join(' '),
      hosts.join(' '),
    ]),
  );
}
