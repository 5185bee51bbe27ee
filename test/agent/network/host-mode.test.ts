/** Processes of tasks in host mode, told by control groups that a directory tree stands for. */
import { mkdirSync, mkdtempDisposableSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openHostMode } from '../../../agent/network/host-mode.ts';

const group = '/gantry/task/container';

function machine(...hierarchies: ('unified' | 'net_cls')[]) {
  const root = mkdtempDisposableSync(join(tmpdir(), 'gantry-host-mode-'));
  for (const name of hierarchies) mkdirSync(join(root.path, name));
  const byController = new Map(hierarchies.includes('net_cls') ? [['net_cls', join(root.path, 'net_cls')]] : []);
  const unified = hierarchies.includes('unified') ? join(root.path, 'unified') : undefined;
  return {
    open: (netns?: string) => openHostMode(netns, '/gantry', { unified, byController }),
    classOf: (path: string) => readFileSync(join(root.path, 'net_cls', path, 'net_cls.classid'), 'utf8'),
    /** As runc puts a container's process there. */
    put(hierarchy: 'unified' | 'net_cls', pid: number, classId?: string) {
      const path = join(root.path, hierarchy, group);
      mkdirSync(path, { recursive: true });
      writeFileSync(join(path, 'cgroup.procs'), `11\n${pid}\n`);
      if (classId !== undefined) writeFileSync(join(path, 'net_cls.classid'), `${classId}\n`);
    },
    [Symbol.dispose]: () => root.remove(),
  };
}

it('are all there are in a network namespace that is the host’s alone', async () => {
  using kernel = machine();
  const mode = await kernel.open('/run/netns/host-1');
  expect(mode.match).toEqual({ kind: 'everything' });
  expect(await mode.matches(group, 12)).toBe(true);
});

it('are told by the path of their group in version 2', async () => {
  using kernel = machine('unified');
  const mode = await kernel.open();
  expect(mode.match).toEqual({ kind: 'cgroup', path: 'gantry' });
  expect(await mode.matches(group, 12), 'an old runc makes no group there').toBe(false);
  kernel.put('unified', 12);
  expect(await mode.matches(group, 12)).toBe(true);
  expect(await mode.matches(group, 1), 'another process').toBe(false);
});

it('are told by their class in version 1, which groups made before have not', async () => {
  using kernel = machine('net_cls');
  const mode = await kernel.open();
  expect(mode.match).toEqual({ kind: 'cgroup', classId: 1_734_438_516 });
  expect(kernel.classOf('gantry')).toBe('1734438516');
  kernel.put('net_cls', 12, '0');
  expect(await mode.matches(group, 12)).toBe(false);
  kernel.put('net_cls', 12, '1734438516');
  expect(await mode.matches(group, 12)).toBe(true);
});

it('are told by either where there are both', async () => {
  using kernel = machine('unified', 'net_cls');
  const mode = await kernel.open();
  expect(mode.match).toEqual({ kind: 'cgroup', path: 'gantry', classId: 1_734_438_516 });
  kernel.put('net_cls', 12, '1734438516');
  expect(await mode.matches(group, 12)).toBe(true);
});

it('cannot be told without either', async () => {
  using kernel = machine();
  const mode = await kernel.open();
  expect(mode.match).toEqual({ kind: 'impossible' });
  expect(await mode.matches(group, 12)).toBe(false);
});
