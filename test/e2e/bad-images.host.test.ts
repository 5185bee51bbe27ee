/** Tasks that cannot start: each says why on the task, under ECS' name of the error, and leaves nothing on the host. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freePort } from '../support/cloud.ts';
import { describeWithContainers } from '../support/containers.ts';
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

  /** Runs one container to its end. */
  async function stopped(container: { image: string; command?: string[]; user?: string; workingDirectory?: string }) {
    const { client } = stage.cloud;
    await client.call('RegisterTaskDefinition', {
      family: 'broken',
      containerDefinitions: [{ name: 'main', memory: 32, ...container }],
    });
    const { tasks } = await client.call('RunTask', { taskDefinition: 'broken' });
    return whenTask(client, 'stopped', tasks[0]?.taskArn ?? '');
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

  // The agent asks for twenty seconds, whatever its control plane runs on: once is enough.
  if (platform === shapes[0])
    it('names a registry that is down', async () => {
      const port = await freePort();
      expectFailure(
        await stopped({ image: `127.0.0.1:${port}/busybox:1` }),
        new RegExp(`^CannotPullContainerError: .*127\\.0\\.0\\.1:${port}`, 's'),
      );
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
