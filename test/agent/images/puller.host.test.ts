/** Pulls into a real containerd, from a registry in memory that misbehaves on purpose. */
import { execFileSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Containerd, connect, type NamespacedContainerd } from '../../../agent/containerd/client.ts';
import { WriteAction } from '../../../agent/containerd/gen/content_pb.ts';
import { isNotFound } from '../../../agent/containerd/grpc-error.ts';
import { hostPlatform } from '../../../agent/images/host-platform.ts';
import { ImagePuller, type ImagePullerOptions } from '../../../agent/images/puller.ts';
import { unpackLayer } from '../../../agent/images/unpack.ts';
import type { PullProgress } from '../../../agent/runtime.ts';
import { findExecutable } from '../../../local/containerd.ts';
import { type Blob, buildImage, buildIndex, digestOf, type Image } from '../../../local/images/image.ts';
import { startContainerd, type TestContainerd } from '../../support/containerd.ts';
import { describeWithContainers } from '../../support/containers.ts';
import { type RecordedRequest, silentBody, startFakeRegistry } from '../../support/fake-registry.ts';

const { signal } = new AbortController();
const retry = { failuresInRow: 3, firstMs: 1, longestMs: 20, patienceMs: 0 };

/** Layers of random bytes, so that every test has images of its own and nothing compresses. */
function randomImage(layers = 1, bytesPerLayer = 50_000, options: { architecture?: string } = {}): Promise<Image> {
  const contents = Array.from({ length: layers }, (_, index) => ({
    [`/file-${index}`]: { content: randomBytes(bytesPerLayer) },
  }));
  return buildImage({ ...options, layers: contents });
}

function layersOf({ blobs }: Image): readonly Blob[] {
  return blobs.slice(1);
}

function downloadsOf(requests: readonly RecordedRequest[], { digest }: Blob): RecordedRequest[] {
  return requests.filter(({ path }) => path.endsWith(`/blobs/${digest}`));
}

