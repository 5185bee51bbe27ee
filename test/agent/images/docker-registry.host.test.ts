/** Pulls from a registry that others wrote: Debian's docker-registry, open and with a password. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Containerd, connect } from '../../../agent/containerd/client.ts';
import { ImagePuller } from '../../../agent/images/puller.ts';
import { findExecutable } from '../../../local/containerd.ts';
import { busyboxImage } from '../../../local/images/busybox-image.ts';
import { buildImage, buildIndex } from '../../../local/images/image.ts';
import { pushImage } from '../../../local/images/push-image.ts';
import { startRegistry } from '../../../local/images/registry.ts';
import { startContainerd, type TestContainerd } from '../../support/containerd.ts';
import { describeUnless, whyNoContainers } from '../../support/containers.ts';

const { signal } = new AbortController();
const registryBinary = findExecutable('docker-registry') ?? findExecutable('registry');
const why = whyNoContainers() ?? (registryBinary === undefined ? 'needs docker-registry' : undefined);

describeUnless(why, 'a real registry', () => {
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

  it('gives an image and an index', async () => {
    await using registry = await startRegistry({ dir: `${daemon.dir}/open` });
    const puller = new ImagePuller({ containerd: client.withNamespace('open') });
    const image = await busyboxImage();
    const target = { registryUrl: registry.url, repository: 'team/busybox', tag: '1' };
    const single = await pushImage(image, target);
    const index = await pushImage(buildIndex([image]), { ...target, tag: 'index' });
    const pulled = await puller.pull(single.reference, { signal });
    expect(pulled).toMatchObject({ digest: single.digest, targetDigest: single.digest });
    expect(pulled.config.config?.Cmd).toEqual(['sh']);
    expect(await puller.pull(index.reference, { signal })).toMatchObject({
      digest: single.digest,
      targetDigest: index.digest,
    });
    await expect(puller.pull(`${single.reference}-nope`, { signal })).rejects.toMatchObject({
      kind: 'CannotPullImageManifestError',
      message: expect.stringContaining('MANIFEST_UNKNOWN'),
    });
  });

  it('asks for a password', async () => {
    // bcrypt of "secret"; the registry takes no other kind of hash.
    const htpasswd = 'ann:$2b$05$qCTyVHU5S8cMh7NoLml2feqKq6btKzV7WGZFaZOfatQi1mc2oaj0W\n';
    await using registry = await startRegistry({ dir: `${daemon.dir}/private`, htpasswd });
    const puller = new ImagePuller({ containerd: client.withNamespace('private') });
    const ann = { username: 'ann', password: 'secret' };
    const image = await buildImage({ layers: [{ '/a': 'a' }] });
    const target = { registryUrl: registry.url, repository: 'private', tag: '1', basicAuth: ann };
    const { reference, digest } = await pushImage(image, target);
    const host = new URL(registry.url).host;
    const asked: string[] = [];
    const credentials = async (registryHost: string) => {
      asked.push(registryHost);
      return ann;
    };
    expect((await puller.pull(reference, { signal, credentials })).digest).toBe(digest);
    expect(asked).toEqual([host]);
    const refused = { kind: 'CannotPullContainerAuthError', message: expect.stringContaining(host) };
    await expect(puller.pull(reference, { signal })).rejects.toMatchObject(refused);
    const wrong = async () => ({ username: 'ann', password: 'guess' });
    await expect(puller.pull(reference, { signal, credentials: wrong })).rejects.toMatchObject(refused);
  });
});
