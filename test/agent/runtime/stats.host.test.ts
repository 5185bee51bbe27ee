/** The statistics of a real container, against what the container itself did and what its network namespace says. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { detectCgroups } from '../../../agent/cgroups/cgroups.ts';
import { describeWithContainers } from '../../support/containers.ts';
import { isReady, run } from '../runtime-driver.ts';
import { type RealHost, type RealMachine, startRealMachine } from './real-host.ts';

const mib = 1024 * 1024;

/** Runs out of memory in a child, writes 4 MiB past the page cache, talks to its gateway, and uses up its share of a processor. */
const script = `
  dd if=/dev/zero of=/dev/null bs=256M count=1 2>/dev/null
  dd if=/dev/zero of=/written bs=1M count=4 oflag=direct 2>/dev/null || exit 1
  nc -w 1 "$(ip route | sed -n 's/^default via \\([^ ]*\\).*/\\1/p')" 1
  i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done
  echo ready
  while :; do sleep 0.1; done`;

describeWithContainers('the statistics of a container', () => {
  let machine: RealMachine;
  let host: RealHost;
  const stack = new AsyncDisposableStack();
  beforeAll(async () => {
    machine = stack.use(await startRealMachine());
    host = stack.use(await machine.host());
  });
  afterAll(() => stack.disposeAsync());

  const netns = (taskId: string) =>
    readdirSync('/run/netns').find((name) => name.startsWith(`${host.config.namespace}-${taskId}`)) ?? 'none';

  /** Bytes and packets received and sent on eth0, read from within the container's network namespace. */
  function counted(taskId: string): number[] {
    const text = execFileSync('nsenter', [`--net=/run/netns/${netns(taskId)}`, 'cat', '/proc/net/dev'], {
      encoding: 'utf8',
    });
    const columns = /eth0: *(.+)/.exec(text)?.[1]?.split(/ +/).map(Number) ?? [];
    return [columns[0] ?? 0, columns[1] ?? 0, columns[8] ?? 0, columns[9] ?? 0];
  }

  it('say what it did with processor, memory, devices and network', async () => {
    const driven = { runtime: host.runtime, image: machine.image };
    const taskId = await run(
      driven,
      { main: ['sh', '-c', script] },
      { task: { networkMode: 'bridge', cpuUnits: 512, memoryMib: 64 }, container: { memoryMib: 32 } },
    );
    await isReady(host.runtime, taskId);
    const before = counted(taskId);
    const stats = await host.runtime.containerStats(taskId, 'main');
    const after = counted(taskId);
    if (stats === undefined) throw new Error('it runs, and has no statistics');
    const { cpu, memory, pids, blockIo, network } = stats;

    expect(cpu.throttledPeriods, 'it may have half a processor, and wanted a whole one').toBeGreaterThan(0);
    expect(cpu.throttledNanos).toBeGreaterThan(0);
    expect(cpu.periods).toBeGreaterThanOrEqual(cpu.throttledPeriods);
    expect(cpu.usageNanos).toBeGreaterThan(50e6);
    expect((cpu.userNanos + cpu.systemNanos) / cpu.usageNanos).toBeGreaterThan(0.5);
    expect((cpu.userNanos + cpu.systemNanos) / cpu.usageNanos).toBeLessThan(1.5);

    expect(memory).toMatchObject({ limitBytes: 32 * mib, oomKills: 1 });
    expect(memory.usageBytes).toBeLessThanOrEqual(32 * mib);
    expect(memory.peakBytes, 'a child of it took all that it may have').toBeGreaterThan(30 * mib);
    expect(pids).toMatchObject({ limit: 4096 });
    expect([1, 2]).toContain(pids.current);

    if (blockIo !== undefined || detectCgroups().version === 2) {
      expect(blockIo?.writtenBytes).toBeGreaterThanOrEqual(4 * mib);
      expect(blockIo?.writeOperations).toBeGreaterThan(0);
    }

    const { eth0, ...others } = network ?? {};
    expect(others).toEqual({});
    const read = [eth0?.rxBytes, eth0?.rxPackets, eth0?.txBytes, eth0?.txPackets];
    for (const [index, value] of read.entries()) {
      expect(value).toBeGreaterThanOrEqual(before[index] ?? Infinity);
      expect(value).toBeLessThanOrEqual(after[index] ?? 0);
    }
    expect(eth0?.txPackets, 'it spoke to its gateway').toBeGreaterThan(0);
    await host.runtime.removeTask(taskId);
  });

  it('name no network in host mode, where the counters would be those of the whole host', async () => {
    const driven = { runtime: host.runtime, image: machine.image };
    const taskId = await run(
      driven,
      { main: ['sh', '-c', 'echo ready; exec sleep 600'] },
      { task: { networkMode: 'host' } },
    );
    await isReady(host.runtime, taskId);
    const stats = await host.runtime.containerStats(taskId, 'main');
    expect(stats?.pids.current).toBe(1);
    expect(stats?.memory.limitBytes, 'without a limit there is none to tell').toBeUndefined();
    expect(stats).not.toHaveProperty('network');
    await host.runtime.removeTask(taskId);
  });
});
