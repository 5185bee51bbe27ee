/** The typed client against a real containerd. */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Containerd, connect, type NamespacedContainerd } from '../../../agent/containerd/client.ts';
import { WriteAction } from '../../../agent/containerd/gen/content_pb.ts';
import { isAlreadyExists, isNotFound, isUnavailable } from '../../../agent/containerd/grpc-error.ts';
import { startContainerd, type TestContainerd } from '../../support/containerd.ts';
import { describeWithContainers } from '../../support/containers.ts';

describeWithContainers('the client of containerd', () => {
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

  const newNamespace = (): NamespacedContainerd => client.withNamespace(`test-${randomUUID()}`);

  it('finds the plugins that Gantry needs, and none that it disabled', async () => {
    expect((await client.version.version({})).version).toMatch(/^v?\d+\.\d+/);
    const { plugins } = await client.introspection.plugins({});
    const names = plugins.map(({ type, id }) => `${type}.${id}`);
    expect(names).toContain('io.containerd.snapshotter.v1.overlayfs');
    expect(names).toContain('io.containerd.grpc.v1.tasks');
    expect(names).not.toContain('io.containerd.grpc.v1.cri');
  });

  it('keeps container records with spec and labels, a namespace each', async () => {
    const [one, two] = [newNamespace(), newNamespace()];
    const spec = {
      typeUrl: 'types.containerd.io/opencontainers/runtime-spec/1/Spec',
      value: Buffer.from('{"ociVersion":"1.0.2"}'),
    };
    const container = { id: 'c', labels: { 'gantry.task': 't' }, runtime: { name: 'io.containerd.runc.v2' }, spec };
    await one.containers.create({ container });
    await expect(one.containers.create({ container })).rejects.toSatisfy(isAlreadyExists);
    const { containers } = await one.containers.list({ filters: ['labels."gantry.task"==t'] });
    expect(containers).toMatchObject([{ id: 'c', spec: { typeUrl: spec.typeUrl } }]);
    expect(Buffer.from(containers[0]?.spec?.value ?? []).toString()).toBe('{"ociVersion":"1.0.2"}');
    expect((await one.containers.list({ filters: ['labels."gantry.task"==other'] })).containers).toEqual([]);
    await expect(two.containers.get({ id: 'c' })).rejects.toSatisfy(isNotFound);
    await one.containers.delete({ id: 'c' });
  });

  it('makes and removes namespaces', async () => {
    const name = `test-${randomUUID()}`;
    await client.namespaces.create({ namespace: { name, labels: { a: 'b' } } });
    expect((await client.namespaces.get({ name })).namespace).toMatchObject({ name, labels: { a: 'b' } });
    await client.namespaces.delete({ name });
    const { namespaces } = await client.namespaces.list({});
    expect(namespaces.map((namespace) => namespace.name)).not.toContain(name);
  });

  it('hears events', async () => {
    const containerd = newNamespace();
    const filters = [`topic=="/leases/create",namespace==${containerd.namespace}`, 'topic=="/containers/create"'];
    const heard = client.events.subscribe({ filters });
    const first = heard.next();
    // The subscription stands when an event arrives: until then others are made.
    let isHeard = false;
    void first.then(() => {
      isHeard = true;
    });
    for (let number = 0; !isHeard; number++) {
      await containerd.containers.create({
        container: { id: `c${number}`, runtime: { name: 'r' }, spec: { typeUrl: 't' } },
      });
    }
    expect((await first).value).toMatchObject({ topic: '/containers/create', namespace: containerd.namespace });
    await heard.return();
  });

  it('uploads many blobs side by side and reads them back', async () => {
    const containerd = newNamespace();
    const { leases } = containerd;
    await leases.create({ id: 'upload' });
    const leased = containerd.withLease('upload');
    const blobs = Array.from({ length: 8 }, () => randomBytes(6 * 1024 * 1024 + 1));
    await Promise.all(blobs.map((blob, number) => upload(leased, `blob-${number}`, blob)));
    for (const blob of blobs) expect(digestOf(await download(containerd, digestOf(blob)))).toBe(digestOf(blob));
  });

  it('fails while containerd is away, whether it ended or was killed, and works again', async () => {
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      const events = client.events.subscribe({});
      const broken = expect(events.next()).rejects.toSatisfy(isUnavailable);
      await client.version.version({});
      await daemon.stop(signal);
      await broken;
      await expect(client.version.version({})).rejects.toSatisfy(isUnavailable);
      await daemon.resume();
      await expect(client.version.version({})).resolves.toBeDefined();
    }
  });
});

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

async function upload(containerd: NamespacedContainerd, ref: string, bytes: Buffer): Promise<void> {
  const call = containerd.content.write();
  const [total, expected] = [BigInt(bytes.length), digestOf(bytes)];
  const pieceBytes = 1024 * 1024;
  for (let offset = 0; offset < bytes.length; offset += pieceBytes) {
    const pieces = [bytes.subarray(offset, offset + pieceBytes)];
    await call.send(
      { action: WriteAction.WRITE, ref, total, expected, offset: BigInt(offset) },
      { fieldNumber: 6, pieces },
    );
  }
  await call.send({ action: WriteAction.COMMIT, ref, total, expected, offset: total });
  call.endSending();
  let digest = '';
  for await (const answer of call.answers) digest = answer.digest;
  expect(digest).toBe(expected);
}

async function download(containerd: NamespacedContainerd, digest: string): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const { data } of containerd.content.read({ digest })) pieces.push(data);
  return Buffer.concat(pieces);
}
