/** The life of `gantry up`: Ctrl-C leaves containers running, the next `up` adopts them, `down` leaves nothing. */

import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type CloudHandle, endUp, freePort, launcher, run, startCloud } from '../support/cloud.ts';
import { describeWithContainers } from '../support/containers.ts';
import { leftoversOf } from '../support/leftovers.ts';
import { startTestImages, type TestImages } from '../support/test-images.ts';
import { webLimits, webTask } from './definitions.ts';
import { webAnswer } from './web-answer.ts';
import { whenTask } from './when-task.ts';

describeWithContainers('the life of gantry up', () => {
  let images: TestImages;
  let cloud: CloudHandle;

  beforeEach(async () => {
    images = await startTestImages();
    cloud = await startCloud(['--hosts', '2']);
  });

  afterEach(async () => {
    await cloud?.[Symbol.asyncDispose]();
    await images?.[Symbol.asyncDispose]();
  });

  async function runWeb(): Promise<{ task: string; url: string }> {
    const { client } = cloud;
    await client.call('RegisterTaskDefinition', webTask(images.busybox));
    const { tasks } = await client.call('RunTask', { taskDefinition: 'web' });
    const task = tasks[0]?.taskArn ?? '';
    const running = await whenTask(client, 'running', task);
    const binding = running.containers[0]?.networkBindings[0];
    const url = `http://${binding?.bindIP}:${binding?.hostPort}/limits`;
    expect(await webAnswer(url)).toMatch(webLimits);
    return { task, url };
  }

  it('keeps containers when it ends, adopts them when it comes back, and takes everything away when taken down', async () => {
    const { task, url } = await runWeb();
    await endUp(cloud.supervisor);
    await expect(fetch(`${cloud.endpoint}/healthz`)).rejects.toThrow();
    expect(await (await fetch(url)).text()).toMatch(webLimits);

    await cloud.upAgain();
    const before = await cloud.client.call('GetTask', { cluster: 'default', task });
    expect(before.task.lastStatus).toBe('RUNNING');
    expect(await (await fetch(url)).text()).toMatch(webLimits);
    expect(before.task.startedAt).toBeDefined();

    await cloud.client.call('StopTask', { cluster: 'default', task });
    const stopped = await whenTask(cloud.client, 'stopped', task);
    expect(stopped.containers[0]?.exitCode).toBe(0);
    expect(stopped.startedAt).toEqual(before.task.startedAt);
  });

  it('is taken down with tasks running, also after its supervisor was killed, and keeps the data unless purged', async () => {
    const { url } = await runWeb();
    cloud.supervisor.kill('SIGKILL');
    await once(cloud.supervisor, 'exit');
    const down = await cloud.gantry(['down', '--run-dir', cloud.runDir, '--data', cloud.dataDir]);
    expect(down.code, down.stderr).toBe(0);
    await expect(fetch(url)).rejects.toThrow();
    expect(leftoversOf(cloud)).toEqual([]);
    expect(existsSync(cloud.dataDir)).toBe(true);

    await cloud.upAgain();
    const stopped = await cloud.client.call('GetTasks', { cluster: 'default', desiredStatus: 'STOPPED' });
    expect(stopped.tasks.map(({ lastStatus, containers }) => [lastStatus, containers[0]?.exitCode])).toEqual([
      ['STOPPED', 0],
    ]);
    const again = await cloud.gantry(['down', '--run-dir', cloud.runDir, '--data', cloud.dataDir, '--purge']);
    expect(again.code, again.stderr).toBe(0);
    expect(existsSync(cloud.dataDir)).toBe(false);
    expect(leftoversOf(cloud)).toEqual([]);
  });

  it('refuses a second one in the same place, and a port in use', async () => {
    const place = ['--data', cloud.dataDir, '--run-dir', cloud.runDir];
    const second = await cloud.gantry(['up', ...place]);
    expect(second).toMatchObject({ code: 1, stdout: '' });
    expect(second.stderr).toMatch(/A cloud is already up here \(pid \d+\)\.\nUse it, or end it with `gantry down`\./);

    const port = await freePort();
    const other = createServer().listen(port, '127.0.0.1');
    await once(other, 'listening');
    const elsewhere = `${cloud.dataDir}-other`;
    const refused = await run(process.execPath, [launcher, 'up', '--port', `${port}`, '--data', elsewhere]);
    other.close();
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`Port ${port} of 127.0.0.1 is in use by another program.`);
    expect(existsSync(elsewhere)).toBe(false);
  });
});
