/** Whether there is room, and leave to write, where things are kept. */
import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { neededDiskMib } from '../preflight.ts';
import { type Finding, finding } from './finding.ts';

/** An image of some layers has as many files. */
const neededInodes = 50_000;
/** Sockets, pid files and bundles of containers. */
const neededRunMib = 16;

export const diskFindings = ({ dataDir, runDir }: { readonly dataDir: string; readonly runDir: string }): Finding[] => [
  ...roomFindings('disk', dataDir, { mib: neededDiskMib, inodes: neededInodes }),
  ...roomFindings('run directory', runDir, { mib: neededRunMib, inodes: 1000 }),
];

function roomFindings(
  subject: string,
  wanted: string,
  least: { readonly mib: number; readonly inodes: number },
): Finding[] {
  let directory = wanted;
  while (!existsSync(directory)) directory = dirname(directory);
  const { bavail, bsize, files, ffree } = statfsSync(directory);
  const freeMib = Math.floor((bavail * bsize) / 1024 ** 2);
  // Some file systems make inodes as they are needed, and say that they have none.
  const fewInodes = files > 0 && ffree < least.inodes;
  const room = finding(
    subject,
    freeMib >= least.mib,
    `${freeMib} MiB free for ${wanted}`,
    'Free some space, or use another place.',
  );
  const inodes = finding(
    `${subject} inodes`,
    false,
    `${ffree} of ${files} inodes free for ${wanted}`,
    'Remove many small files, or use a file system with more inodes.',
  );
  return [...unwritable(subject, directory), room, ...(fewInodes ? [inodes] : [])];
}

function unwritable(subject: string, directory: string): Finding[] {
  try {
    accessSync(directory, constants.W_OK);
    return [];
  } catch {
    const advice =
      'Run it as root; where the file system is mounted read-only, mount it for writing or use another place.';
    return [finding(subject, false, `${directory} cannot be written`, advice)];
  }
}
