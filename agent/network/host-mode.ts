/**
 * How the firewall can tell processes of tasks in host mode from the rest of the machine, which alone may ask for instance metadata: by
 * their control group, in version 2 (alone or beside version 1) by its path, in version 1 by the class that net_cls gives it. And whether
 * a process really is where the rules look for it, which with an old runc it may not be.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CgroupMounts } from '../cgroups/mounts.ts';
import type { HostModeMatch } from './firewall-rules.ts';

/** "gant". The class of every task, whichever host of this machine it is on. */
const taskClassId = 0x67_61_6e_74;
const classFile = 'net_cls.classid';

export interface HostMode {
  /** `impossible` where there is no way. */
  readonly match: HostModeMatch;
  /** @param group the process' control group, below the root of every hierarchy */
  matches(group: string, pid: number): Promise<boolean>;
}

/** A network namespace that is the host's alone needs no telling: all in it are tasks. */
const everything: HostMode = { match: { kind: 'everything' }, matches: async () => true };

/** Makes the host's group where rules need it to exist. */
export async function openHostMode(
  netns: string | undefined,
  cgroupParent: string,
  { unified, byController }: Pick<CgroupMounts, 'unified' | 'byController'>,
): Promise<HostMode> {
  if (netns !== undefined) return everything;
  const classes = byController.get('net_cls');
  const paths = unified;
  if (paths !== undefined) await mkdir(join(paths, cgroupParent), { recursive: true });
  if (classes !== undefined) await makeClass(join(classes, cgroupParent));
  const path = paths === undefined ? {} : { path: cgroupParent.replace(/^\//, '') };
  const classId = classes === undefined ? {} : { classId: taskClassId };
  return {
    match:
      paths === undefined && classes === undefined ? { kind: 'impossible' } : { kind: 'cgroup', ...path, ...classId },
    async matches(group, pid) {
      if (paths !== undefined && (await holds(join(paths, group), pid))) return true;
      return (
        classes !== undefined && (await holds(join(classes, group), pid)) && (await hasClass(join(classes, group)))
      );
    },
  };
}

/** Groups that are made below it from now on have the class too. */
async function makeClass(group: string): Promise<void> {
  await mkdir(group, { recursive: true });
  await writeFile(join(group, classFile), String(taskClassId));
}

async function holds(group: string, pid: number): Promise<boolean> {
  const processes = await readFile(join(group, 'cgroup.procs'), 'utf8').catch(() => ''); // There is no such group here.
  return processes.split('\n').includes(String(pid));
}

const hasClass = async (group: string): Promise<boolean> =>
  Number(await readFile(join(group, classFile), 'utf8').catch(() => '')) === taskClassId;
