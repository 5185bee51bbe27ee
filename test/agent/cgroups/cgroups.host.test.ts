/** The control groups of this machine, whichever version it has. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
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

describeWithContainers("the machine's control groups", () => {
  it('take a group with limits again and again, and give it back with what runs in it', async () => {
    const cgroups = detectCgroups();
    const group = `${parent}/task`;
    const limits = taskLimits(taskSpec({ cpuUnits: 256, memoryMib: 64 }));
    await cgroups.createGroup(group, limits);
    await cgroups.createGroup(group, limits);
    expect(await cgroups.childGroups(parent)).toEqual(['task']);
    expect(await cgroups.oomKills(group)).toBe(0);

    const sleeper = spawn('sleep', ['600'], { stdio: 'ignore' });
    const ended = once(sleeper, 'exit');
    const [holder = ''] = holdersOf(group);
    writeFileSync(join(holder, group, 'cgroup.procs'), String(sleeper.pid));

    await cgroups.removeGroup(parent);
    await cgroups.removeGroup(parent);
    expect(holdersOf(parent)).toEqual([]);
    expect(await ended).toEqual([null, 'SIGKILL']);
  });
});

it('a task without a CPU size weighs what its containers weigh together', () => {
  const containers = [containerSpec({ cpuUnits: 0 }), containerSpec({ name: 'other', cpuUnits: 300 })];
  expect(taskLimits(taskSpec({ containers }))).toEqual({ cpuShares: 302, pids: 4096 });
  expect(taskLimits(taskSpec({ containers, cpuUnits: 512 }))).toEqual({ cpuUnits: 512, cpuShares: 512, pids: 4096 });
});
