/**
 * Hosts of `gantry up --fleet` and the life of the cloud itself: it ends and comes back, is taken down, and is brought up with other hosts.
 */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readLiveHosts } from '../../local/fleet/records.ts';
import { cloudPaths } from '../../local/options.ts';
import { type CloudHandle, endUp, startCloud } from '../support/cloud.ts';
import { describeWithContainers } from '../support/containers.ts';
import { leftoversOf } from '../support/leftovers.ts';
import { startTestImages, type TestImages } from '../support/test-images.ts';
import { whenTask } from './when-task.ts';

const mostHosts = 5;

describeWithContainers('the life of gantry up --fleet', () => {
  let images: TestImages;
  let cloud: CloudHandle;

  beforeEach(async () => {
    images = await startTestImages();
    cloud = await startCloud(['--fleet', `0..${mostHosts}`, '--fleet-idle-seconds', '2']);
    await cloud.client.call('RegisterTaskDefinition', {
      family: 'long',
      networkMode: 'bridge',
      containerDefinitions: [
        {
          name: 'main',
          image: images.busybox,
          memory: 64,
          command: ['sh', '-c', 'trap "exit 7" TERM; sleep 3600 & wait'],
        },
      ],
    });
  });

  afterEach(async () => {
    await cloud?.[Symbol.asyncDispose]();
    await images?.[Symbol.asyncDispose]();
  });

  const hosts = async () => (await cloud.client.call('GetHosts', { cluster: 'default' })).hosts;

  const launched = () => readLiveHosts(cloudPaths(cloud).fleet);

  async function runLong(): Promise<string> {
    const { tasks } = await cloud.client.call('RunTask', { taskDefinition: 'long' });
    const task = tasks[0]?.taskArn ?? '';
    await whenTask(cloud.client, 'running', task);
    return task;
  }

  it('keeps launched hosts and their tasks when it ends, and takes them up again, also with another fleet', async () => {
    const { client } = cloud;
    const task = await runLong();
    const before = await hosts();
    expect(before).toHaveLength(1);
    await endUp(cloud.supervisor);

    const other = await cloud.gantry(['up', '--run-dir', cloud.runDir, '--data', cloud.dataDir, '--hosts', '2']);
    expect(other.code).toBe(1);
    expect(other.stderr).toContain('Hosts that were brought up with --fleet are still here.');

    await cloud.upAgain(['--fleet', '0..2', '--fleet-idle-seconds', '1']);
    const view = await client.call('GetTask', { cluster: 'default', task });
    expect(view.task.lastStatus).toBe('RUNNING');
    while (!(await hosts())[0]?.agentConnected) await delay(50);
    expect((await hosts()).map(({ hostName }) => hostName)).toEqual(before.map(({ hostName }) => hostName));
    await client.call('StopTask', { cluster: 'default', task });
    expect((await whenTask(client, 'stopped', task)).containers[0]?.exitCode).toBe(7);
    while ((await hosts()).length > 0 || launched().length > 0) await delay(50);
    expect(leftoversOf(cloud)).toEqual([]);
  });

  it('is taken down with hosts there, also after its supervisor was killed, and makes way for hosts that stay', async () => {
    const { client } = cloud;
    await endUp(cloud.supervisor);
    await cloud.upAgain(['--fleet', `0..${mostHosts}`, '--fleet-idle-seconds', '600']);
    const task = await runLong();
    const [fromFleet] = await hosts();
    cloud.supervisor.kill('SIGKILL');
    await once(cloud.supervisor, 'exit');
    expect((await hosts())[0]?.agentConnected).toBe(true); // The control plane has it, and runs on.
    const down = await cloud.gantry(['down', '--run-dir', cloud.runDir]);
    expect(down.code, down.stderr).toBe(0);
    expect(leftoversOf(cloud)).toEqual([]);
    expect(launched()).toHaveLength(1);

    await cloud.upAgain(['--hosts', '2']);
    expect((await whenTask(client, 'stopped', task)).containers[0]?.exitCode).toBe(7);
    expect(launched()).toEqual([]);
    expect(existsSync(cloudPaths(cloud).hostData(fromFleet?.hostName ?? ''))).toBe(false);
    const view = await client.call('GetTask', { cluster: 'default', task: await runLong() });
    expect(view.task.hostName).toMatch(/^host-[12]$/);
    while ((await hosts()).length > 2) await delay(50);
    expect((await hosts()).map(({ hostName }) => hostName).toSorted()).toEqual(['host-1', 'host-2']);
  });
});
