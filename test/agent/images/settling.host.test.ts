/** Layers of images when the machine loses its power: what was not flushed is unpacked anew, of what was downloaded. */
import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Containerd, connect, type NamespacedContainerd } from '../../../agent/containerd/client.ts';
import { hostPlatform } from '../../../agent/images/host-platform.ts';
import { ImagePuller } from '../../../agent/images/puller.ts';
import { LayerSettler } from '../../../agent/images/settling.ts';
import { snapshotter } from '../../../agent/images/snapshots.ts';
import { unpackedIn } from '../../../agent/images/unpack.ts';
import { buildImage } from '../../../local/images/image.ts';
import { startContainerd, type TestContainerd } from '../../support/containerd.ts';
import { describeWithContainers } from '../../support/containers.ts';
import { startFakeRegistry } from '../../support/fake-registry.ts';
import { imageState } from '../../support/image-state.ts';

const { signal } = new AbortController();
const log = pino({ level: 'silent' });

describeWithContainers('the layers of an image', () => {
  let daemon: TestContainerd;
  let client: Containerd;
  beforeAll(async () => {
    daemon = await startContainerd();
    client = connect(daemon.socket);
  });
  afterAll(async () => {
    client.close();
    await daemon[Symbol.asyncDispose]();
  });

  /** A host that has pulled an image of two layers, with a root file system on it that a container has written into. */
  async function hostWithImage() {
    const registry = await startFakeRegistry();
    const name = randomUUID();
    const image = await buildImage({ layers: [{ '/below': `below of ${name}` }, { '/above': `above of ${name}` }] });
    const reference = registry.publish(image);
    const containerd = client.withNamespace(`test-${name}`);
    const { chainId, digest } = await new ImagePuller({ containerd }).pull(reference, { signal });
    await containerd.leases.create({ id: 'of-a-container' });
    const { snapshots } = containerd.withLease('of-a-container');
    await snapshots.prepare({ snapshotter, key: 'of-a-container', parent: chainId, labels: {} });
    return {
      containerd,
      registry,
      reference,
      /** The lowest first. */
      layers: image.blobs.slice(1),
      isWhole: async () => (await new ImagePuller({ containerd }).find(reference, digest)) !== undefined,
      /** Where containerd has the files of each layer, the highest first. */
      async directories(): Promise<string[]> {
        const key = `look-${randomUUID()}`;
        const { mounts } = await snapshots.prepare({ snapshotter, key, parent: chainId, labels: {} });
        await snapshots.remove({ snapshotter, key });
        const lower = mounts[0]?.options.find((option) => option.startsWith('lowerdir=')) ?? '';
        return lower.slice('lowerdir='.length).split(':');
      },
      name,
      [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose](),
    };
  }

  async function labelsOf(containerd: NamespacedContainerd): Promise<Record<string, string | undefined>> {
    const labels: Record<string, string | undefined> = {};
    for await (const { info } of containerd.snapshots.list({ snapshotter }))
      for (const one of info) labels[one.name] = one.labels[unpackedIn];
    return labels;
  }

  /** Their labels say another boot from now on, those that have one. */
  async function reboot(containerd: NamespacedContainerd): Promise<void> {
    for (const [name, boot] of Object.entries(await labelsOf(containerd))) {
      if (boot === undefined) continue;
      const updateMask = { paths: [`labels.${unpackedIn}`] };
      const info = { name, labels: { [unpackedIn]: 'another boot' } };
      await containerd.snapshots.update({ snapshotter, info, updateMask });
    }
  }

  const settlerOf = (containerd: NamespacedContainerd, flush: () => Promise<void>) =>
    new LayerSettler({ containerd, platform: hostPlatform(), disk: { flush }, log });

  it('are unpacked anew where another boot did not flush them: without a download, and without what stood on them', async () => {
    await using host = await hostWithImage();
    const { containerd, registry, name } = host;
    const settler = settlerOf(containerd, () => Promise.reject(new Error('the disk does not answer')));
    await expect(settler.settle()).rejects.toThrow('the disk does not answer');
    const before = await imageState(containerd);
    for (const directory of await host.directories())
      for (const file of ['above', 'below'])
        try {
          truncateSync(join(directory, file));
        } catch {
          // Of the other layer.
        }
    await reboot(containerd);
    const requests = registry.requests.length;
    await settler.renewed();
    expect(registry.requests.length).toBe(requests);
    const [above = '', below = ''] = await host.directories();
    expect(readFileSync(join(above, 'above'), 'utf8')).toBe(`above of ${name}`);
    expect(readFileSync(join(below, 'below'), 'utf8')).toBe(`below of ${name}`);
    const after = await imageState(containerd);
    expect(after).toEqual({ ...before, snapshots: before.snapshots.filter((key) => key !== 'of-a-container') });
    expect(await host.isWhole()).toBe(true);
  });

  it('are downloaded again where the disk has lost a blob, though containerd knows it', async () => {
    await using host = await hostWithImage();
    const { containerd, registry, reference, layers } = host;
    const [lost = '', kept = ''] = layers.map(({ digest }) => digest);
    rmSync(join(daemon.paths.root, 'io.containerd.content.v1.content/blobs/sha256', lost.slice('sha256:'.length)));
    await reboot(containerd);
    await settlerOf(containerd, async () => {}).renewed();
    expect(await host.isWhole()).toBe(false);
    const before = registry.requests.length;
    await new ImagePuller({ containerd }).pull(reference, { signal });
    const asked = registry.requests.slice(before).map(({ path }) => path);
    expect(asked).toContainEqual(expect.stringContaining(lost));
    expect(asked).not.toContainEqual(expect.stringContaining(kept));
    expect(await host.isWhole()).toBe(true);
  });

  it('stay as they are where they were flushed, and until the next boot', async () => {
    await using host = await hostWithImage();
    const { containerd } = host;
    let flushes = 0;
    const settler = settlerOf(containerd, async () => {
      flushes += 1;
    });
    const before = [await imageState(containerd), await host.directories()];
    await settler.renewed();
    expect([await imageState(containerd), await host.directories()]).toEqual(before);
    expect(Object.values(await labelsOf(containerd)).filter((boot) => boot !== undefined)).toHaveLength(2);
    await settler.settle();
    expect(Object.values(await labelsOf(containerd)).filter((boot) => boot !== undefined)).toEqual([]);
    await settler.settle();
    expect(flushes, 'there was nothing to flush the second time').toBe(1);
    await reboot(containerd);
    await settlerOf(containerd, async () => {}).renewed();
    expect([await imageState(containerd), await host.directories()]).toEqual(before);
  });
});
