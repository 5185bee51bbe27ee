/** What the kernel must have and keep for containers: control groups, overlayfs, memory. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { detectCgroups } from '../../agent/cgroups/cgroups.ts';
import { cgroupMounts } from '../../agent/cgroups/mounts.ts';
import { type Finding, finding, reasonOf } from './finding.ts';

/** What agent, containerd and a small task need. */
const leastAvailableMib = 256;
const neededControllers = ['cpu', 'memory', 'pids'];

export function kernelFindings(mountInfo: string = readFileSync('/proc/self/mountinfo', 'utf8')): Finding[] {
  return [cgroupFinding(mountInfo), overlayFinding(), ...memoryFindings(mountInfo)];
}

function cgroupFinding(mountInfo: string): Finding {
  const { byController, unified } = cgroupMounts(mountInfo);
  try {
    const { version } = detectCgroups(mountInfo);
    if (version === 2 && unified !== undefined) return controllersFinding(unified);
    const layout = unified === undefined ? 'version 1' : 'version 1, with an empty version 2 beside it (hybrid)';
    if (byController.has('cpuacct')) return finding('control groups', true, layout, '');
    const advice = 'Mount cpuacct below /sys/fs/cgroup: without it nobody can say what containers use.';
    return finding('control groups', false, `${layout}, without the controller cpuacct`, advice);
  } catch (error) {
    const advice =
      'Mount cgroup2 at /sys/fs/cgroup; or, under version 1, the controllers cpu, memory and pids, which the command line of some ' +
      'kernels must enable (cgroup_enable=memory).';
    return finding('control groups', false, reasonOf(error), advice);
  }
}

function controllersFinding(root: string): Finding {
  const there = readFileSync(join(root, 'cgroup.controllers'), 'utf8').trim().split(' ');
  const missing = neededControllers.filter((name) => !there.includes(name));
  return finding(
    'control groups',
    missing.length === 0,
    missing.length === 0 ? `version 2 (${there.join(', ')})` : `version 2, without ${missing.join(', ')}`,
    'Whoever manages the groups above must hand these controllers down: on a machine the kernel (cgroup_disable on its command line), in ' +
      'a container or under systemd Delegate=yes.',
  );
}

function overlayFinding(): Finding {
  const known = /\boverlay$/m.test(readFileSync('/proc/filesystems', 'utf8'));
  const detail = known ? 'the kernel has it' : 'the kernel does not list it';
  return finding('overlayfs', known, detail, 'Try `modprobe overlay`.');
}

function memoryFindings(mountInfo: string): Finding[] {
  const text = readFileSync('/proc/meminfo', 'utf8');
  const mib = (name: string): number =>
    Math.floor(Number(new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(text)?.[1]) / 1024);
  const available = mib('MemAvailable');
  const enough = available >= leastAvailableMib;
  const memory = finding('memory', enough, `${available} MiB available`, 'End something, or use a larger machine.');
  const { byController } = cgroupMounts(mountInfo);
  const version1 = byController.get('memory');
  const isAccounted = version1 === undefined || existsSync(join(version1, 'memory.memsw.limit_in_bytes'));
  if (mib('SwapTotal') === 0) return [memory];
  const advice =
    "Containers can swap beyond their limit of memory: put swapaccount=1 on the kernel's command line, or switch swap off.";
  return [memory, finding('swap', isAccounted, isAccounted ? 'accounted' : 'on, and not accounted', advice)];
}
