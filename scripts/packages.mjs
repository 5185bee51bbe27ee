/**
 * What Gantry needs of a Linux machine, as data: the binaries, why, and the package that brings each.
 * No logic here; setup.mjs looks the binaries up and installs only what is missing.
 *
 * Two ways to get a package:
 * - `install`: by the package manager, where the package starts no service and replaces nothing.
 * - `extract`: the binaries are copied out of the Debian package into Gantry's own prefix and nothing is installed, because the
 *   package would start a service (containerd, docker-registry), conflict with Docker's packages (containerd, runc) or replace
 *   another package (busybox-static).
 * With dnf everything is installed: its packages enable no service by themselves.
 */

/**
 * @typedef {object} Tool
 * @property {string} name shown to the user
 * @property {string[]} binaries every one must be found; `a|b` accepts either name, an absolute path only that file
 * @property {string} purpose
 * @property {('quickstart'|'test'|'docker'|'guest')[]} profiles
 * @property {boolean} [mustBeStatic] a dynamically linked binary does not count as found
 * @property {boolean} [optional] set-up goes on without it where the package manager does not know it
 * @property {string} [without] what does not work then
 * @property {{ package: string, extract?: { files: string[], proof: [file: string, ...args: string[]][] } }} apt installed, or
 *   only these files extracted; `proof` are commands that show that they run
 * @property {string} [dnf] absent: unknown to dnf's distributions
 */

/** @type {readonly Tool[]} */
export const tools = [
  {
    name: 'containerd',
    binaries: ['containerd', 'containerd-shim-runc-v2'],
    purpose: 'runs the containers; Gantry starts one of its own',
    profiles: ['quickstart', 'test'],
    apt: {
      package: 'containerd',
      extract: {
        files: ['usr/bin/containerd', 'usr/bin/containerd-shim-runc-v2', 'usr/bin/ctr'],
        proof: [
          ['usr/bin/containerd', '--version'],
          ['usr/bin/containerd-shim-runc-v2', '-v'],
        ],
      },
    },
    dnf: 'containerd',
  },
  {
    name: 'runc',
    binaries: ['runc'],
    purpose: 'makes the containers',
    profiles: ['quickstart', 'test'],
    apt: { package: 'runc', extract: { files: ['usr/sbin/runc'], proof: [['usr/sbin/runc', '--version']] } },
    dnf: 'runc',
  },
  {
    name: 'ip',
    binaries: ['ip'],
    purpose: 'network namespaces and bridges',
    profiles: ['quickstart', 'test'],
    apt: { package: 'iproute2' },
    dnf: 'iproute',
  },
  {
    name: 'iptables',
    binaries: ['iptables', 'iptables-restore'],
    purpose: 'published ports',
    profiles: ['quickstart', 'test'],
    apt: { package: 'iptables' },
    dnf: 'iptables-nft',
  },
  {
    name: 'conntrack',
    binaries: ['conntrack'],
    purpose: 'published udp ports that changed hands',
    profiles: ['quickstart', 'test'],
    optional: true,
    without: 'a sender that never pauses may go on reaching the task that had its udp port before',
    apt: { package: 'conntrack' },
    dnf: 'conntrack-tools',
  },
  {
    name: 'nsenter',
    binaries: ['nsenter'],
    purpose: 'commands in a network namespace',
    profiles: ['quickstart', 'test'],
    apt: { package: 'util-linux' },
    dnf: 'util-linux',
  },
  {
    name: 'busybox',
    binaries: ['busybox'],
    mustBeStatic: true,
    purpose: 'content of the offline image',
    profiles: ['quickstart', 'test'],
    optional: true,
    without: 'the example image cannot be built here: quickstart must reach a public registry',
    apt: { package: 'busybox-static', extract: { files: ['bin/busybox'], proof: [['bin/busybox', 'true']] } },
    dnf: 'busybox',
  },
  {
    name: 'registry',
    binaries: ['docker-registry|registry'],
    purpose: 'serves the offline image on loopback',
    profiles: ['quickstart', 'test'],
    optional: true,
    without: 'the example image cannot be served here: quickstart must reach a public registry',
    apt: {
      package: 'docker-registry',
      extract: { files: ['usr/bin/docker-registry'], proof: [['usr/bin/docker-registry', '--version']] },
    },
    dnf: 'docker-distribution',
  },
  {
    // By its path: a shim or another major version named aws elsewhere on PATH is not what the tests are written for.
    name: 'aws',
    binaries: ['/usr/bin/aws'],
    purpose: 'the unmodified client of the end-to-end tests',
    profiles: ['test'],
    optional: true,
    without: 'the tests that drive Gantry with the AWS CLI cannot pass',
    apt: { package: 'awscli' },
    dnf: 'awscli-2',
  },
  {
    name: 'docker',
    binaries: ['dockerd', 'docker-proxy'],
    purpose: 'what the start benchmark is compared with, on request; it starts a daemon of its own',
    profiles: ['docker'],
    apt: {
      package: 'docker.io',
      extract: {
        files: ['usr/sbin/dockerd', 'usr/sbin/docker-proxy', 'usr/bin/docker'],
        proof: [
          ['usr/sbin/dockerd', '--version'],
          ['usr/bin/docker', '--version'],
        ],
      },
    },
    dnf: 'docker',
  },
  {
    name: 'qemu',
    binaries: ['qemu-system-x86_64'],
    purpose: 'runs the virtual machine of the host test',
    profiles: ['guest'],
    apt: { package: 'qemu-system-x86' },
    dnf: 'qemu-system-x86-core',
  },
  {
    name: 'qemu-img',
    binaries: ['qemu-img'],
    purpose: 'makes the disks of virtual machines from one image',
    profiles: ['guest'],
    apt: { package: 'qemu-utils' },
    dnf: 'qemu-img',
  },
  {
    name: 'mmdebstrap',
    binaries: ['mmdebstrap'],
    purpose: "makes the virtual machine's Debian",
    profiles: ['guest'],
    apt: { package: 'mmdebstrap' },
    dnf: 'mmdebstrap',
  },
  {
    name: 'mkfs.ext4',
    binaries: ['mkfs.ext4'],
    purpose: "makes the virtual machine's file system",
    profiles: ['guest'],
    apt: { package: 'e2fsprogs' },
    dnf: 'e2fsprogs',
  },
  {
    name: 'socat',
    binaries: ['socat'],
    purpose: 'joins the virtual machine to what stands in for AWS',
    profiles: ['guest'],
    apt: { package: 'socat' },
    dnf: 'socat',
  },
  {
    name: 'openssl',
    binaries: ['openssl'],
    purpose: 'makes the certificates that the virtual machine trusts',
    profiles: ['guest'],
    apt: { package: 'openssl' },
    dnf: 'openssl',
  },
];

/** Debian's package of each shared library that an extracted binary may miss. */
export const libraryPackages = new Map([
  ['libseccomp.so.2', 'libseccomp2'],
  ['libdevmapper.so.1.02.1', 'libdevmapper1.02.1'],
  ['libsystemd.so.0', 'libsystemd0'],
  ['libc.so.6', 'libc6'],
]);

/** Free space wanted, in MiB, before anything is changed: what it takes, with room for what runs afterwards. */
export const spaceNeededMib = { npmPackages: 900, packages: 400, data: 500 };
