/** Mounts that a containerd or a shim that was killed has left below our directories. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Unmounts what is mounted below these directories, the innermost first. */
export function unmountBelow(directories: readonly string[]): void {
  const points = mountPoints(readFileSync('/proc/self/mountinfo', 'utf8'))
    .filter((point) => directories.some((directory) => point.startsWith(`${directory}/`)))
    .sort((a, b) => b.length - a.length);
  if (points.length > 0) execFileSync('umount', ['--lazy', ...points]);
}

/** The fifth field, in which the kernel writes blanks as octal numbers. */
const mountPoints = (mountInfo: string): string[] =>
  mountInfo
    .split('\n')
    .flatMap((line) => line.split(' ')[4] ?? [])
    .map((point) =>
      point.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
    );
