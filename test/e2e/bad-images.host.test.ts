/** Tasks that cannot start: each says why on the task, under ECS' name of the error, and leaves nothing on the host. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { busyboxImage } from '../../local/images/busybox-image.ts';
import { pushImage } from '../../local/images/push-image.ts';
import { startRegistry } from '../../local/images/registry.ts';
import { freePort } from '../support/cloud.ts';
import { describeWithContainers } from '../support/containers.ts';
import { craftImage, rawTar } from '../support/crafted-image.ts';
import { startFakeRegistry } from '../support/fake-registry.ts';
import { taskLeftoversOf } from '../support/leftovers.ts';
import { type Platform, shapes } from './platforms.ts';
import { type Stage, setStage } from './stage.ts';
import { type TaskView, whenTask } from './when-task.ts';

for (const platform of shapes)
  describeWithContainers(`tasks that cannot start on ${platform.name}`, () => cannotStart(platform));

function cannotStart(platform: Platform): void {
  let stage: Stage;

  beforeAll(async () => {
    stage = await setStage(platform);
  });

  afterAll(() => stage?.[Symbol.asyncDispose]());

  interface Container {
    readonly image: string;
    readonly command?: string[];
    readonly user?: string;
    readonly workingDirectory?: string;
  }

  /** Runs one container to its end. */
  async function stopped(container: Container) {
    return whenTask(stage.cloud.client, 'stopped', await start(container));
  }

  /** Answers the task's ARN. */
  async function start(container: Container): Promise<string> {
    const { client } = stage.cloud;
    const { taskDefinition } = await client.call('RegisterTaskDefinition', {
      family: 'broken',
      containerDefinitions: [{ name: 'main', memory: 32, ...container }],
    });
    const { tasks } = await client.call('RunTask', { taskDefinition: taskDefinition.taskDefinitionArn });
    return tasks[0]?.taskArn ?? '';
  }

  function expectFailure(task: TaskView, reason: RegExp): void {
    expect(task.stopCode).toBe('TaskFailedToStart');
    expect(task.stoppedReason).toBe(`Task failed to start: ${task.containers[0]?.reason}`);
    expect(task.containers[0]?.reason).toMatch(reason);
    expect(task.containers[0]?.exitCode).toBeUndefined();
    expect(taskLeftoversOf(stage.cloud)).toEqual([]);
  }

  it('names an image whose tag does not exist', async () => {
    const image = stage.images.busybox.replace(/:test$/, ':no-such-tag');
    expectFailure(await stopped({ image }), /^CannotPullImageManifestError: .*no-such-tag.*not found/s);
  });

  // The agent tries for some seconds, whatever its control plane runs on: once is enough.
  if (platform === shapes[0])
    it('names a registry that is down, also while it is waited for', async () => {
      const { client } = stage.cloud;
      const registry = `127.0.0.1:${await freePort()}`;
      const task = await start({ image: `${registry}/busybox:1` });
      const headline = async () => (await client.call('GetTask', { cluster: 'default', task })).task.headline;
      await expect
        .poll(headline, { timeout: 20_000 })
        .toContain(`pulls its images: ${registry} takes no connections (connection refused); try `);
      const ended = await whenTask(client, 'stopped', task);
      expectFailure(ended, /^CannotPullContainerError: .* takes no connections \(connection refused\)/s);
      expect(ended.containers[0]?.reason).toContain(registry);
    });

  it('names what is wrong with an image, while another task goes on', async () => {
    await using registry = await startFakeRegistry();
    const archive = rawTar([{ name: 'shadow', type: '1', link: '../../../../etc/shadow' }]);
    const bad = registry.publish(await craftImage([{ archive }]), 'team/bad');
    const good = registry.publish(await busyboxImage(), 'team/good');
    const [failed, done] = await Promise.all([stopped({ image: bad }), stopped({ image: good, command: ['true'] })]);
    expectFailure(failed, /^CannotPullContainerError: .*unpacking the layer sha256:/s);
    expect(done.containers[0]).toMatchObject({ exitCode: 0 });
  });

  it('says what is missing for an image of a private registry, and runs it once its cluster has that', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'gantry-private-'));
    using _directory = { [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }) };
    // bcrypt of "secret"; the registry takes no other kind of hash.
    const htpasswd = 'ann:$2b$05$qCTyVHU5S8cMh7NoLml2feqKq6btKzV7WGZFaZOfatQi1mc2oaj0W\n';
    await using registry = await startRegistry({ dir: directory, htpasswd });
    const basicAuth = { username: 'ann', password: 'secret' };
    const target = { registryUrl: registry.url, repository: 'private/busybox', tag: '1', basicAuth };
    const { reference: image } = await pushImage(await busyboxImage(), target);
    expectFailure(
      await stopped({ image, command: ['true'] }),
      /^CannotPullContainerAuthError: .*gantry registries login/s,
    );
    const { host } = new URL(registry.url);
    await stage.cloud.client.call('PutRegistryCredentials', { registry: host, ...basicAuth });
    const task = await stopped({ image, command: ['sh', '-c', 'exit 7'] });
    expect(task.containers[0]).toMatchObject({ exitCode: 7 });
  });

  it('names a program that the image does not have', async () => {
    expectFailure(
      await stopped({ image: stage.images.busybox, command: ['/no/such/program'] }),
      /^CannotStartContainerError: .*\/no\/such\/program/s,
    );
  });

  it('names a user that the image does not have', async () => {
    expectFailure(
      await stopped({ image: stage.images.busybox, command: ['true'], user: 'nobody-here' }),
      /^CannotCreateContainerError: .*nobody-here/s,
    );
  });

  it('tells a container that was killed for its memory from one that ended by itself', async () => {
    const hungry = ['sh', '-c', 'a=x; while :; do a="$a$a"; done'];
    const task = await stopped({ image: stage.images.busybox, command: hungry });
    expect(task.stopCode).toBe('EssentialContainerExited');
    expect(task.containers[0]).toMatchObject({ exitCode: 137, reason: expect.stringMatching(/^OutOfMemoryError/) });
    const killed = await stopped({ image: stage.images.busybox, command: ['sh', '-c', 'kill -9 $$'] });
    expect(killed.containers[0]?.reason ?? '').not.toMatch(/OutOfMemory/);
    expect(taskLeftoversOf(stage.cloud)).toEqual([]);
  });
}
