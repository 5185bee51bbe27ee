/** What the layers of an image come to, unpacked onto each other or side by side. */
import { execFileSync } from 'node:child_process';
import { lstatSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Containerd, connect, type NamespacedContainerd } from '../../../agent/containerd/client.ts';
import type { LocalImage } from '../../../agent/images/image-store.ts';
import { ImagePuller } from '../../../agent/images/puller.ts';
import { snapshotter } from '../../../agent/images/snapshots.ts';
import { canUnpackBeside } from '../../../agent/images/unpack-beside.ts';
import type { Image } from '../../../local/images/image.ts';
import { startContainerd, type TestContainerd } from '../../support/containerd.ts';
import { describeWithContainers } from '../../support/containers.ts';
import { craftImage, rawTar, type TarMember } from '../../support/crafted-image.ts';
import { type FakeRegistry, startFakeRegistry } from '../../support/fake-registry.ts';
import { imageState } from '../../support/image-state.ts';

const { signal } = new AbortController();

const directory = (name: string, mode = 0o755, uid = 0): TarMember => ({ name: `${name}/`, type: '5', mode, uid });
const file = (name: string, content = name): TarMember => ({ name, content, mode: 0o644 });

const layers: readonly (readonly TarMember[])[] = [
  [
    directory('etc'),
    file('etc/changed', 'first'),
    file('etc/deleted'),
    file('etc/kept'),
    directory('gone'),
    file('gone/file'),
    directory('opaque'),
    file('opaque/hidden'),
    directory('tmp', 0o1777),
    directory('home'),
    directory('home/app', 0o700, 1000),
    directory('becomes-file'),
    file('becomes-file/file'),
    file('becomes-directory'),
  ],
  [
    directory('etc'),
    file('etc/changed', 'second'),
    file('etc/.wh.deleted'),
    file('.wh.gone'),
    directory('opaque'),
    file('opaque/.wh..wh..opq'),
    file('opaque/shown'),
    file('becomes-file'),
    directory('becomes-directory'),
    file('becomes-directory/file'),
  ],
  // As some builders leave out what is below already.
  [file('tmp/file'), file('home/app/file'), file('new/deep/file')],
  [directory('etc'), file('etc/more'), directory('gone'), file('gone/again'), file('etc/.wh.kept')],
];

/** Of its own: containerd shares blobs between its namespaces. */
const imageOf = (name: string, contents = layers): Promise<Image> =>
  craftImage(contents.map((members) => ({ archive: rawTar([...members, file('of', name)]) })));

/** Mode, owner and name, and what files have in them. */
const treeOf = (name: string): string[] => [
  '40755 0 becomes-directory',
  '100644 0 becomes-directory/file becomes-directory/file',
  '100644 0 becomes-file becomes-file',
  '40755 0 etc',
  '100644 0 etc/changed second',
  '100644 0 etc/more etc/more',
  '40755 0 gone',
  '100644 0 gone/again gone/again',
  '40755 0 home',
  '40700 1000 home/app',
  '100644 0 home/app/file home/app/file',
  '40755 0 new',
  '40755 0 new/deep',
  '100644 0 new/deep/file new/deep/file',
  `100644 0 of ${name}`,
  '40755 0 opaque',
  '100644 0 opaque/shown opaque/shown',
  '41777 0 tmp',
  '100644 0 tmp/file tmp/file',
];

describeWithContainers('the layers of an image', () => {
  let daemon: TestContainerd;
  let client: Containerd;
  let registry: FakeRegistry;
  const stack = new AsyncDisposableStack();
  beforeAll(async () => {
    daemon = stack.use(await startContainerd());
    client = stack.use(connect(daemon.socket));
    registry = stack.use(await startFakeRegistry());
  });
  afterAll(() => stack.disposeAsync());

  /** The image's files, as a container has them. */
  const filesOf = async (containerd: NamespacedContainerd, { chainId }: LocalImage): Promise<string[]> => {
    await containerd.leases.create({ id: 'look' });
    const leased = containerd.withLease('look');
    const { mounts } = await leased.snapshots.prepare({ snapshotter, key: 'look', parent: chainId, labels: {} });
    const path = mkdtempSync(join(daemon.dir, 'root-'));
    execFileSync('mount', ['-t', 'overlay', '-o', mounts[0]?.options.join(',') ?? '', 'overlay', path]);
    try {
      return linesOf(path);
    } finally {
      execFileSync('umount', [path]);
      await containerd.leases.delete({ id: 'look', sync: true });
    }
  };

  it('come to the same, whichever is there last', async () => {
    for (const position of layers.keys()) {
      const name = `last-${position}`;
      const containerd = client.withNamespace(name);
      const image = await imageOf(name);
      const blobs = image.blobs.slice(1).map(({ digest }) => digest);
      const isWanted = Promise.withResolvers<void>();
      registry.intercept = async ({ path }) => {
        if (path.endsWith(`/blobs/${blobs[position]}`)) await isWanted.promise;
        return undefined;
      };
      const pulled = new ImagePuller({ containerd }).pull(registry.publish(image), { signal });
      // Where containerd can, all but that one are unpacked meanwhile; else those below it.
      const others = blobs.length - 1;
      const unpacked = (await canUnpackBeside(containerd)) ? others : position;
      const state = async () => {
        const { blobs: stored, snapshots } = await imageState(containerd);
        return { others: blobs.filter((digest) => stored.includes(digest)).length, unpacked: snapshots.length };
      };
      await expect.poll(state, { timeout: 10_000 }).toEqual({ others, unpacked });
      isWanted.resolve();
      expect(await filesOf(containerd, await pulled)).toEqual(treeOf(name));
      expect((await imageState(containerd)).snapshots).toHaveLength(blobs.length);
    }
  });

  it('are unpacked once for two images that are pulled at the same time', async () => {
    registry.intercept = () => undefined;
    const containerd = client.withNamespace('two');
    const one = await imageOf('one');
    const other = await imageOf('one', [...layers.slice(0, 2), [file('other')]]);
    const puller = new ImagePuller({ containerd });
    const references = [registry.publish(one, 'team/one'), registry.publish(other, 'team/other')];
    const [pulled] = await Promise.all(references.map((reference) => puller.pull(reference, { signal })));
    expect((await imageState(containerd)).snapshots).toHaveLength(layers.length + 1);
    expect(pulled && (await filesOf(containerd, pulled))).toEqual(treeOf('one'));
  });
});

function linesOf(root: string): string[] {
  const paths = readdirSync(root, { recursive: true, encoding: 'utf8' }).toSorted();
  return paths.map((path) => {
    const { mode, uid } = lstatSync(join(root, path));
    const content = lstatSync(join(root, path)).isFile() ? [readFileSync(join(root, path), 'utf8')] : [];
    return [mode.toString(8), uid, path, ...content].join(' ');
  });
}
