/** What every container finds mounted besides its root, and which paths of /proc and /sys it must not see or write. */
import type { SpecMount } from './runtime-spec.ts';

const shmBytes = 64 * 1024 * 1024;

/** Files that the agent makes for a container, on the host. */
export interface EtcFiles {
  readonly hosts: string;
  readonly hostname: string;
  readonly resolvConf: string;
}

export function containerMounts(etc: EtcFiles): SpecMount[] {
  return [
    mount('/proc', 'proc', ['nosuid', 'noexec', 'nodev']),
    mount('/dev', 'tmpfs', ['nosuid', 'strictatime', 'mode=755', 'size=65536k']),
    mount('/dev/pts', 'devpts', ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5']),
    mount('/dev/shm', 'tmpfs', ['nosuid', 'noexec', 'nodev', 'mode=1777', `size=${shmBytes}`], 'shm'),
    mount('/dev/mqueue', 'mqueue', ['nosuid', 'noexec', 'nodev']),
    mount('/sys', 'sysfs', ['nosuid', 'noexec', 'nodev', 'ro']),
    mount('/sys/fs/cgroup', 'cgroup', ['nosuid', 'noexec', 'nodev', 'relatime', 'ro']),
    bind('/etc/hosts', etc.hosts),
    bind('/etc/hostname', etc.hostname),
    bind('/etc/resolv.conf', etc.resolvConf),
  ];
}

const mount = (destination: string, type: string, options: readonly string[], source = type): SpecMount => ({
  destination,
  type,
  source,
  options,
});

const bind = (destination: string, source: string): SpecMount =>
  mount(destination, 'bind', ['rbind', 'rprivate', 'rw'], source);

/** They tell of the host, or of its kernel's memory. */
export const maskedPaths: readonly string[] = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
];

/** Writing them would act on the whole machine. */
export const readonlyPaths: readonly string[] = [
  '/proc/bus',
  '/proc/fs',
  '/proc/irq',
  '/proc/sys',
  '/proc/sysrq-trigger',
];
