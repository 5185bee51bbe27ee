/** Version 2 against a directory tree that stands for the kernel's: the order and the content of what is written. */
import { mkdirSync, mkdtempDisposableSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cgroupsV2, cpuWeight } from '../../../agent/cgroups/v2.ts';

/** The kernel makes these files with each group; here they are made for the groups that a test uses. */
function tree(groups: readonly string[], { controllers = 'cpuset cpu io memory pids' } = {}) {
  const root = mkdtempDisposableSync(join(tmpdir(), 'gantry-cgroup2-'));
  for (const group of ['', ...groups]) {
    const path = join(root.path, group);
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'cgroup.controllers'), `${controllers}\n`);
    writeFileSync(join(path, 'cgroup.subtree_control'), group === '' ? 'cpu\n' : '\n');
  }
  return {
    cgroups: cgroupsV2(root.path),
    read: (...path: string[]) => readFileSync(join(root.path, ...path), 'utf8'),
    write: (content: string, ...path: string[]) => writeFileSync(join(root.path, ...path), content),
    [Symbol.dispose]: () => root.remove(),
  };
}

const groups = ['gantry', 'gantry/host-1', 'gantry/host-1/task'];

describe("a task's group in version 2", () => {
  it('gets its limits, and every group above hands the controllers down', async () => {
    using kernel = tree(groups);
    kernel.write('max\n', 'gantry/host-1/task/memory.swap.max');
    await kernel.cgroups.createGroup('/gantry/host-1/task', {
      cpuUnits: 512,
      cpuShares: 512,
      memoryMib: 64,
      pids: 100,
    });
    const control = (file: string) => kernel.read('gantry/host-1/task', file);
    expect(control('cpu.max')).toBe('50000 100000');
    expect(control('cpu.weight')).toBe('20');
    expect(control('memory.max')).toBe(String(64 * 1024 * 1024));
    expect(control('memory.swap.max')).toBe('0');
    expect(control('pids.max')).toBe('100');
    expect(kernel.read('cgroup.subtree_control'), 'what is enabled already is not asked for again').toBe(
      '+memory +pids',
    );
    for (const group of groups) expect(kernel.read(group, 'cgroup.subtree_control')).toBe('+cpu +memory +pids');
  });

  it('has no quota and no memory limit where the task has none', async () => {
    using kernel = tree(groups);
    await kernel.cgroups.createGroup('/gantry/host-1/task', { cpuShares: 1024, pids: 100 });
    expect(() => kernel.read('gantry/host-1/task/cpu.max')).toThrow('ENOENT');
    expect(() => kernel.read('gantry/host-1/task/memory.max')).toThrow('ENOENT');
  });

  it('cannot be made where a controller is missing, with a sentence that names it', async () => {
    using kernel = tree(groups, { controllers: 'cpu pids' });
    await expect(kernel.cgroups.createGroup('/gantry/host-1/task', { cpuShares: 2, pids: 1 })).rejects.toThrow(
      /controllers memory are not available/,
    );
  });
});

describe('kills for want of memory in version 2', () => {
  it('are those of the group itself', async () => {
    using kernel = tree(groups);
    kernel.write('low 0\noom 2\noom_kill 1\n', 'gantry/host-1/task/memory.events.local');
    kernel.write('low 0\noom 9\noom_kill 7\n', 'gantry/host-1/task/memory.events');
    expect(await kernel.cgroups.oomKills('/gantry/host-1/task')).toBe(1);
  });

  it('come from the whole subtree on old kernels, and are none when the group is gone', async () => {
    using kernel = tree(groups);
    kernel.write('oom 9\noom_kill 7\n', 'gantry/host-1/task/memory.events');
    expect(await kernel.cgroups.oomKills('/gantry/host-1/task')).toBe(7);
    expect(await kernel.cgroups.oomKills('/gantry/host-1/gone')).toBe(0);
  });
});

describe('the weight', () => {
  it.each([
    [2, 1],
    [1024, 39],
    [262_144, 10_000],
  ])('of %i shares is %i', (shares, weight) => {
    expect(cpuWeight(shares)).toBe(weight);
  });
});

it("lists the groups below a host's", async () => {
  using kernel = tree(groups);
  expect(await kernel.cgroups.childGroups('/gantry/host-1')).toEqual(['task']);
  expect(await kernel.cgroups.childGroups('/gantry/none')).toEqual([]);
});
