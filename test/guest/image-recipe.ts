/**
 * What the guest's Debian is made of, as data: packages, files, units. What a host needs of its distribution is in it already, so that
 * no test depends on a package server; a guest reaches nothing but what the rig lends it.
 */
import { network } from './network.ts';

export interface ImageRecipe {
  readonly suite: string;
  readonly packages: readonly string[];
  /** By absolute path. */
  readonly files: Readonly<Record<string, string>>;
  readonly enabled: readonly string[];
  readonly disabled: readonly string[];
  readonly masked: readonly string[];
  /** Of the disk, most of it empty. */
  readonly diskGib: number;
}

/** Stands on the kernel's command line; the names are those of AWS' addresses, one comma between two. */
export const namesParameter = 'gantry.names';

const rigUnit = `[Unit]
Description=Names of AWS, as the test lends them
DefaultDependencies=no
# cloud-init asks at once, and gives up for two minutes where there is nothing yet to ask over.
Requires=sys-subsystem-net-devices-${network.interface.name}.device
After=sys-subsystem-net-devices-${network.interface.name}.device systemd-remount-fs.service
Before=cloud-init-local.service network-pre.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh /usr/local/sbin/rig
[Install]
WantedBy=cloud-init-local.service
`;

const rigScript = `set -eu
names=$(sed -n 's/.*${namesParameter}=\\([^ ]*\\).*/\\1/p' /proc/cmdline | tr , ' ')
printf '127.0.0.1 localhost\\n${network.aws} %s\\n' "$names" >/etc/hosts
`;

/** cloud-init asks over the interface before, by DHCP, and takes it down again. */
const primaryNetwork = `[Match]
Name=${network.interface.name}
[Network]
Address=${network.guest}/${network.subnet.split('/')[1]}
Gateway=${network.qemu.host}
LinkLocalAddressing=no
[Route]
Destination=${network.metadata}/32
Scope=link
`;

/** cloud-init does here what it does on EC2: asks instance metadata for user data and runs it, once an instance. */
const cloudInit = `datasource_list: [Ec2]
network: {config: disabled}
cloud_init_modules: []
cloud_config_modules: []
cloud_final_modules: [scripts-user]
`;

export const imageRecipe: ImageRecipe = {
  suite: 'bookworm',
  packages: [
    ['systemd', 'systemd-sysv', 'udev', 'dbus', 'kmod', 'procps', 'netbase'],
    ['linux-image-cloud-amd64', 'initramfs-tools', 'cloud-init', 'qemu-guest-agent'],
    ['curl', 'ca-certificates', 'containerd', 'runc', 'iproute2', 'iptables'],
  ].flat(),
  files: {
    '/etc/initramfs-tools/conf.d/gantry': 'MODULES=list\nCOMPRESS=gzip\nBUSYBOX=n\n',
    '/etc/initramfs-tools/modules': 'virtio_pci\nvirtio_blk\next4\n',
    '/etc/hostname': 'guest\n',
    '/etc/fstab': '/dev/vda / ext4 rw,relatime 0 1\n',
    '/etc/resolv.conf': `nameserver ${network.aws}\n`,
    '/etc/machine-id': '',
    '/etc/ca-certificates.conf': '', // It trusts the test's authority alone.
    '/etc/systemd/network/10-primary.network': primaryNetwork,
    '/etc/systemd/journald.conf.d/console.conf':
      '[Journal]\nForwardToConsole=yes\nTTYPath=/dev/ttyS0\nMaxLevelConsole=info\n',
    '/etc/cloud/cloud.cfg.d/99-gantry.cfg': cloudInit,
    '/etc/systemd/system/rig.service': rigUnit,
    '/usr/local/sbin/rig': rigScript,
  },
  enabled: ['systemd-networkd.service', 'rig.service'],
  // Debian's package starts it, Amazon Linux' does not; Gantry runs its own.
  disabled: ['containerd.service'],
  masked: [
    ['serial-getty@ttyS0.service', 'getty@tty1.service'],
    ['apt-daily.timer', 'apt-daily-upgrade.timer', 'dpkg-db-backup.timer', 'e2scrub_all.timer', 'fstrim.timer'],
  ].flat(),
  diskGib: 6,
};
