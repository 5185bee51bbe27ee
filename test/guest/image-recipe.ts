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

/** Stand on the kernel's command line. */
export const parameters = {
  /** Of what the machine lends, one comma between two. */
  names: 'gantry.names',
  /** The instance's private one, with the length of its subnet's prefix. */
  address: 'gantry.address',
  router: 'gantry.router',
} as const;

const rigUnit = `[Unit]
Description=Names and an address, as the test lends them
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
WantedBy=cloud-init-local.service multi-user.target
`;

const rigScript = `set -eu
parameter() { sed -n "s/.*$1=\\([^ ]*\\).*/\\1/p" /proc/cmdline; }
printf '127.0.0.1 localhost\\n${network.lent} %s\\n' "$(parameter ${parameters.names} | tr , ' ')" >/etc/hosts
# For after cloud-init has asked over the interface, by DHCP, and has taken it down again.
mkdir -p /run/systemd/network
cat >/run/systemd/network/10-primary.network <<EOF
[Match]
Name=${network.interface.name}
[Network]
Address=$(parameter ${parameters.address})
Gateway=$(parameter ${parameters.router})
LinkLocalAddressing=no
[Route]
Destination=${network.metadata}/32
Scope=link
EOF
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
    ['curl', 'ca-certificates', 'containerd', 'runc', 'iproute2', 'iptables', 'conntrack'],
    // Content and registry of the images of tests that run in it.
    ['busybox-static', 'docker-registry'],
  ].flat(),
  files: {
    '/etc/initramfs-tools/conf.d/gantry': 'MODULES=list\nCOMPRESS=gzip\nBUSYBOX=n\n',
    '/etc/initramfs-tools/modules': 'virtio_pci\nvirtio_blk\next4\n',
    '/etc/hostname': 'guest\n',
    '/etc/fstab': '/dev/vda / ext4 rw,relatime 0 1\n',
    '/etc/resolv.conf': `nameserver ${network.lent}\n`,
    '/etc/machine-id': '',
    '/etc/ca-certificates.conf': '', // It trusts the test's authority alone.
    '/etc/systemd/journald.conf.d/console.conf':
      '[Journal]\nForwardToConsole=yes\nTTYPath=/dev/ttyS0\nMaxLevelConsole=info\n',
    // It tells of every question.
    '/etc/systemd/system/qemu-guest-agent.service.d/log.conf': '[Service]\nLogLevelMax=notice\n',
    '/etc/cloud/cloud.cfg.d/99-gantry.cfg': cloudInit,
    '/etc/systemd/system/rig.service': rigUnit,
    '/usr/local/sbin/rig': rigScript,
  },
  enabled: ['systemd-networkd.service', 'rig.service'],
  // Debian's package starts it, Amazon Linux' does not; Gantry runs its own; and so do tests their registry.
  disabled: ['containerd.service', 'docker-registry.service'],
  masked: [
    ['serial-getty@ttyS0.service', 'getty@tty1.service'],
    ['apt-daily.timer', 'apt-daily-upgrade.timer', 'dpkg-db-backup.timer', 'e2scrub_all.timer', 'fstrim.timer'],
  ].flat(),
  diskGib: 6,
};
