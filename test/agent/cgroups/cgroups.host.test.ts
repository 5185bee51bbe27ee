/** The control groups of this machine, whichever version it has: what they are told, and what the kernel makes of it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { detectCgroups, taskLimits } from '../../../agent/cgroups/cgroups.ts';
import { describeWithContainers } from '../../support/containers.ts';
import { containerSpec, taskSpec } from '../oci/task-spec.ts';

const parent = `/gantry-test-${process.pid}`;
const hierarchies = () => [
  '/sys/fs/cgroup',
  ...readdirSync('/sys/fs/cgroup').map((name) => join('/sys/fs/cgroup', name)),
];
const holdersOf = (path: string) => hierarchies().filter((mountPoint) => existsSync(join(mountPoint, path)));

/** As runc does it: in a group below the task's, which itself takes no process in version 2. Goes on once it is in there. */
function startIn(group: string, script: string): ChildProcess {
  const container = join(group, 'container');
  const child = spawn('sh', ['-c', `read go; ${script}`], { stdio: ['pipe', 'pipe', 'ignore'] });
  for (const mountPoint of holdersOf(group)) {
    mkdirSync(join(mountPoint, container), { recursive: true });
    writeFileSync(join(mountPoint, container, 'cgroup.procs'), String(child.pid));
  }
  child.stdin?.end('go\n');
  return child;
}

async function outputOf(child: ChildProcess): Promise<string> {
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  await once(child, 'close');
  return output;
}

describeWithContainers("the machine's control groups", () => {
  it('take a group with limits again and again, and give it back with what runs in it', async () => {
    const cgroups = detectCgroups();
    const group = `${parent}/task`;
    const limits = taskLimits(taskSpec({ cpuUnits: 256, memoryMib: 64 }));
    await cgroups.createGroup(group, limits);
    await cgroups.createGroup(group, limits);
    expect(await cgroups.childGroups(parent)).toEqual(['task']);
    expect(await cgroups.oomKills(group)).toBe(0);

    const ended = once(startIn(group, 'exec sleep 600'), 'exit');
    await cgroups.removeGroup(parent);
    await cgroups.removeGroup(parent);
    expect(holdersOf(parent)).toEqual([]);
    expect(await ended).toEqual([null, 'SIGKILL']);
  });

  it("hold what is in the groups below a task's to the task's limits", async () => {
    const cgroups = detectCgroups();
    const group = `${parent}/limited`;
    const forks = `${'sleep 600 >/dev/null & '.repeat(3)} echo all`;
    for (const [pids, output] of [
      [3, ''], // The shell is one of them.
      [4, 'all\n'],
    ] as const) {
      await cgroups.createGroup(group, { cpuShares: 2, memoryMib: 16, pids });
      expect(await outputOf(startIn(group, forks))).toBe(output);
      await cgroups.removeGroup(group);
    }
    await cgroups.createGroup(group, { cpuShares: 2, memoryMib: 16, pids: 4 });
    const [code, signal] = await once(startIn(group, 'exec dd if=/dev/zero of=/dev/null bs=64M count=1'), 'exit');
    expect({ code, signal }).toEqual({ code: null, signal: 'SIGKILL' });
    expect(await cgroups.oomKills(`${group}/container`)).toBe(1);
    expect(await cgroups.oomKills(group), 'of the task itself, whose containers are counted apart').toBe(0);
    await cgroups.removeGroup(parent);
    expect(holdersOf(parent)).toEqual([]);
  });
});

it('a task without a CPU size weighs what its containers weigh together', () => {
  const containers = [containerSpec({ cpuUnits: 0 }), containerSpec({ name: 'other', cpuUnits: 300 })];
  expect(taskLimits(taskSpec({ containers }))).toEqual({ cpuShares: 302, pids: 4096 });
  expect(taskLimits(taskSpec({ containers, cpuUnits: 512 }))).toEqual({ cpuUnits: 512, cpuShares: 512, pids: 4096 });
});
