/** Which cgroup hierarchies are mounted where, from /proc/self/mountinfo (proc(5)). */

export interface CgroupMounts {
  /** Version 1: the mount point of each controller, such as `memory`. Empty on a machine of version 2 only. */
  readonly byController: ReadonlyMap<string, string>;
  /** The mount point of version 2: all there is, or beside version 1 (hybrid). */
  readonly unified: string | undefined;
  /** Every mount point, named hierarchies such as systemd's among them. */
  readonly all: readonly string[];
}

/** Options of a version 1 mount that are no controllers. */
const notControllers = new Set(['rw', 'ro', 'clone_children', 'xattr', 'noprefix', 'cpuset_v2_mode', 'favordynmods']);

export function cgroupMounts(mountInfo: string): CgroupMounts {
  const byController = new Map<string, string>();
  const all = new Set<string>();
  let unified: string | undefined;
  for (const line of mountInfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const mountPoint = before.split(' ')[4] ?? '';
    const [type, , options = ''] = after.split(' ');
    // Containers' views of the same hierarchies may be mounted elsewhere.
    if (!mountPoint.startsWith('/sys/fs/cgroup')) continue;
    if (type === 'cgroup2') {
      unified ??= mountPoint;
      all.add(mountPoint);
    } else if (type === 'cgroup') {
      all.add(mountPoint);
      for (const option of options.split(','))
        if (!notControllers.has(option) && !option.includes('=') && !byController.has(option))
          byController.set(option, mountPoint);
    }
  }
  return { byController, unified, all: [...all] };
}
