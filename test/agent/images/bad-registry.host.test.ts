/**
 * What a registry may send or do instead of an image, against a real containerd: each pull fails under ECS' name of the error with a
 * sentence that says what is wrong, the host holds what it held before, and another pull beside it succeeds.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Containerd, connect, type NamespacedContainerd } from '../../../agent/containerd/client.ts';
import { ImageDisk } from '../../../agent/images/disk.ts';
import { ImagePuller } from '../../../agent/images/puller.ts';
import { buildImage, buildIndex, digestOf, type Image } from '../../../local/images/image.ts';
import { startContainerd, type TestContainerd } from '../../support/containerd.ts';
import { describeWithContainers } from '../../support/containers.ts';
import { craftImage, descriptorOf, jsonBlob, rawTar } from '../../support/crafted-image.ts';
import { type FakeRegistry, type Interception, silentBody, startFakeRegistry } from '../../support/fake-registry.ts';
import { imageState } from '../../support/image-state.ts';

const { signal } = new AbortController();
const file = (content: string) => rawTar([{ name: 'file', content }]);
let images = 0;
/** One that no other case has. */
const anImage = () => craftImage([{ archive: file(`number ${images++}`) }]);

interface Bad {
  /** Publishes what is bad, or makes the registry misbehave for this repository. */
  readonly publish: (registry: FakeRegistry, name: string) => string | Promise<string>;
  readonly kind?: string;
  readonly says: RegExp;
}

const publishing =
  (make: () => Promise<Image>): Bad['publish'] =>
  async (registry, name) =>
    registry.publish(await make(), name);

/** The image is good, and the registry is not: for this repository it answers otherwise. */
function answering(what: 'manifests' | 'blobs', answer: (image: Image) => Interception): Bad['publish'] {
  return async (registry, name) => {
    const image = await anImage();
    const before = registry.intercept;
    const changed = answer(image);
    registry.intercept = (request) =>
      request.path.startsWith(`/v2/${name}/${what}/`) ? changed(request) : before(request);
    return registry.publish(image, name);
  };
}

const layerOf = ({ blobs }: Image): Buffer => blobs.at(-1)?.bytes ?? Buffer.alloc(0);
const layerAs = (change: (bytes: Buffer) => Buffer, headers: Record<string, string> = {}): Bad['publish'] =>
  answering(
    'blobs',
    (image) =>
      ({ path }) =>
        path.endsWith(digestOf(layerOf(image)))
          ? new Response(new Uint8Array(change(layerOf(image))), { headers })
          : undefined,
  );
const withManifest = (manifest: object): Bad['publish'] =>
  publishing(() => craftImage([{ archive: file('m') }], { manifest }));
const absurd = `sha256:${'a'.repeat(64)}`;
const manifestError = 'CannotPullImageManifestError';

