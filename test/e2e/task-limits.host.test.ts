/** Limits of tasks with real containers: a timeout that holds with no control plane, a CPU limit in the kernel, and a kill without grace. */
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CloudHandle, startCloud } from '../support/cloud.ts';
import { describeWithContainers } from '../support/containers.ts';
import { startTestImages, type TestImages } from '../support/test-images.ts';
import { webTask } from './definitions.ts';
import { killHard } from './one-machine.ts';
import { whenTask } from './when-task.ts';

const quota = 'cat /sys/fs/cgroup/cpu.max 2>/dev/null || cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us';

describeWithContainers('limits of tasks', () => {
  let images: TestImages;
  let cloud: CloudHandle;

  beforeAll(async () => {
    images = await startTestImages();
    cloud = await startCloud(['--hosts', '1']);
  });

  afterAll(async () => {
    await cloud?.[Symbol.asyncDispose]();
    await images?.[Symbol.asyncDispose]();
  });

  async function run(script: string, request: object, definition: object = {}): Promise<string> {
    const main = { name: 'main', image: images.busybox, memory: 64, command: ['sh', '-c', script] };
    await cloud.client.call('RegisterTaskDefinition', {
      family: 'limited',
      containerDefinitions: [{ ...main, stopTimeout: 600 }],
      ...definition,
    });
    const { tasks } = await cloud.client.call('RunTask', { taskDefinition: 'limited', ...request });
    return tasks[0]?.taskArn ?? '';
  }

  it('gives a task the CPU that its tag allows, and not what it reserves', async () => {
    const task = await run(quota, { tags: [{ key: 'gantry:cpu-limit', value: '512' }] }, { cpu: '256' });
    const { containers, cpu, cpuLimit } = await whenTask(cloud.client, 'stopped', task);
    const [line = ''] = containers.flatMap(({ lastLogLines = [] }) => lastLogLines.map(({ text }) => text));
    expect([line.split(' ')[0], cpu, cpuLimit]).toEqual(['50000', '256', '512']);
  });

  it('kills at once by force what ignores SIGTERM for its whole stopTimeout', async () => {
    const task = await run('trap "" TERM; while :; do sleep 0.1; done', {});
    await whenTask(cloud.client, 'running', task);
    await cloud.client.call('StopTask', { cluster: 'default', task });
    const { code } = await cloud.gantry(['stop', task, '--force', '--wait']);
    expect(code).toBe(0);
    const { containers, stopCode } = await whenTask(cloud.client, 'stopped', task);
    expect([containers[0]?.exitCode, stopCode]).toEqual([137, 'UserInitiated']);
  });

  it('stops a task at its timeout, though the control plane was killed', async () => {
    const timeoutSeconds = 5;
    await cloud.client.call('RegisterTaskDefinition', {
      ...webTask(images.busybox),
      tags: [{ key: 'gantry:timeout-seconds', value: `${timeoutSeconds}` }],
    });
    const { tasks } = await cloud.client.call('RunTask', { taskDefinition: 'web' });
    const running = await whenTask(cloud.client, 'running', tasks[0]?.taskArn ?? '');
    const { bindIP, hostPort } = running.containers[0]?.networkBindings[0] ?? {};
    cloud.supervisor.kill('SIGKILL');
    await once(cloud.supervisor, 'exit');
    await killHard(join(cloud.runDir, 'server.pid'));
    const isServed = () =>
      fetch(`http://${bindIP}:${hostPort}/limits`).then(
        () => true,
        () => false,
      );
    expect(await isServed()).toBe(true);
    await expect.poll(isServed, { timeout: 30_000 }).toBe(false);
    await expect(fetch(`${cloud.endpoint}/healthz`)).rejects.toThrow();
    await cloud.upAgain();
    const stopped = await whenTask(cloud.client, 'stopped', running.taskArn);
    expect(stopped).toMatchObject({
      stopCode: 'ServiceSchedulerInitiated',
      stoppedReason: 'TaskTimedOut: it ran for 5 s, the longest that it may',
      containers: [{ exitCode: 0 }],
    });
    const startedAt = running.containers[0]?.startedAt?.getTime() ?? Number.NaN;
    expect(stopped.stoppingAt?.getTime()).toBeGreaterThanOrEqual(startedAt + timeoutSeconds * 1000);
    const why = await cloud.gantry(['why', running.taskArn]);
    expect(why.stdout).toContain('TaskTimedOut: it ran for 5 s');
  });
});
