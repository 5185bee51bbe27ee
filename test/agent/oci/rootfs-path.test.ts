import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempDisposableSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readRootfsFile } from '../../../agent/oci/rootfs-path.ts';

function imageTree() {
  const dir = mkdtempDisposableSync(join(tmpdir(), 'gantry-rootfs-'));
  const root = join(dir.path, 'rootfs');
  mkdirSync(join(root, 'etc'), { recursive: true });
  mkdirSync(join(root, 'usr/etc'), { recursive: true });
  writeFileSync(join(dir.path, 'secret'), 'of the host');
  writeFileSync(join(root, 'secret'), 'of the image');
  return { root, [Symbol.dispose]: () => dir.remove() };
}

describe('reading a file of an image', () => {
  it('follows links inside it', async () => {
    using tree = imageTree();
    writeFileSync(join(tree.root, 'usr/etc/passwd'), 'found');
    symlinkSync('../usr/etc/passwd', join(tree.root, 'etc/passwd'));
    symlinkSync('/usr/etc', join(tree.root, 'absolute'));
    expect(await readRootfsFile(tree.root, '/etc/passwd')).toBe('found');
    expect(await readRootfsFile(tree.root, '/absolute/passwd')).toBe('found');
  });

  it.each([
    ['an absolute link', '/secret'],
    ['a link that climbs', '../../../../secret'],
  ])('never leaves it by %s', async (_, target) => {
    using tree = imageTree();
    symlinkSync(target, join(tree.root, 'etc/passwd'));
    expect(await readRootfsFile(tree.root, '/etc/passwd')).toBe('of the image');
  });

  it('answers nothing for what is missing, a loop, a directory or a pipe', async () => {
    using tree = imageTree();
    symlinkSync('loop', join(tree.root, 'etc/loop'));
    execFileSync('mkfifo', [join(tree.root, 'etc/pipe')]);
    for (const path of ['/etc/passwd', '/etc/loop', '/etc', '/etc/pipe', '/secret/below'])
      expect(await readRootfsFile(tree.root, path), path).toBeUndefined();
  });
});