const cases: Readonly<Record<string, Bad>> = {
  'a layer that is shorter than promised': {
    publish: layerAs((bytes) => bytes.subarray(0, 50)),
    says: /ended after 50 of \d+ bytes \(unexpected EOF\)/,
  },
  'a layer that is longer than promised': {
    publish: layerAs((bytes) => Buffer.concat([bytes, bytes])),
    says: /sent wrong content for sha256:.* \(more than \d+ bytes\)/,
  },
  'a layer of other bytes': {
    publish: layerAs((bytes) => Buffer.from(bytes.toReversed())),
    says: /sent wrong content for sha256:.*push the image again/s,
  },
  'a layer whose archive ends in the middle': {
    publish: publishing(() => craftImage([{ archive: file('x'.repeat(5000)).subarray(0, 3000) }])),
    says: /unpacking the layer sha256:.* failed on the host: .*EOF/s,
  },
  'a layer that is compressed only half': {
    publish: async (registry, name) => {
      const image = await anImage();
      const half = { ...image.blobs[1], bytes: layerOf(image).subarray(0, 60) };
      const layer = { mediaType: half.mediaType ?? '', bytes: half.bytes, digest: digestOf(half.bytes) };
      const manifest = JSON.parse(image.manifest.bytes.toString());
      const changed = jsonBlob(image.manifest.mediaType, { ...manifest, layers: [descriptorOf(layer)] });
      return registry.publish({ ...image, manifest: changed, blobs: [...image.blobs.slice(0, 1), layer] }, name);
    },
    says: /unpacking the layer sha256:.* failed on the host/,
  },
  'a hard link to outside of the image': {
    publish: publishing(() =>
      craftImage([{ archive: rawTar([{ name: 'shadow', type: '1', link: '../../../../../../etc/shadow' }]) }]),
    ),
    says: /unpacking the layer sha256:.* failed on the host: .*no such file/s,
  },
  'layers that are not to be distributed': {
    publish: publishing(() =>
      craftImage([{ archive: file('f'), mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip' }]),
    ),
    kind: manifestError,
    says: /a layer of it is not to be distributed/,
  },
  'layers that are encrypted': {
    publish: publishing(() =>
      craftImage([{ archive: file('e'), mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip+encrypted' }]),
    ),
    kind: manifestError,
    says: /a layer of it is encrypted/,
  },
  'a chart': {
    publish: withManifest({
      config: { mediaType: 'application/vnd.cncf.helm.config.v1+json', digest: absurd, size: 3 },
    }),
    kind: manifestError,
    says: /it is no image of a container: its config is of the type application\/vnd\.cncf\.helm/,
  },
  'a manifest of absurd size': {
    publish: withManifest({ annotations: { long: 'x'.repeat(4 * 1024 * 1024) } }),
    kind: manifestError,
    says: /larger than 4194304 bytes/,
  },
  'more layers than overlayfs can hold': {
    publish: withManifest({ layers: Array.from({ length: 128 }, () => ({ mediaType: 'x', digest: absurd, size: 1 })) }),
    kind: manifestError,
    says: /layers: Too big: expected array to have <=127 items/,
  },
  'an image without layers': {
    publish: withManifest({ layers: [] }),
    kind: manifestError,
    says: /an image needs a layer/,
  },
  'a config of absurd size': {
    publish: withManifest({
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: absurd, size: 5 * 1024 * 1024 },
    }),
    kind: manifestError,
    says: /larger than 4194304 bytes/,
  },
  'a config that lists other layers': {
    publish: publishing(() =>
      craftImage([{ archive: file('c') }], { config: { rootfs: { type: 'layers', diff_ids: [absurd, absurd] } } }),
    ),
    kind: manifestError,
    says: /it has 1 layers, and its config 2/,
  },
  'a layer that no disk holds': {
    publish: withManifest({
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: absurd, size: 2 ** 52 }],
    }),
    says: /no space left on device: the disk of the host has no room for its 4096 TiB.*Make room/s,
  },
  'an index inside an index': {
    publish: async (registry, name) => {
      const inner = buildIndex([await anImage()]);
      const { platform } = await anImage();
      registry.publish(inner, name);
      return registry.publish(buildIndex([{ ...inner, blobs: [], platform }]), name);
    },
    kind: manifestError,
    says: /it is an index inside an index/,
  },
  'no JSON': {
    publish: answering(
      'manifests',
      ({ manifest }) =>
        () =>
          new Response('{"schemaVersion": 2,', { headers: { 'content-type': manifest.mediaType } }),
    ),
    kind: manifestError,
    says: /its manifest cannot be used: .*JSON/,
  },
  'JSON that is nested without end': {
    publish: answering(
      'manifests',
      ({ manifest }) =>
        () =>
          new Response('['.repeat(1024 * 1024), { headers: { 'content-type': manifest.mediaType } }),
    ),
    kind: manifestError,
    says: /its manifest cannot be used/,
  },
  'a page of HTML': {
    publish: answering(
      'manifests',
      () => () => new Response('<html>Log in</html>', { headers: { 'content-type': 'text/html' } }),
    ),
    kind: manifestError,
    says: /it is of the type text\/html/,
  },
  'redirects in a circle': {
    publish: answering(
      'manifests',
      () =>
        ({ path }) =>
          new Response(null, { status: 302, headers: { location: path } }),
    ),
    says: /redirects more than 5 times/,
  },
  'no answer': {
    publish: answering('manifests', () => () => new Promise(() => {})),
    says: /did not answer within 0\.2 s \(i\/o timeout\).*Check that the registry is up/s,
  },
  'a layer that stops coming': {
    publish: answering(
      'blobs',
      (image) =>
        ({ path }) =>
          path.endsWith(digestOf(layerOf(image)))
            ? new Response(silentBody(new Uint8Array(layerOf(image).subarray(0, 50))))
            : undefined,
    ),
    says: /sent nothing for 0\.2 s \(i\/o timeout\)/,
  },
  'HTTP status 500 with a page of HTML': {
    publish: answering('manifests', () => () => new Response('<html>', { status: 500 })),
    says: /answered HTTP status 500\. See the log of the registry/,
  },
  'HTTP status 429, and come back in two hours': {
    publish: answering(
      'manifests',
      () => () => new Response(null, { status: 429, headers: { 'retry-after': '7200' } }),
    ),
    says: /HTTP status 429 and asks to wait for 2 h\. Wait, configure credentials with a higher limit, or name a mirror/,
  },
};

describeWithContainers('what a registry may send', () => {
  const stack = new AsyncDisposableStack();
  const outside = mkdtempSync('/var/tmp/gantry-outside-');
  let daemon: TestContainerd;
  let client: Containerd;
  let registry: FakeRegistry;
  let containerd: NamespacedContainerd;
  let puller: ImagePuller;

  beforeAll(async () => {
    daemon = stack.use(await startContainerd());
    client = stack.use(connect(daemon.socket));
    registry = stack.use(await startFakeRegistry());
    stack.defer(() => rmSync(outside, { recursive: true }));
    containerd = client.withNamespace('bad');
    const retry = { failuresInRow: 2, firstMs: 1, longestMs: 2, patienceMs: 1000 };
    const httpLimits = { answerTimeoutMs: 200, inactivityTimeoutMs: 200 };
    puller = new ImagePuller({ containerd, retry, httpLimits, disk: new ImageDisk(client) });
  });
  afterAll(() => stack.disposeAsync());

  it.each(Object.entries(cases))('%s', async (name, { publish, kind = 'CannotPullContainerError', says }) => {
    const repository = `bad/${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`;
    const [bad, other] = [await publish(registry, repository), registry.publish(await anImage(), 'good/app')];
    const refused = puller.ensure(bad, { signal }).then(
      () => 'it succeeded',
      (error: unknown) => error,
    );
    await puller.ensure(other, { signal });
    expect(await refused).toMatchObject({ kind, retryable: false, message: expect.stringMatching(says) });
    const after = await imageState(containerd);
    expect(after).toMatchObject({ ingests: [], leases: [] });
    expect(after.images.filter((image) => image.includes('/bad/'))).toEqual([]);
    await puller.ensure(other, { signal }); // Nothing that it needs has gone with the bad one.
    // One snapshot, and three blobs, of each good image; nothing else.
    const good = after.images.filter((image) => image.includes('@'));
    expect(after.snapshots).toHaveLength(good.length);
    expect(after.blobs).toHaveLength(3 * good.length);
  });

  it('archives that lead out of the image end inside it', async () => {
    const up = '../'.repeat(20);
    const image = await craftImage([
      {
        archive: rawTar([
          { name: `${up}${outside.slice(1)}/climbed`, content: 'x' },
          { name: join(outside, 'absolute'), content: 'x' },
          { name: 'link', type: '2', link: outside },
          { name: 'link/through', content: 'x' },
          { name: 'up', type: '2', link: `${up}${outside.slice(1)}` },
          { name: 'up/through-too', content: 'x' },
        ]),
      },
    ]);
    await puller.ensure(registry.publish(image, 'bad/traversal'), { signal });
    expect(existsSync(outside) && readdirSync(outside)).toEqual([]);
  });

  it('layers of zstd, gzip and none are unpacked, by the types of OCI and of Docker', async () => {
    const oci = 'application/vnd.oci.image.layer.v1.tar';
    const docker = 'application/vnd.docker.image.rootfs.diff.tar';
    const image = await craftImage([
      { archive: file('1'), compression: 'zstd', mediaType: `${oci}+zstd` },
      { archive: file('2'), compression: 'zstd', mediaType: `${docker}.zstd` },
      { archive: file('3'), compression: 'gzip', mediaType: `${docker}.gzip` },
      { archive: file('4'), compression: 'none', mediaType: oci },
      { archive: file('5'), compression: 'none', mediaType: docker },
    ]);
    const { chainId } = await puller.ensure(registry.publish(image, 'good/zstd'), { signal });
    expect((await imageState(containerd)).snapshots).toContain(chainId);
  });

  it('attestations beside an image are passed over', async () => {
    const [image, attestation] = [await buildImage({ layers: [{ '/a': 'a' }] }), await anImage()];
    const unknown = { os: 'unknown', architecture: 'unknown' };
    const { manifest } = buildIndex([attestation, image]);
    const index = JSON.parse(manifest.bytes.toString());
    index.manifests[0].platform = unknown;
    const reference = registry.publish(
      { manifest: jsonBlob(manifest.mediaType, index), images: [attestation, image] },
      'good/attested',
    );
    expect((await puller.ensure(reference, { signal })).digest).toBe(image.manifest.digest);
  });
});
