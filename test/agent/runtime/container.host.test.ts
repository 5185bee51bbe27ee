/** What a container is given, seen from inside: its limits, its user, its files and what the kernel refuses it. */
import { readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { detectCgroups } from '../../../agent/cgroups/cgroups.ts';
import { cgroupMounts } from '../../../agent/cgroups/mounts.ts';
import { busyboxImage, busyboxLayer } from '../../../local/images/busybox-image.ts';
import { tarArchive } from '../../../local/images/tar.ts';
import { describeWithContainers } from '../../support/containers.ts';
import { craftImage, rawTar } from '../../support/crafted-image.ts';
import {
  exitOf,
  failureOf,
  firstExitOf,
  linesOf,
  prepare,
  run,
  runTask,
  type SpecOverrides,
} from '../runtime-driver.ts';
import { type RealHost, type RealMachine, startRealMachine } from './real-host.ts';

const mib = 1024 * 1024;

describeWithContainers('a container', () => {
  let machine: RealMachine;
  let host: RealHost;
  const stack = new AsyncDisposableStack();
  beforeAll(async () => {
    machine = stack.use(await startRealMachine());
    host = stack.use(await machine.host());
  });
  afterAll(() => stack.disposeAsync());

  const driven = (image = machine.image) => ({ runtime: host.runtime, image });

  /** The lines that a shell script writes; one that fails, fails the test. */
  async function shell(script: string, overrides: SpecOverrides = {}, image?: string): Promise<string[]> {
    const taskId = await run(driven(image), { main: ['sh', '-c', script] }, overrides);
    const { exit } = await exitOf(host.runtime, taskId);
    await host.runtime.removeContainer(taskId, 'main'); // Its log is complete then.
    const lines = await linesOf(host.runtime, taskId);
    await host.runtime.removeTask(taskId);
    const text = lines.map((line) => line.text);
    expect(exit.exitCode, text.join('\n')).toBe(0);
    return text;
  }

  it('reads its limits of CPU and memory from its own cgroup, and its task has them too', async () => {
    const { version } = detectCgroups();
    const files =
      version === 1
        ? 'memory/memory.limit_in_bytes memory/memory.soft_limit_in_bytes ' +
          'cpu/cpu.shares cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us pids/pids.max'
        : 'memory.max memory.low cpu.weight cpu.max pids.max';
    const overrides = {
      task: { cpuUnits: 512, memoryMib: 128 },
      container: { cpuUnits: 256, memoryMib: 64, memoryReservationMib: 32 },
    };
    const read = await shell(`cd /sys/fs/cgroup && cat ${files}`, overrides);
    const limits = [String(64 * mib), String(32 * mib)];
    expect(read).toEqual(
      version === 1 ? [...limits, '256', '50000', '100000', '4096'] : [...limits, '10', '50000 100000', '4096'],
    );

    const { taskId } = await prepare(driven(), { main: ['true'] }, overrides);
    const { byController, unified } = cgroupMounts(readFileSync('/proc/self/mountinfo', 'utf8'));
    const ofTask = (controller: string, file: string) =>
      readFileSync(
        join(byController.get(controller) ?? unified ?? '', host.config.cgroupParent, taskId, file),
        'utf8',
      ).trim();
    expect(ofTask('memory', version === 1 ? 'memory.limit_in_bytes' : 'memory.max')).toBe(String(128 * mib));
    expect(ofTask('cpu', version === 1 ? 'cpu.cfs_quota_us' : 'cpu.max')).toMatch(/^50000/);
    await host.runtime.removeTask(taskId);
  });

  it('is slowed down when it wants more CPU than its task has', async () => {
    const stat = detectCgroups().version === 1 ? '/sys/fs/cgroup/cpu/cpu.stat' : '/sys/fs/cgroup/cpu.stat';
    const script = `until [ "$(sed -n 's/^nr_throttled //p' ${stat})" -gt 0 ]; do :; done; echo slowed`;
    expect(await shell(script, { task: { cpuUnits: 256 } })).toEqual(['slowed']);
  });

  it('is ended for want of memory when the containers of its task together take more than the task may', async () => {
    const hold = ['sh', '-c', 'dd if=/dev/zero of=/dev/shm/held bs=1M count=20 && echo ready && exec sleep 600'];
    const { taskId } = await runTask(driven(), { first: hold, second: hold }, { task: { memoryMib: 32 } });
    const { container, state } = await firstExitOf(host.runtime, taskId, ['first', 'second']);
    expect(state.exit.oomKilled).toBe(true);
    const other = container === 'first' ? 'second' : 'first';
    expect(await host.runtime.containerState(taskId, other)).toMatchObject({ state: 'running' });
    await host.runtime.removeTask(taskId);
  });

  it('that ends with 137 of its own will was not killed for want of memory', async () => {
    const taskId = await run(driven(), { main: ['sh', '-c', 'exit 137'] }, { container: { memoryMib: 32 } });
    expect((await exitOf(host.runtime, taskId)).exit).toMatchObject({ exitCode: 137, oomKilled: false });
    await host.runtime.removeTask(taskId);
  });

  it('has the ulimits of its task definition', async () => {
    const ulimits = [
      { name: 'nofile', softLimit: 1000, hardLimit: 2000 },
      { name: 'core', softLimit: 0, hardLimit: 0 },
    ] as const;
    const read = await shell('ulimit -Sn; ulimit -Hn; ulimit -Hc', { container: { ulimits: [...ulimits] } });
    expect(read).toEqual(['1000', '2000', '0']);
  });

  it('runs as the user that the task definition names, else the image', async () => {
    const id = 'echo "$(id -u) $(id -g) $(id -G)"';
    expect(await shell(id)).toEqual(['0 0 0']);
    expect(await shell(id, { container: { user: 'app' } })).toEqual(['1000 1000 1000']);
    expect(await shell(id, { container: { user: '1234:5678' } })).toEqual(['1234 5678 5678']);
    expect(await shell(id, { container: { user: 'nobody:tty' } })).toEqual(['65534 5 5']);
    const image = await machine.publish(await busyboxImage({ config: { User: 'app' } }), 'test/app');
    expect(await shell(id, {}, image)).toEqual(['1000 1000 1000']);
    expect(await shell(id, { container: { user: 'root' } }, image)).toEqual(['0 0 0']);
    const accounts = { '/etc/passwd': 'late:x:2000:2001::/:/bin/sh\n', '/etc/group': 'crew:x:2002:late\n' };
    const layered = await machine.publish(await busyboxImage({ layers: [accounts] }), 'test/layered');
    expect(await shell(id, { container: { user: 'late' } }, layered)).toEqual(['2000 2001 2001 2002']);
  });

  it('cannot use device files that its image brings', async () => {
    const zero = rawTar([
      { name: 'harmless', type: '3', device: [1, 5] },
      { name: 'kernel-log', type: '3', device: [1, 11] },
    ]);
    const crafted = await craftImage([{ archive: tarArchive(await busyboxLayer()) }, { archive: zero }]);
    const image = await machine.publish(crafted, 'test/devices');
    const script = 'head -c 1 /harmless | wc -c; head -c 1 /kernel-log 2>&1 || true';
    const environment = [{ name: 'PATH', value: '/bin' }];
    const [harmless, refused] = await shell(script, { container: { environment } }, image);
    expect(harmless?.trim()).toBe('1');
    expect(refused).toContain('Operation not permitted');
  });

  it('is not made for a user that the image does not know', async () => {
    const { spec, taskId, image } = await prepare(driven(), { main: ['true'] }, { container: { user: 'stranger' } });
    const failure = await failureOf(host.runtime.createContainer(spec, 'main', image));
    expect(failure).toMatchObject({ kind: 'CannotCreateContainerError', retryable: false });
    expect(failure.message).toContain('The user "stranger" is not in the image\'s /etc/passwd');
    await host.runtime.removeTask(taskId);
  });

  it('is not started where its command cannot be executed, and says so', async () => {
    const { spec, taskId, image } = await prepare(driven(), { main: ['/etc/passwd'] });
    const failure = await failureOf(host.runtime.createContainer(spec, 'main', image));
    expect(failure.kind).toBe('CannotStartContainerError');
    expect(failure.message).toContain('Check that "/etc/passwd" is a program, may be executed');
    await host.runtime.removeTask(taskId);
  });

  it('starts in its working directory, which is made where it is missing', async () => {
    expect(await shell('pwd', { container: { workingDirectory: '/home/app' } })).toEqual(['/home/app']);
    expect(await shell('pwd', { container: { workingDirectory: '/made/for/it' } })).toEqual(['/made/for/it']);
  });

  it('can write to its root, unless that is read-only', async () => {
    const write = 'touch /file 2>&1 && echo written; touch /dev/shm/file && echo shared memory';
    expect(await shell(write)).toEqual(['written', 'shared memory']);
    expect(await shell(write, { container: { readonlyRootFilesystem: true } })).toEqual([
      'touch: /file: Read-only file system',
      'shared memory',
    ]);
  });

  it('has the capabilities that Docker gives, and none as another user', async () => {
    const read = "sed -n 's/^Cap\\(Prm\\|Eff\\|Bnd\\|Amb\\):\\t//p' /proc/self/status";
    const docker = '00000000a80425fb';
    const none = '0000000000000000';
    expect(await shell(read)).toEqual([docker, docker, docker, none]);
    expect(await shell(read, { container: { user: 'app' } })).toEqual([none, none, docker, none]);
  });

  it('has a seccomp filter in force, and cannot change the machine', async () => {
    const read = await shell(
      [
        "sed -n 's/^Seccomp:\\t//p' /proc/self/status",
        'unshare -U true 2>&1', // Takes no capability: only the filter refuses it.
        'echo 1 2>&1 > /proc/sys/kernel/panic',
        'mount -t tmpfs none /mnt 2>&1',
        'wc -c < /proc/interrupts',
        'exit 0',
      ].join('\n'),
    );
    expect(read[0]).toBe('2');
    expect(read[1]).toContain('Operation not permitted');
    expect(read.join('\n')).toContain("can't create /proc/sys/kernel/panic: Read-only file system");
    expect(read.join('\n')).toMatch(/mount: .*(permission denied|Operation not permitted)/i);
    expect(read.at(-1)).toBe('0');
  });

  it('sees no process but its own, and is in no namespace of the machine', async () => {
    const kinds = ['ipc', 'mnt', 'net', 'pid', 'uts'];
    const [pid, processes, ...namespaces] = await shell(
      `echo $$; ls -d /proc/[0-9]* | wc -l; for kind in ${kinds.join(' ')}; do readlink /proc/self/ns/$kind; done`,
    );
    expect(pid).toBe('1');
    expect(Number(processes)).toBeLessThanOrEqual(4); // The shell, ls and wc.
    expect(namespaces).toHaveLength(kinds.length);
    for (const [index, kind] of kinds.entries())
      expect(namespaces[index]).not.toBe(readlinkSync(`/proc/self/ns/${kind}`));
  });

  it('has its environment, its name and the files that tell its network', async () => {
    const environment = [{ name: 'GREETING', value: 'good "day"\n$HOME' }];
    const read = await shell('echo "$GREETING"; hostname; cat /etc/hostname; grep -c localhost /etc/hosts', {
      container: { environment, hostname: 'web-1' },
    });
    expect(read).toEqual(['good "day"', '$HOME', 'web-1', 'web-1', '2']);
  });

  it('says what it says on two streams', async () => {
    const taskId = await run(driven(), { main: ['sh', '-c', 'echo out; echo err >&2; printf unfinished'] });
    await exitOf(host.runtime, taskId);
    await host.runtime.removeContainer(taskId, 'main');
    const lines = (await linesOf(host.runtime, taskId)).map(({ stream, text }) => `${stream}: ${text}`);
    expect(lines.toSorted()).toEqual(['stderr: err', 'stdout: out', 'stdout: unfinished']);
    await host.runtime.removeTask(taskId);
  });

  it('leaves nothing when all are removed', async () => {
    for (const taskId of await host.runtime.tasksWithLogs()) await host.runtime.removeLogs(taskId);
    await expect.poll(() => host.leftovers(), { timeout: 5000 }).toEqual([]);
    expect(await host.runtime.inventory()).toEqual([]);
  });
});
