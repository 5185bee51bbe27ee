/** ECS' pull behaviours, and which images may be removed, in a real containerd. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Containerd, connect, type NamespacedContainerd } from '../../../agent/containerd/client.ts';
import { ImagePuller, type PullBehavior } from '../../../agent/images/puller.ts';
import { buildImage } from '../../../local/images/image.ts';
import { startContainerd } from '../../support/containerd.ts';
import { describeWithContainers } from '../../support/containers.ts';
import { type FakeRegistry, startFakeRegistry } from '../../support/fake-registry.ts';
import { imageState } from '../../support/image-state.ts';

const { signal } = new AbortController();
const nothing = { images: [], blobs: [], ingests: [], snapshots: [], leases: [] };

describeWithContainers('an image that is here', () => {
  const stack = new AsyncDisposableStack();
  let client: Containerd;
  let registry: FakeRegistry;
  let hosts = 0;

  beforeAll(async () => {
    client = stack.use(connect(stack.use(await startContainerd()).socket));
    registry = stack.use(await startFakeRegistry());
  });
  afterAll(() => stack.disposeAsync());

  const retry = { failuresInRow: 2, firstMs: 1, longestMs: 2, patienceMs: 0 };
  const pullerIn = (containerd: NamespacedContainerd, behavior?: PullBehavior) =>
    new ImagePuller({ containerd, retry, ...(behavior && { behavior }) });

  /** A host that has pulled an image for a task, and one of whose tags was pulled by hand. */
  async function hostWithImage() {
    registry.intercept = () => undefined;
    const containerd = client.withNamespace(`host-${hosts++}`);
    const image = await buildImage({ layers: [{ '/file': { content: randomBytes(1000) } }] });
    const [byTask, byHand] = [registry.publish(image, 'team/app', '1'), registry.publish(image, 'team/app', 'hand')];
    const { digest, manifest } = await pullerIn(containerd).ensure(byTask, { signal });
    const pullByHand = () =>
      containerd.images.create({ image: { name: byHand, target: { ...manifest, size: BigInt(manifest.size) } } });
    registry.requests.length = 0;
    return { containerd, digest, byTask, byHand, pullByHand };
  }

  it.each<[PullBehavior, questions: number]>([
    ['default', 1],
    ['always', 1],
    ['once', 0],
    ['prefer-cached', 0],
  ])('costs with %s so many questions: %i', async (behavior, questions) => {
    const { containerd, byTask } = await hostWithImage();
    await pullerIn(containerd, behavior).ensure(byTask, { signal });
    expect(registry.requests).toHaveLength(questions);
  });

  it('and was pulled by hand counts for prefer-cached, and not for once', async () => {
    const { containerd, byHand, pullByHand } = await hostWithImage();
    await pullByHand();
    await pullerIn(containerd, 'prefer-cached').ensure(byHand, { signal });
    expect(registry.requests).toHaveLength(0);
    await pullerIn(containerd, 'once').ensure(byHand, { signal });
    expect(registry.requests).toHaveLength(1);
  });

  it.each([503, 429])('is used with default, and not with always, while the registry answers %i', async (status) => {
    const { containerd, byTask, digest } = await hostWithImage();
    registry.intercept = () => new Response(null, { status, headers: { 'retry-after': '600' } });
    expect(await pullerIn(containerd).ensure(byTask, { signal })).toMatchObject({ digest });
    await expect(pullerIn(containerd, 'always').ensure(byTask, { signal })).rejects.toMatchObject({
      kind: 'CannotPullContainerError',
      retryable: false,
      message: expect.stringContaining(`HTTP status ${status}`),
    });
  });

  it('is removed with everything of it, and pulled again when it is wanted again', async () => {
    const { containerd, byTask, digest } = await hostWithImage();
    const puller = pullerIn(containerd);
    await puller.ensure(byTask, { signal });
    expect(await puller.held()).toMatchObject([
      { digest, names: [byTask], isOurs: true, lastUsedAt: expect.any(Number) },
    ]);
    await puller.remove(digest);
    expect(await imageState(containerd)).toEqual(nothing);
    await puller.remove(digest);
    await puller.ensure(byTask, { signal });
    expect((await imageState(containerd)).images).toHaveLength(2);
  });

  it('is not removed where somebody has pulled it by hand, or pinned one of its names', async () => {
    const { containerd, byTask, digest } = await hostWithImage();
    const target = (await containerd.images.get({ name: byTask })).image?.target; // containerd 2.4 ends where it is missing.
    const image = { name: byTask, labels: { 'gantry.pinned': 'yes' }, ...(target && { target }) };
    await containerd.images.update({ image, updateMask: { paths: ['labels.gantry.pinned'] } });
    const puller = pullerIn(containerd);
    await puller.pull(byTask, { signal }); // Keeps the labels of others.
    const before = await imageState(containerd);
    expect(await puller.held()).toMatchObject([{ isOurs: false }]);
    await puller.remove(digest);
    expect(await imageState(containerd)).toEqual(before);
    const other = await hostWithImage();
    await other.pullByHand();
    await pullerIn(other.containerd).remove(other.digest);
    expect((await imageState(other.containerd)).images).toHaveLength(3);
  });
});
