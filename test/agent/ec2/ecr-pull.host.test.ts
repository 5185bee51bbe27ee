/**
 * A host in EC2 that pulls from Amazon ECR by its role: the real puller and containerd, Debian's docker-registry behind a password as
 * the registry, which the configuration's mirror leads to, and an API and instance metadata of ours.
 */
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../../agent/clock.ts';
import { type Containerd, connect } from '../../../agent/containerd/client.ts';
import { ecrCredentials } from '../../../agent/ec2/ecr.ts';
import { openMetadata } from '../../../agent/ec2/metadata.ts';
import { openRole } from '../../../agent/ec2/role.ts';
import { ImagePuller } from '../../../agent/images/puller.ts';
import { findExecutable } from '../../../local/containerd.ts';
import { buildImage } from '../../../local/images/image.ts';
import { pushImage } from '../../../local/images/push-image.ts';
import { startRegistry } from '../../../local/images/registry.ts';
import { startContainerd, type TestContainerd } from '../../support/containerd.ts';
import { describeUnless, whyNoContainers } from '../../support/containers.ts';
import { ecrDenial, type FakeEcr, startFakeEcr } from '../../support/fake-ecr.ts';
import { startFakeMetadata } from '../../support/fake-metadata.ts';

const registryBinary = findExecutable('docker-registry') ?? findExecutable('registry');
const why = whyNoContainers() ?? (registryBinary === undefined ? 'needs docker-registry' : undefined);
const ecrHost = '123456789012.dkr.ecr.eu-central-1.amazonaws.com';
/** bcrypt of "secret"; the registry takes no other kind of hash. */
const htpasswd = 'AWS:$2b$05$qCTyVHU5S8cMh7NoLml2feqKq6btKzV7WGZFaZOfatQi1mc2oaj0W\n';
const { signal } = new AbortController();

describeUnless(why, 'an image in Amazon ECR', () => {
  const stack = new AsyncDisposableStack();
  let daemon: TestContainerd;
  let containerd: Containerd;
  let ecr: FakeEcr;
  let mirror: string;
  let pushed: { reference: string; digest: string };

  beforeAll(async () => {
    daemon = stack.use(await startContainerd());
    containerd = connect(daemon.socket);
    stack.defer(() => containerd.close());
    const registry = stack.use(await startRegistry({ dir: `${daemon.dir}/ecr`, htpasswd }));
    mirror = registry.url;
    const basicAuth = { username: 'AWS', password: 'secret' };
    const target = { registryUrl: mirror, repository: 'team/app', tag: '1', basicAuth };
    pushed = await pushImage(await buildImage({ layers: [{ '/a': 'a' }] }), target);
  });
  afterAll(() => stack.disposeAsync());

  /** A host that has pulled nothing yet. */
  async function host(namespace: string) {
    const metadata = await startFakeMetadata();
    ecr = await startFakeEcr();
    const role = openRole(openMetadata(metadata.url), { clock: systemClock, log: pino({ level: 'silent' }) });
    const credentials = ecrCredentials(role, { endpoint: ecr.url, clock: systemClock });
    const puller = new ImagePuller({
      containerd: containerd.withNamespace(namespace),
      registryMirrors: { [ecrHost]: [mirror] },
    });
    return {
      pull: () => puller.ensure(`${ecrHost}/team/app:1`, { signal, credentials }),
      async [Symbol.asyncDispose]() {
        await ecr[Symbol.asyncDispose]();
        await metadata[Symbol.asyncDispose]();
      },
    };
  }

  it('is pulled with the credentials that the role is given, asked for once', async () => {
    await using world = await host('ecr-pull');
    expect(await world.pull()).toMatchObject({ digest: pushed.digest, reference: `${ecrHost}/team/app:1` });
    await world.pull();
    expect(ecr.requests).toHaveLength(1);
  });

  it('is not pulled where the role may not ask for credentials, and the reason says what it lacks', async () => {
    await using world = await host('ecr-denied');
    ecr.refusal = ecrDenial;
    await expect(world.pull()).rejects.toMatchObject({
      kind: 'CannotPullContainerError',
      retryable: false,
      message: expect.stringMatching(
        /^The image "1234.*team\/app:1" could not be pulled from 1234.*: the host's role gantry-host may not call ecr:GetAuthorizationToken/,
      ),
    });
  });

  it('is not pulled where the role may ask, but not pull', async () => {
    await using world = await host('ecr-refused');
    ecr.password = 'of another registry';
    await expect(world.pull()).rejects.toMatchObject({
      kind: 'CannotPullContainerAuthError',
      message: expect.stringContaining("Allow the host's role ecr:BatchGetImage and ecr:GetDownloadUrlForLayer on it"),
    });
  });

  it('that is here already is used while the API does not answer', async () => {
    await using world = await host('ecr-away');
    await world.pull();
    await using later = await host('ecr-away');
    ecr.refusal = { status: 503, body: {} };
    expect((await later.pull()).digest).toBe(pushed.digest);
  });
});
