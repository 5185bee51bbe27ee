import { describe, expect, it } from 'vitest';
import { detectCgroups } from '../../../agent/cgroups/cgroups.ts';
import { cgroupMounts } from '../../../agent/cgroups/mounts.ts';

const hybrid = `
24 30 0:22 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755
25 24 0:23 / /sys/fs/cgroup/unified rw,nosuid shared:5 - cgroup2 cgroup2 rw,nsdelegate
26 24 0:24 / /sys/fs/cgroup/systemd rw,nosuid shared:6 - cgroup cgroup rw,xattr,name=systemd
27 24 0:25 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:7 - cgroup cgroup rw,cpu,cpuacct
28 24 0:26 / /sys/fs/cgroup/memory rw,nosuid shared:8 - cgroup cgroup rw,memory
29 24 0:27 / /sys/fs/cgroup/pids rw,nosuid shared:9 - cgroup cgroup rw,pids
40 30 0:26 /docker/x /var/lib/x/rootfs/sys/fs/cgroup/memory ro shared:8 - cgroup cgroup rw,memory
`;
const unifiedOnly =
  '25 24 0:23 / /sys/fs/cgroup rw,nosuid shared:5 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot';

describe('the mounted hierarchies', () => {
  it("are found by controller, containers' views of them left out", () => {
    const { byController, unified, all } = cgroupMounts(hybrid);
    expect(Object.fromEntries(byController)).toEqual({
      cpu: '/sys/fs/cgroup/cpu,cpuacct',
      cpuacct: '/sys/fs/cgroup/cpu,cpuacct',
      memory: '/sys/fs/cgroup/memory',
      pids: '/sys/fs/cgroup/pids',
    });
    expect(unified).toBe('/sys/fs/cgroup/unified');
    expect(all).toHaveLength(5);
  });

  it('decide the version: 1 as soon as one controller is there, 2 where it stands alone', () => {
    expect(detectCgroups(hybrid).version).toBe(1);
    expect(detectCgroups(unifiedOnly).version).toBe(2);
  });

  it('must exist, with the controllers that limits need', () => {
    expect(() => detectCgroups('')).toThrow(/No control groups are mounted/);
    expect(() => detectCgroups(hybrid.replace('rw,pids', 'rw,net_cls'))).toThrow(/controller "pids" is not mounted/);
  });
});
