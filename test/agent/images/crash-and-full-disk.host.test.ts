/**
 * Pulls whose agent is killed in the middle, and pulls onto a disk that is full, against a containerd whose disk is small. The registry
 * counts what it has served.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Containerd, connect, type NamespacedContainerd } from '../../../agent/containerd/client.ts';
import { ImageDisk } from '../../../agent/images/disk.ts';
import { ImagePuller } from '../../../agent/images/puller.ts';
import type { PullProgress } from '../../../agent/runtime.ts';
import { type Blob, buildImage, type Image } from '../../../local/images/image.ts';
import { startContainerd, type TestContainerd } from '../../support/containerd.ts';
import { describeWithContainers } from '../../support/containers.ts';
import { type FakeRegistry, silentBody, startFakeRegistry } from '../../support/fake-registry.ts';
import { imageState } from '../../support/image-state.ts';

const { signal } = new AbortController();
const mib = 1024 * 1024;
const diskMib = 48;

/** Layers of random bytes, as many MiB each as said. */
const randomImage = (...layersMib: number[]): Promise<Image> =>
  buildImage({ layers: layersMib.map((size, n) => ({ [`/${n}`]: { content: randomBytes(size * mib) } })) });

const layersOf = ({ blobs }: Image): readonly Blob[] => blobs.slice(1);
const layerOf = (image: Image, index: number): Blob => {
  const layer = layersOf(image)[index];
  if (layer === undefined) throw new Error(`the image has no layer ${index}`);
  return layer;
};

