/**
 * A host of a local cloud says that its machine goes, signed as its agent signs it: real tasks that may be replaced move to the other
 * host, and a real job runs until the deadline and then has its time to end. The control plane is killed in between.
 */
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../agent/clock.ts';
import { createControlPlane } from '../../agent/control-plane/client.ts';
import { openIdentity } from '../../agent/identity.ts';
import { type Ec2Notice, meaningOf } from '../../core/ec2-notice.ts';
import { cloudPaths } from '../../local/options.ts';
import { type CloudHandle, startCloud } from '../support/cloud.ts';
import { describeWithContainers } from '../support/containers.ts';
import { startTestImages, type TestImages } from '../support/test-images.ts';
import { killHard } from './one-machine.ts';
import { untilAnswered } from './until-answered.ts';
import { whenTask } from './when-task.ts';

describeWithContainers('a host whose machine goes', () => {
  let images: TestImages;
  let cloud: CloudHandle;

  beforeAll(async () => {
    images = await startTestImages();
    cloud = await startCloud(['--hosts', '2']);
    for (const family of ['job', 'web'])
      await cloud.client.call('RegisterTaskDefinition', {
        family,
        tags: family === 'web' ? [{ key: 'gantry:replaceable', value: 'true' }] : [],
        containerDefinitions: [
          {
            name: 'main',
            image: images.busybox,
            memory: 32,
            command: ['sh', '-c', 'trap "sleep 1; exit 7" TERM; sleep 3600 & wait'],
          },
        ],
      });
  });

  afterAll(async () => {
    await cloud?.[Symbol.asyncDispose]();
    await images?.[Symbol.asyncDispose]();
  });

  const call: CloudHandle['client']['call'] = (name, input) => untilAnswered(() => cloud.client.call(name, input));
  const view = async (task: string) => (await call('GetTask', { cluster: 'default', task })).task;

  /** On the first host, because the second takes none meanwhile. */
  async function runOnFirst(taskDefinition: string, count: number): Promise<string[]> {
    const { tasks } = await call('RunTask', { taskDefinition, count });
    const views = await Promise.all(tasks.map(({ taskArn }) => whenTask(cloud.client, 'running', taskArn)));
    expect(views.map(({ hostName }) => hostName)).toEqual(tasks.map(() => 'host-1'));
    return tasks.map(({ taskArn }) => taskArn);
  }

  async function say(notice: Ec2Notice): Promise<void> {
    const identity = await openIdentity(cloudPaths(cloud).hostData('host-1'), pino({ level: 'silent' }));
    const hostId = identity.admission?.hostId ?? '';
    const controlPlane = createControlPlane(cloud.endpoint, identity, systemClock);
    await controlPlane.notice(hostId, notice, AbortSignal.timeout(30_000));
  }

  it('moves what may be replaced, and lets everything else run until the deadline', async () => {
    const second = { containerInstances: ['host-2'] };
    await call('UpdateContainerInstancesState', { ...second, status: 'DRAINING' });
    const [job = ''] = await runOnFirst('job', 1);
    const web = await runOnFirst('web', 2);
    await call('UpdateContainerInstancesState', { ...second, status: 'ACTIVE' });

    await say({ kind: 'rebalance' });
    await killHard(join(cloud.runDir, 'server.pid'));
    const moved = await Promise.all(web.map((task) => untilAnswered(() => whenTask(cloud.client, 'stopped', task))));
    const successors = await Promise.all(moved.map(({ replacedByTaskArn }) => view(replacedByTaskArn ?? '')));
    expect(successors.map(({ lastStatus, hostName }) => ({ lastStatus, hostName }))).toEqual(
      web.map(() => ({ lastStatus: 'RUNNING', hostName: 'host-2' })),
    );
    expect(successors.map(({ replacesTaskArn }) => replacesTaskArn)).toEqual(web);
    expect((await call('ListTasks', { family: 'web' })).taskArns.toSorted()).toEqual(
      successors.map(({ taskArn }) => taskArn).toSorted(),
    );
    expect((await view(job)).headline).toMatch(/^runs on host-1, which may go: .*; it may run to its end$/);

    const interruption: Ec2Notice = { kind: 'spot-interruption', at: Date.now() + 32_000 };
    await say(interruption);
    const ended = await untilAnswered(() => whenTask(cloud.client, 'stopped', job));
    expect(ended).toMatchObject({ stopCode: 'SpotInterruption', containers: [{ exitCode: 7 }] });
    expect(ended.stoppingAt?.getTime()).toBeGreaterThanOrEqual(meaningOf(interruption).deadline ?? Infinity);
  });
});