describeWithContainers('pulling an image', () => {
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

  /** A puller in a namespace of its own. */
  function newHost(options: Partial<ImagePullerOptions> = {}): {
    containerd: NamespacedContainerd;
    puller: ImagePuller;
  } {
    const containerd = client.withNamespace(`test-${randomUUID()}`);
    return { containerd, puller: new ImagePuller({ containerd, retry, ...options }) };
  }

  it('makes it complete and unpacked, and answers what a container needs of it', async () => {
    await using registry = await startFakeRegistry();
    const image = await buildImage({
      config: { Entrypoint: ['/hello'], Env: ['A=1'], User: '1000', StopSignal: 'SIGINT', WorkingDir: '/srv' },
      layers: [{ '/hello': 'one' }, { '/srv/data': 'two' }],
    });
    const { containerd, puller } = newHost();
    const reference = registry.publish(image);
    const pulled = await puller.pull(reference, { signal });
    expect(pulled).toMatchObject({
      reference,
      digest: image.manifest.digest,
      config: {
        config: { Entrypoint: ['/hello'], Env: ['A=1'], User: '1000', StopSignal: 'SIGINT', WorkingDir: '/srv' },
      },
      sizeBytes: image.blobs.reduce((total, { bytes }) => total + bytes.length, 0),
    });
    expect(await snapshotsOf(containerd)).toContain(pulled.chainId);
    expect(await leftovers(containerd)).toEqual({ leases: [], ingests: [], unfinishedSnapshots: [] });
    expect(await puller.find(reference, pulled.digest)).toMatchObject({
      digest: pulled.digest,
      chainId: pulled.chainId,
    });
    expect(imagesCheck(containerd)).toEqual([
      [reference, 'complete (3/3)', 'true'],
      [`${reference.replace(/:latest$/, '')}@${pulled.digest}`, 'complete (3/3)', 'true'],
    ]);
  });

  it('survives garbage collection', async () => {
    await using registry = await startFakeRegistry();
    const { containerd, puller } = newHost();
    const reference = registry.publish(buildIndex([await randomImage(3)]));
    const pulled = await puller.pull(reference, { signal });
    await collectGarbage(containerd);
    expect(await puller.find(reference, pulled.digest)).toMatchObject({ chainId: pulled.chainId });
    expect(imagesCheck(containerd).map(([, ...states]) => states)).toEqual([
      ['complete (4/4)', 'true'],
      ['complete (4/4)', 'true'],
    ]);
  });

  it('chooses the manifest for its platform from an index, of OCI and of Docker', async () => {
    await using registry = await startFakeRegistry();
    const [amd64, arm64] = [
      await randomImage(1, 100, { architecture: 'amd64' }),
      await randomImage(1, 100, { architecture: 'arm64' }),
    ];
    for (const family of ['oci', 'docker'] as const) {
      const reference = registry.publish(buildIndex([arm64, amd64], family), 'team/app', family);
      for (const [architecture, image] of Object.entries({ amd64, arm64 })) {
        const { puller } = newHost({ platform: { os: 'linux', architecture } });
        expect((await puller.pull(reference, { signal })).digest).toBe(image.manifest.digest);
      }
    }
  });

  it('refuses an image for other platforms, with what is offered', async () => {
    await using registry = await startFakeRegistry();
    const image = await randomImage(1, 100, { architecture: 'riscv64' });
    const { architecture } = hostPlatform();
    for (const published of [image, buildIndex([image])]) {
      const { puller } = newHost();
      await expect(puller.pull(registry.publish(published), { signal })).rejects.toMatchObject({
        kind: 'CannotPullImageManifestError',
        message: expect.stringMatching(`not made for linux/${architecture}.*offered: linux/riscv64`),
      });
    }
  });

  it('costs one question when the image is there already, and none for a digest', async () => {
    await using registry = await startFakeRegistry();
    const { puller } = newHost();
    const image = await randomImage(2);
    const reference = registry.publish(buildIndex([image]));
    const first = await puller.pull(reference, { signal });
    registry.requests.length = 0;
    expect(await puller.pull(reference, { signal })).toEqual(first);
    expect(registry.requests.map(({ method, path }) => [method, path])).toEqual([
      ['HEAD', '/v2/team/app/manifests/latest'],
    ]);
    await puller.pull(`${registry.host}/team/app@${first.digest}`, { signal });
    expect(registry.requests).toHaveLength(1);
  });

  it('keeps a token for the next pull, until the registry takes it no more', async () => {
    await using registry = await startFakeRegistry();
    const { puller } = newHost();
    let valid = 1;
    registry.intercept = ({ path, headers }) => {
      if (path === '/token') return Response.json({ token: `t${valid}` });
      if (headers.get('authorization') === `Bearer t${valid}`) return undefined;
      const challenge = `Bearer realm="http://${registry.host}/token"`;
      return new Response(null, { status: 401, headers: { 'www-authenticate': challenge } });
    };
    const reference = registry.publish(await randomImage());
    const pathsOf = async () => {
      registry.requests.length = 0;
      await puller.pull(reference, { signal });
      return registry.requests.map(({ path }) => path);
    };
    await puller.pull(reference, { signal });
    expect(await pathsOf()).toEqual(['/v2/team/app/manifests/latest']);
    valid = 2;
    expect(await pathsOf()).toEqual(['/v2/team/app/manifests/latest', '/token', '/v2/team/app/manifests/latest']);
    const stranger = { credentials: () => Promise.resolve({ username: 'eve', password: 'guess' }) };
    registry.requests.length = 0;
    await puller.pull(reference, { signal, ...stranger });
    expect(
      registry.requests.map(({ path }) => path),
      'no token of somebody else',
    ).toContain('/token');
  });

  it('follows a tag that was moved, fetches only what is new, and still knows the old image by its digest', async () => {
    await using registry = await startFakeRegistry();
    const { containerd, puller } = newHost();
    const below = { '/below': { content: randomBytes(1000) } };
    const before = await buildImage({ layers: [below, { '/v': '1' }] });
    const after = await buildImage({ layers: [below, { '/v': '2' }] });
    const reference = registry.publish(before);
    const old = await puller.pull(reference, { signal });
    registry.publish(after);
    registry.requests.length = 0;
    const moved = await puller.pull(reference, { signal });
    expect(moved.digest).toBe(after.manifest.digest);
    expect(layersOf(after).map((layer) => downloadsOf(registry.requests, layer).length)).toEqual([0, 1]);
    await collectGarbage(containerd);
    expect(await puller.find(reference, old.digest)).toMatchObject({ chainId: old.chainId });
  });

  it('refuses a layer that is not what its digest says, and leaves nothing', async () => {
    await using registry = await startFakeRegistry();
    const { containerd, puller } = newHost();
    const image = await randomImage(3);
    const [, lie] = layersOf(image);
    registry.intercept = ({ path }) =>
      path.endsWith(`/blobs/${lie?.digest}`) ? new Response(randomBytes(lie?.bytes.length ?? 0)) : undefined;
    await expect(puller.pull(registry.publish(image), { signal })).rejects.toMatchObject({
      kind: 'CannotPullContainerError',
      retryable: false,
      message: expect.stringContaining(`sent wrong content for ${lie?.digest}`),
    });
    await expectNothingLeft(containerd);
  });

  it('refuses a layer that unpacks to something else than the config promises', async () => {
    await using registry = await startFakeRegistry();
    const { containerd, puller } = newHost();
    const [image, other] = [await randomImage(1), await randomImage(1)];
    await expect(puller.pull(registry.publish(withLayersOf(image, other)), { signal })).rejects.toMatchObject({
      kind: 'CannotPullContainerError',
      message: expect.stringContaining('it unpacks to'),
    });
    await expectNothingLeft(containerd);
  });

  it('refuses a layer that is no archive', async () => {
    await using registry = await startFakeRegistry();
    const { containerd, puller } = newHost();
    await expect(
      puller.pull(registry.publish(withGarbageLayer(await randomImage(1))), { signal }),
    ).rejects.toMatchObject({
      kind: 'CannotPullContainerError',
      message: expect.stringContaining('unpacking the layer'),
    });
    await expectNothingLeft(containerd);
  });

  it('resumes a layer where a broken connection left it', async () => {
    await using registry = await startFakeRegistry();
    const { containerd, puller } = newHost();
    const image = await randomImage(1, 4_000_000);
    const layer = onlyLayer(image);
    let broken = 0;
    registry.intercept = (request) => {
      const { path, headers } = request;
      if (!path.endsWith(layer.digest) || broken >= 2) return undefined;
      broken += 1;
      const from = Number(/\d+/.exec(headers.get('range') ?? '')?.[0] ?? 0);
      const part = new Uint8Array(layer.bytes.subarray(from, from + 1_500_000));
      return new Response(request.brokenBody(part), { status: from === 0 ? 200 : 206 });
    };
    await puller.pull(registry.publish(image), { signal });
    const offsets = downloadsOf(registry.requests, layer).map(({ headers }) =>
      Number(/\d+/.exec(headers.get('range') ?? '')?.[0] ?? 0),
    );
    expect(offsets).toHaveLength(3);
    expect(offsets[0]).toBe(0);
    expect(offsets[1]).toBeGreaterThan(0);
    expect(offsets[2]).toBeGreaterThan(offsets[1] ?? 0);
    expect(await leftovers(containerd)).toEqual({ leases: [], ingests: [], unfinishedSnapshots: [] });
  });

  it('takes up what a crashed agent had begun', async () => {
    await using registry = await startFakeRegistry();
    const { containerd, puller } = newHost();
    const image = await randomImage(1, 1_000_000);
    const layer = onlyLayer(image);
    const broken = containerd.content.write();
    const write = { action: WriteAction.WRITE, ref: `gantry-${layer.digest}`, total: BigInt(layer.bytes.length) };
    await broken.send({ ...write, data: new Uint8Array(layer.bytes.subarray(0, 400_000)) });
    await broken.answers.next();
    broken.cancel();
    await puller.pull(registry.publish(image), { signal });
    expect(downloadsOf(registry.requests, layer).map(({ headers }) => headers.get('range'))).toEqual(['bytes=400000-']);
  });

  it('downloads no layer that another host on this containerd has', async () => {
    await using registry = await startFakeRegistry();
    const image = await randomImage(2);
    const reference = registry.publish(image);
    await newHost().puller.pull(reference, { signal });
    const { containerd, puller } = newHost();
    await puller.pull(reference, { signal });
    for (const layer of layersOf(image)) expect(downloadsOf(registry.requests, layer)).toHaveLength(1);
    await collectGarbage(containerd);
    expect(imagesCheck(containerd).map(([, ...states]) => states)).toEqual([
      ['complete (3/3)', 'true'],
      ['complete (3/3)', 'true'],
    ]);
  });

  it('gives a registry up that breaks off every time, and leaves nothing', async () => {
    await using registry = await startFakeRegistry();
    const { containerd, puller } = newHost();
    const image = await randomImage(2);
    const layer = onlyLayer(image);
    registry.intercept = (request) =>
      request.path.endsWith(layer.digest)
        ? new Response(request.brokenBody(new Uint8Array(layer.bytes.subarray(0, 100))))
        : undefined;
    await expect(puller.pull(registry.publish(image), { signal })).rejects.toMatchObject({
      kind: 'CannotPullContainerError',
      retryable: true,
      message: expect.stringContaining('EOF'),
    });
    await expectNothingLeft(containerd);
  });

  it('is one download for all who want it at once, each with the progress', async () => {
    await using registry = await startFakeRegistry();
    const { puller } = newHost();
    const image = await randomImage(3);
    const reference = registry.publish(image);
    const progress = Array.from({ length: 5 }, (): PullProgress[] => []);
    const pulls = progress.map((told) => puller.pull(reference, { signal, onProgress: (each) => told.push(each) }));
    await Promise.all(pulls);
    for (const blob of image.blobs) expect(downloadsOf(registry.requests, blob)).toHaveLength(1);
    const bytesTotal = layersOf(image).reduce((total, { bytes }) => total + bytes.length, 0);
    for (const told of progress) {
      expect(told[0]).toMatchObject({ phase: 'resolving' });
      expect(told.at(-1)).toEqual({ phase: 'done', layersDone: 3, layersTotal: 3, bytesDone: bytesTotal, bytesTotal });
    }
  });

  it('downloads a layer once for two images that share it', async () => {
    await using registry = await startFakeRegistry();
    const { puller } = newHost();
    const shared = { '/shared': { content: randomBytes(500_000) } };
    const [one, two] = [
      await buildImage({ layers: [shared, { '/1': '1' }] }),
      await buildImage({ layers: [shared, { '/2': '2' }] }),
    ];
    const references = [registry.publish(one, 'team/one'), registry.publish(two, 'team/two')];
    await Promise.all(references.map((reference) => puller.pull(reference, { signal })));
    expect(downloadsOf(registry.requests, onlyLayer(one))).toHaveLength(1);
  });

  it('does not build on what a failed pull of the same layer has written', async () => {
    await using registry = await startFakeRegistry();
    const { puller } = newHost();
    const shared = { '/shared': { content: randomBytes(100_000) } };
    const images = [
      await buildImage({ layers: [shared, { '/1': '1' }] }),
      await buildImage({ layers: [shared, { '/2': '2' }] }),
    ];
    const [layer] = images.map(onlyLayer);
    let lies = 1;
    registry.intercept = ({ path }) =>
      path.endsWith(`/blobs/${layer?.digest}`) && lies-- > 0
        ? new Response(randomBytes(layer?.bytes.length ?? 0))
        : undefined;
    const references = images.map((image, number) => registry.publish(image, `team/image-${number}`));
    const pulls = await Promise.allSettled(references.map((reference) => puller.pull(reference, { signal })));
    expect(pulls.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });

  it('leaves no half-made snapshot behind, and takes one that another process was faster with', async () => {
    await using registry = await startFakeRegistry();
    const { containerd, puller } = newHost();
    const image = await randomImage();
    const { chainId, config } = await puller.pull(registry.publish(image), { signal });
    const { mediaType, digest, bytes } = onlyLayer(image);
    const layer = {
      blob: { mediaType, digest, size: bytes.length },
      diffId: config.rootfs.diff_ids[0] ?? '',
      parent: '',
    };
    const twice = { ...layer, chainId: `${chainId}-again` };
    await containerd.leases.create({ id: 'unpack' }); // Else garbage collection might do what is to be seen here.
    const leased = containerd.withLease('unpack');
    await Promise.all([unpackLayer(leased, twice, signal), unpackLayer(leased, twice, signal)]);
    const missing = {
      ...layer,
      chainId: `${chainId}-missing`,
      blob: { ...layer.blob, digest: digestOf(Buffer.from('missing')) },
    };
    await expect(unpackLayer(leased, missing, signal)).rejects.toSatisfy(isNotFound);
    expect((await snapshotsOf(containerd)).toSorted()).toEqual([chainId, `${chainId}-again`]);
  });

  it('is not shared between callers with different credentials', async () => {
    await using registry = await startFakeRegistry();
    const { puller } = newHost();
    const reference = registry.publish(await randomImage());
    const ada = `Basic ${Buffer.from('ada:1').toString('base64')}`;
    registry.intercept = ({ headers }) =>
      headers.get('authorization') === ada
        ? undefined
        : new Response(null, { status: 401, headers: { 'www-authenticate': 'Basic realm="fake"' } });
    const [withRights, without] = await Promise.allSettled([
      puller.pull(reference, { signal, credentials: async () => ({ username: 'ada', password: '1' }) }),
      puller.pull(reference, { signal }),
    ]);
    expect(withRights.status).toBe('fulfilled');
    expect(without).toMatchObject({ status: 'rejected', reason: { kind: 'CannotPullContainerAuthError' } });
  });

  it('leaves nothing when all who wanted it have given up, and goes on while one has not', async () => {
    await using registry = await startFakeRegistry();
    const { containerd, puller } = newHost();
    const image = await randomImage(2, 2_000_000);
    const slow = layersOf(image)[1];
    const isStuck = Promise.withResolvers<void>();
    const free = Promise.withResolvers<void>();
    registry.intercept = async ({ path }) => {
      if (!path.endsWith(`/blobs/${slow?.digest}`)) return undefined;
      isStuck.resolve();
      await free.promise;
      return undefined;
    };
    const reference = registry.publish(image);
    const callers = [new AbortController(), new AbortController()];
    const pulls = callers.map((caller) => puller.pull(reference, { signal: caller.signal }));
    const reason = new Error('the task was stopped');
    await isStuck.promise;
    callers[0]?.abort(reason);
    await expect(pulls[0]).rejects.toBe(reason);
    expect((await leftovers(containerd)).leases).toHaveLength(1);
    callers[1]?.abort(reason);
    await expect(pulls[1]).rejects.toBe(reason);
    await expectNothingLeft(containerd);
    free.resolve();
    await expect(puller.pull(reference, { signal })).resolves.toMatchObject({ digest: image.manifest.digest });
  });

  it('leaves nothing when it is given up in the middle of a layer', async () => {
    await using registry = await startFakeRegistry();
    const { containerd, puller } = newHost();
    const image = await randomImage(1, 3_000_000);
    const layer = onlyLayer(image);
    const caller = new AbortController();
    const half = new Uint8Array(layer.bytes.subarray(0, layer.bytes.length / 2));
    registry.intercept = ({ path }) => {
      if (!path.endsWith(layer.digest)) return undefined;
      return new Response(silentBody(half, () => caller.abort(new Error('enough'))));
    };
    await expect(puller.pull(registry.publish(image), { signal: caller.signal })).rejects.toThrow('enough');
    await expectNothingLeft(containerd);
  });

  it('takes what is here when the registry is away, and fails when nothing is', async () => {
    const { puller } = newHost();
    let reference: string;
    let pulled: unknown;
    {
      await using registry = await startFakeRegistry();
      reference = registry.publish(await randomImage());
      pulled = await puller.ensure(reference, { signal });
    }
    expect(await puller.ensure(reference, { signal })).toEqual(pulled);
    await expect(puller.pull(reference, { signal })).rejects.toThrow('connection refused');
    await expect(newHost().puller.ensure(reference, { signal })).rejects.toMatchObject({
      kind: 'CannotPullContainerError',
      message: expect.stringContaining('connection refused'),
    });
  });

  it('does not take what is here when the registry says no', async () => {
    await using registry = await startFakeRegistry();
    const { puller } = newHost();
    const reference = registry.publish(await randomImage());
    await puller.ensure(reference, { signal });
    registry.intercept = () => new Response(null, { status: 404 });
    await expect(puller.ensure(reference, { signal })).rejects.toMatchObject({ kind: 'CannotPullImageManifestError' });
  });

  it('fails when containerd goes away, as something that may work later, and then works', async () => {
    await using registry = await startFakeRegistry();
    const { containerd, puller } = newHost();
    const image = await randomImage(1, 1_000_000);
    const layer = onlyLayer(image);
    const isAsked = Promise.withResolvers<void>();
    const isDown = Promise.withResolvers<void>();
    registry.intercept = async ({ path }) => {
      if (!path.endsWith(layer.digest)) return undefined;
      isAsked.resolve();
      await isDown.promise;
      return undefined;
    };
    const reference = registry.publish(image);
    const failed = expect(puller.pull(reference, { signal })).rejects.toMatchObject({
      kind: 'CannotPullContainerError',
      retryable: true,
    });
    await isAsked.promise;
    await daemon.stop('SIGKILL');
    isDown.resolve();
    await failed;
    await daemon.resume();
    await expect(puller.pull(reference, { signal })).resolves.toMatchObject({ digest: image.manifest.digest });
    expect((await leftovers(containerd)).ingests).toEqual([]);
  });

  function imagesCheck({ namespace }: NamespacedContainerd): string[][] {
    const ctr = findExecutable('ctr');
    if (ctr === undefined) throw new Error('ctr was not found');
    const table = execFileSync(ctr, ['-a', daemon.socket, '-n', namespace, 'images', 'check'], { encoding: 'utf8' });
    return table
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => {
        const {
          name = '',
          status = '',
          unpacked = '',
        } = /^(?<name>\S+).*(?<status>complete \(\d+\/\d+\)|incomplete \S+).*\s(?<unpacked>true|false)\s*$/.exec(line)
          ?.groups ?? {};
        return [name, status, unpacked];
      });
  }
});