describeWithContainers('a host', () => {
  const stack = new AsyncDisposableStack();
  let daemon: TestContainerd;
  let client: Containerd;
  let registry: FakeRegistry;
  let hosts = 0;

  beforeAll(async () => {
    daemon = stack.use(await startContainerd({ diskMib }));
    client = stack.use(connect(daemon.socket));
    registry = stack.use(await startFakeRegistry());
  });
  afterAll(() => stack.disposeAsync());

  function newHost(): { containerd: NamespacedContainerd; puller: ImagePuller } {
    registry.requests.length = 0;
    registry.intercept = () => undefined;
    const containerd = client.withNamespace(`host-${hosts++}`);
    return { containerd, puller: new ImagePuller({ containerd, disk: new ImageDisk(client) }) };
  }

  const asked = ({ digest }: Blob): (string | null)[] =>
    registry.requests.filter(({ path }) => path.endsWith(digest)).map(({ headers }) => headers.get('range'));

  it('takes a pull up where its agent was killed, byte by byte', async () => {
    const { containerd, puller } = newHost();
    const image = await randomImage(1, 8);
    const [whole, half] = [layerOf(image, 0), layerOf(image, 1)];
    const served = 5 * mib;
    registry.intercept = ({ path }) =>
      path.endsWith(half.digest) ? new Response(silentBody(new Uint8Array(half.bytes.subarray(0, served)))) : undefined;
    const reference = registry.publish(image, 'team/killed');
    const agent = spawn(
      process.execPath,
      [join(import.meta.dirname, '../../support/pull-process.ts'), daemon.socket, containerd.namespace, reference],
      { stdio: 'inherit' },
    );
    await writtenUntil(containerd, half, 4 * mib, agent);
    agent.kill('SIGKILL');
    await once(agent, 'exit');
    registry.intercept = () => undefined;
    await puller.pull(reference, { signal });
    expect(asked(whole), 'what was there is not asked for again').toEqual([null]);
    const [first, second, ...others] = asked(half);
    expect([first, others]).toEqual([null, []]);
    const from = Number(/^bytes=(\d+)-$/.exec(second ?? '')?.[1]);
    expect(from, 'nothing that had been written is served twice').toBeGreaterThanOrEqual(4 * mib);
    const { leases, snapshots, ...rest } = await imageState(containerd);
    expect(rest).toMatchObject({ ingests: [], blobs: { length: 4 } });
    expect(leases, 'the dead one’s').toHaveLength(1);
    // The dead one may have been unpacking one layer while it downloaded the other: that is its lease's.
    const whatIsWhole = snapshots.filter((key) => !key.startsWith('temporary-'));
    expect(whatIsWhole).toHaveLength(2);
    expect(snapshots.length).toBeLessThanOrEqual(3);
    await puller.dropDead();
    await puller.pull(reference, { signal }); // From what is here.
    expect(await imageState(containerd)).toEqual({ ...rest, snapshots: whatIsWhole, leases: [] });
    expect(registry.requests.filter(({ path }) => path.endsWith(whole.digest))).toHaveLength(1);
  });

  /** Waits until containerd has that much of the blob. */
  async function writtenUntil(containerd: NamespacedContainerd, { digest }: Blob, bytes: number, agent: ChildProcess) {
    const written = async () => {
      if (agent.exitCode !== null) throw new Error('the agent has ended');
      const { statuses } = await containerd.content.listStatuses({});
      return Number(statuses.find(({ ref }) => ref === `gantry-${digest}`)?.offset ?? 0);
    };
    await expect.poll(written, { timeout: 30_000 }).toBeGreaterThanOrEqual(bytes);
  }

  it('downloads a layer once for several tags and repositories that are pulled at once, and says who waits for whom', async () => {
    const { puller } = newHost();
    const image = await randomImage(1);
    const layer = layerOf(image, 0);
    const isAsked = Promise.withResolvers<void>();
    const free = Promise.withResolvers<undefined>();
    registry.intercept = ({ path }) => {
      if (!path.endsWith(layer.digest)) return undefined;
      isAsked.resolve();
      return free.promise;
    };
    const names = [
      registry.publish(image, 'team/a', '1'),
      registry.publish(image, 'team/a', '2'),
      registry.publish(image, 'b'),
    ];
    const waits: string[] = [];
    const onProgress = ({ waitsFor }: PullProgress): void => {
      if (waitsFor === undefined || !waitsFor.reason.includes(layer.digest)) return;
      waits.push(waitsFor.reason);
      if (waits.length === 2) free.resolve(undefined);
    };
    const first = puller.ensure(names[0] ?? '', { signal });
    await isAsked.promise;
    await Promise.all([first, ...names.slice(1).map((name) => puller.ensure(name, { signal, onProgress }))]);
    expect(asked(layer)).toEqual([null]);
    expect(waits).toEqual(Array.from({ length: 2 }, () => `another pull downloads ${layer.digest}`));
  });

  it('that is full fails a pull with what to do, keeps nothing of it, and pulls what has room', async () => {
    const { containerd, puller } = newHost();
    const zeros = await buildImage({ layers: [{ '/zeros': { content: Buffer.alloc(2 * diskMib * mib) } }] });
    expect(layerOf(zeros, 0).bytes.length, 'small, until it is unpacked').toBeLessThan(mib);
    const large = await randomImage(diskMib);
    const full = {
      kind: 'CannotPullContainerError',
      retryable: false,
      message: expect.stringMatching(/no space left on device.*Make room/s),
    };
    await expect(puller.ensure(registry.publish(zeros, 'team/bomb'), { signal })).rejects.toMatchObject(full);
    await expect(puller.ensure(registry.publish(large, 'team/large'), { signal })).rejects.toMatchObject(full);
    const nothing = { images: [], blobs: [], ingests: [], snapshots: [], leases: [] };
    expect(await imageState(containerd)).toEqual(nothing);
    await puller.ensure(registry.publish(await randomImage(1), 'team/small'), { signal });
  });

  it('keeps a part of its disk from pulls', async () => {
    const { containerd, puller } = newHost();
    const image = await randomImage(1);
    const layer = layerOf(image, 0);
    const filler = join(daemon.paths.root, 'filler');
    registry.intercept = ({ path }) => {
      if (!path.endsWith(layer.digest)) return undefined;
      // Others fill the disk while the layer comes.
      const { bsize, bavail } = statfsSync(daemon.paths.root);
      writeFileSync(filler, Buffer.alloc(bsize * bavail - mib / 2));
      return new Response(silentBody(new Uint8Array(1000)));
    };
    try {
      await expect(puller.ensure(registry.publish(image, 'team/late'), { signal })).rejects.toThrow('no space left');
      expect((await imageState(containerd)).blobs).toEqual([]);
    } finally {
      rmSync(filler, { force: true });
    }
  });
});
