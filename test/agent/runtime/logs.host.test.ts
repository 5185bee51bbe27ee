/** Logs of real containers, whose shims write while the agent keeps them small, reads them, ends and comes again. */
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { Status } from '../../../agent/containerd/gen/task_pb.ts';
import { awslogsLog, jsonFileLog } from '../../../core/model/log-target.ts';
import type { LogLine } from '../../../core/model/task.ts';
import { describeWithContainers } from '../../support/containers.ts';
import { startFakeCloudWatchLogs } from '../../support/fake-cloudwatch-logs.ts';
import { exitOf, linesOf, run, unending } from '../runtime-driver.ts';
import { type RealHost, type RealMachine, startRealMachine } from './real-host.ts';

describeWithContainers('the log of a container', () => {
  let machine: RealMachine;
  let host: RealHost;
  beforeAll(async () => {
    machine = await startRealMachine();
    host = await machine.host();
  });
  afterAll(async () => {
    await host[Symbol.asyncDispose]();
    await machine[Symbol.asyncDispose]();
  });

  const stdoutOf = (taskId: string) => join(host.config.stateDirectory, 'logs', taskId, 'main', 'stdout');
  /** `seq` with lines of one length, as fast as busybox can. */
  const numbers = (count: number) => ['/bin/sh', '-c', `seq -w 1 ${count}`];

  /** Every number is there once, in order, or within what a line says was dropped. */
  function expectWhole(lines: readonly LogLine[], count: number): void {
    const lineBytes = String(count).length + 1;
    let at = 0;
    for (const { text, offset, droppedBytes } of lines) {
      at += droppedBytes ?? lineBytes;
      if (offset !== at || (droppedBytes === undefined && Number(text) !== at / lineBytes))
        expect.unreachable(`after ${at} bytes comes ${text} at ${offset}`);
    }
    expect(at).toBe(count * lineBytes);
  }

  it('is kept small under a fast writer, and misses nothing but what it says', async () => {
    const count = 2_000_000;
    const log = jsonFileLog(1024 * 1024, 2);
    const taskId = await run(
      { runtime: host.runtime, image: machine.image },
      { main: numbers(count) },
      { container: { log } },
    );
    const followed: LogLine[] = [];
    for await (const batch of host.runtime.readLogs(taskId, { follow: true, signal: unending() }))
      followed.push(...batch);
    expectWhole(followed, count);
    await exitOf(host.runtime, taskId);
    await host.runtime.removeTask(taskId);
    const kept = await linesOf(host.runtime, taskId);
    expectWhole(kept, count);
    expect(kept[0]?.droppedBytes).toBeGreaterThan(10_000_000);
    const { blocks, size } = statSync(stdoutOf(taskId));
    expect(size).toBe(count * 8);
    expect(blocks * 512).toBeLessThanOrEqual(2 * 1024 * 1024 + 4096);
    await host.runtime.removeLogs(taskId);
  });

  it('holds its container up while CloudWatch Logs takes nothing, which is stopped all the same, and loses no line', async () => {
    await using cloud = await startFakeCloudWatchLogs();
    cloud.groups.set('g', new Map());
    vi.stubEnv('AWS_ENDPOINT_URL_CLOUDWATCH_LOGS', cloud.url);
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
    const region = 'eu-central-1';
    const log = {
      ...awslogsLog({ region, group: 'g', stream: 's', createsGroup: false, mode: 'blocking', maxBufferBytes: 4096 }),
      maxBytes: 200_000,
    };
    const script = 'i=100000; while :; do i=$((i+1)); echo "line $i"; [ $((i % 5000)) = 0 ] && sleep 0.2; done';
    const containerd = machine.client.withNamespace(host.config.namespace);
    const status = async () => (await containerd.tasks.list({})).tasks[0]?.status;
    const driven = { runtime: host.runtime, image: machine.image };
    const taskId = await run(driven, { main: ['/bin/sh', '-c', script] }, { container: { log } });
    await expect.poll(() => cloud.messages('g', 's').length, { timeout: 20_000 }).toBeGreaterThan(0);
    cloud.mood = 'throttled';
    await expect.poll(status, { timeout: 20_000 }).toBe(Status.PAUSED);
    cloud.mood = 'well';
    await expect.poll(status, { timeout: 20_000 }).toBe(Status.RUNNING);
    cloud.mood = 'throttled';
    await expect.poll(status, { timeout: 20_000 }).toBe(Status.PAUSED);
    await host.runtime.signalContainer(taskId, 'main', 'kill');
    expect((await exitOf(host.runtime, taskId)).exit.exitCode).toBe(137);
    cloud.mood = 'well';
    await host.runtime.removeTask(taskId);
    const written = statSync(stdoutOf(taskId)).size / 'line 100001\n'.length;
    await expect.poll(() => cloud.messages('g', 's').length, { timeout: 20_000 }).toBe(written);
    expect(cloud.messages('g', 's')).toEqual(Array.from({ length: written }, (_, index) => `line ${100_001 + index}`));
    await host.runtime.removeLogs(taskId);
    vi.unstubAllEnvs();
  });

  it('goes on while no agent is there: what was written then has a time that is approximate', async () => {
    const script =
      'echo before; while [ ! -e /tmp/go ]; do sleep 0.1; done; echo meanwhile; touch /tmp/done; sleep 1000';
    const taskId = await run({ runtime: host.runtime, image: machine.image }, { main: ['/bin/sh', '-c', script] });
    for await (const [line] of host.runtime.readLogs(taskId, { follow: true, signal: unending() }))
      if (line?.text === 'before') break;
    await host.runtime.close();
    const [found] = (await machine.client.withNamespace(host.config.namespace).tasks.list({})).tasks;
    const root = `/proc/${found?.pid}/root/tmp`;
    writeFileSync(join(root, 'go'), '');
    await expect.poll(() => existsSync(join(root, 'done'))).toBe(true);
    await expect.poll(() => statSync(stdoutOf(taskId)).size).toBe('before\nmeanwhile\n'.length);
    const next = await host.reopen();
    const lines = await linesOf(next, taskId);
    expect(lines.map(({ text, approximate }) => ({ text, approximate }))).toEqual([
      { text: 'before', approximate: undefined },
      { text: 'meanwhile', approximate: true },
    ]);
    await next.removeTask(taskId);
    await next.removeLogs(taskId);
  });
});