function onlyLayer(image: Image): Blob {
  const [layer] = layersOf(image);
  if (layer === undefined) throw new Error('the image has no layer');
  return layer;
}

/** The image with another image's layers in its manifest, while its config stays. */
function withLayersOf(image: Image, other: Image): Image {
  return rewritten(image, layersOf(other));
}

function withGarbageLayer(image: Image): Image {
  const bytes = randomBytes(1000);
  return rewritten(image, [{ ...onlyLayer(image), bytes, digest: digestOf(bytes) }]);
}

function rewritten({ manifest, blobs: [config], platform }: Image, layers: readonly Blob[]): Image {
  if (config === undefined) throw new Error('the image has no config');
  const descriptors = layers.map(({ mediaType, digest, bytes }) => ({ mediaType, digest, size: bytes.length }));
  const bytes = Buffer.from(JSON.stringify({ ...JSON.parse(manifest.bytes.toString()), layers: descriptors }));
  return { manifest: { ...manifest, bytes, digest: digestOf(bytes) }, blobs: [config, ...layers], platform };
}

async function snapshotsOf(containerd: NamespacedContainerd): Promise<string[]> {
  const names: string[] = [];
  for await (const { info } of containerd.snapshots.list({ snapshotter: 'overlayfs' }))
    names.push(...info.map(({ name }) => name));
  return names;
}

interface Leftovers {
  readonly leases: string[];
  readonly ingests: string[];
  readonly unfinishedSnapshots: string[];
}

async function leftovers(containerd: NamespacedContainerd): Promise<Leftovers> {
  const { leases } = await containerd.leases.list({});
  const { statuses } = await containerd.content.listStatuses({});
  const snapshots = await snapshotsOf(containerd);
  return {
    leases: leases.map(({ id }) => id),
    ingests: statuses.map(({ ref }) => ref),
    unfinishedSnapshots: snapshots.filter((name) => !name.startsWith('sha256:')),
  };
}

async function expectNothingLeft(containerd: NamespacedContainerd): Promise<void> {
  expect(await leftovers(containerd)).toEqual({ leases: [], ingests: [], unfinishedSnapshots: [] });
  expect(await snapshotsOf(containerd)).toEqual([]);
  const { images } = await containerd.images.list({});
  expect(images).toEqual([]);
  const blobs: string[] = [];
  for await (const { info } of containerd.content.list({})) blobs.push(...info.map(({ digest }) => digest));
  expect(blobs).toEqual([]);
}

/** Deleting a lease in its synchronous form returns after garbage collection has run. */
async function collectGarbage(containerd: NamespacedContainerd): Promise<void> {
  const id = `collect-${randomUUID()}`;
  await containerd.leases.create({ id });
  await containerd.leases.delete({ id, sync: true });
}
