import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findExecutable } from '../../local/containerd.ts';
import { describeUnless } from '../support/containers.ts';
import { type FactChanges, type FakeMachine, fakeMachine } from '../support/fake-machine.ts';

const fromPackages = ['busybox', 'containerd', 'containerd-shim-runc-v2', 'ctr', 'docker-registry', 'runc'];
const missing = ['apt-get', 'dpkg-deb'].filter((name) => findExecutable(name) === undefined);

/** What set-up does not extract, so that nothing has to be installed on this machine. */
function addInstalledTools(machine: FakeMachine): void {
  for (const name of ['ip', 'iptables', 'iptables-restore', 'conntrack', 'nsenter']) machine.addBinary(name);
}

function identities(dir: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(dir).map((name) => {
      const { ino, mtimeMs, ctimeMs } = statSync(join(dir, name));
      return [name, `${ino} ${mtimeMs} ${ctimeMs}`];
    }),
  );
}

describeUnless(missing.length > 0 ? `needs ${missing.join(', ')}` : undefined, 'set-up with the real packages', () => {
  it('extracts what is missing into its prefix, and the second time nothing', () => {
    using machine = fakeMachine();
    addInstalledTools(machine);
    const changes: FactChanges = { isRoot: true, missingCapabilities: [] };
    const first = machine.setUp('quickstart', changes);
    expect(first.stderr).toBe('');
    expect(first.status).toBe(0);
    expect(first.stdout).toMatch(
      /extracting containerd, runc, busybox-static, docker-registry .* \(\d+\.\d MiB to fetch\)/,
    );
    const bin = join(machine.prefix, 'usr/bin');
    expect(readdirSync(bin).toSorted()).toEqual(fromPackages);
    expect(readdirSync(machine.prefix)).toEqual(['usr']); // Nothing half-done is left beside it.
    expect(execFileSync(join(bin, 'runc'), ['--version'], { encoding: 'utf8' })).toMatch(/^runc version/);

    const before = identities(bin);
    const second = machine.setUp('quickstart', changes);
    expect(second.status).toBe(0);
    expect(second.stdout).toMatch(/^set-up: nothing to install: npm packages, containerd, runc, .* are there\.\n$/);
    expect(identities(bin)).toEqual(before);
  });

  it('does not take a dynamically linked busybox for the one that it needs', () => {
    using machine = fakeMachine();
    addInstalledTools(machine);
    for (const name of fromPackages) machine.addBinary(name);
    rmSync(join(machine.binaries, 'busybox'));
    copyFileSync('/bin/cat', join(machine.binaries, 'busybox'));
    const { stdout, status } = machine.setUp('quickstart', { isRoot: true, missingCapabilities: [] });
    expect(status).toBe(0);
    expect(stdout).toMatch(/extracting busybox-static into/);
    expect(readdirSync(join(machine.prefix, 'usr/bin'))).toEqual(['busybox']);
  });

  it('leaves nothing in the prefix when a binary turns out not to run', () => {
    using machine = fakeMachine();
    addInstalledTools(machine);
    for (const name of fromPackages.filter((name) => name !== 'runc')) machine.addBinary(name);
    const tree = join(machine.dir, 'package');
    mkdirSync(join(tree, 'DEBIAN'), { recursive: true });
    mkdirSync(join(tree, 'usr/sbin'), { recursive: true });
    writeFileSync(
      join(tree, 'DEBIAN/control'),
      'Package: runc\nVersion: 1\nArchitecture: all\nMaintainer: x\nDescription: x\n',
    );
    writeFileSync(join(tree, 'usr/sbin/runc'), '#!/bin/sh\necho cannot execute >&2; exit 3\n', { mode: 0o755 });
    const archive = join(machine.dir, 'runc.deb');
    execFileSync('dpkg-deb', ['--root-owner-group', '-b', tree, archive]);
    machine.addProgram('apt-get', `case "$*" in *--print-uris*) ;; *download*) cp ${archive} . ;; esac`);
    const { stderr, status } = machine.setUp('quickstart', { isRoot: true, missingCapabilities: [] });
    expect(status).toBe(1);
    expect(stderr).toMatch(/runc --version ended with 3:\ncannot execute/);
    expect(readdirSync(machine.prefix)).toEqual(['usr']);
    expect(readdirSync(join(machine.prefix, 'usr/bin'))).toEqual([]);
  });
});

describe('set-up refuses before anything is changed', () => {
  const cases: Record<string, [FactChanges, RegExp[]]> = {
    'another system': [{ platform: 'darwin', osName: 'macOS' }, [/cannot run on macOS/, /virtual machine/]],
    'an unknown processor': [{ arch: 'riscv64' }, [/no Node 24 package/, /riscv64/]],
    'an old Node': [{ nodeVersion: '18.19.0' }, [/Node 18\.19\.0 is too old/, /Node 20 or later/]],
    'a user without sudo': [
      { isRoot: false, sudo: 'none' },
      [/needs root/, /containerd, runc/, /as root, or as a user/],
    ],
    'a root without rights': [{ missingCapabilities: ['CAP_SYS_ADMIN'] }, [/although this is root/, /CAP_SYS_ADMIN/]],
    'a machine without package manager': [
      { packageManager: null },
      [/no package manager/, /apt-get .* dnf/, /yourself/],
    ],
    'a full disk': [{ freeMib: 100 }, [/100 MiB free, 900 MiB needed/, /Free 800 MiB/]],
  };
  it.each(Object.entries(cases))('on %s', (_, [changes, sentences]) => {
    using machine = fakeMachine();
    for (const name of ['apt-get', 'apt-cache', 'npm']) machine.addProgram(name, 'exit 1');
    const { stdout, stderr, status } = machine.setUp('quickstart', {
      isRoot: true,
      missingCapabilities: [],
      ...changes,
    });
    expect(status).toBe(1);
    for (const sentence of sentences) expect(stderr).toMatch(sentence);
    expect(stderr).toMatch(/^\S.*\n {2}Why: .+\n {2}Do: {2}.+\n$/);
    expect(stdout).toBe('');
    expect(machine.calls()).toEqual([]);
    expect(existsSync(machine.prefix)).toBe(false);
  });

  it('and tells all that is wrong at once, a port in use too', async () => {
    const server = createServer();
    await using _ = { [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())) };
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    using machine = fakeMachine();
    const { stderr, status } = machine.setUp('quickstart', { nodeVersion: '18.0.0', freeMib: 1 }, { port });
    expect(status).toBe(1);
    expect(stderr).toMatch(/Node 18\.0\.0 is too old/);
    expect(stderr).toMatch(/too little disk space/);
    expect(stderr).toMatch(new RegExp(`Port ${port} on 127\\.0\\.0\\.1 cannot be used \\(EADDRINUSE\\)`));
    expect(existsSync(machine.prefix)).toBe(false);
  });
});

describe('the profile of the tests', () => {
  it.each([
    [{ platform: 'darwin', osName: 'macOS' }, 'they need Linux, this is macOS'],
    [{ isRoot: false, sudo: 'none' }, 'they need root'],
  ] as const)('does without containers, visibly, where they cannot run: %j', (changes, why) => {
    using machine = fakeMachine();
    const { stdout, status } = machine.setUp('test', changes);
    expect(status).toBe(0);
    expect(stdout).toBe(
      `set-up: tests with real containers are left out: ${why}\nset-up: nothing to install: npm packages are there.\n`,
    );
  });
});

describe('set-up with apt', () => {
  /** Everything but iptables is there. apt-get brings it on the second try, when the lists are fresh. */
  function machineWithoutIptables(knownAtFirst: boolean): FakeMachine {
    const machine = fakeMachine();
    for (const name of [...fromPackages, 'ip', 'conntrack', 'nsenter']) machine.addBinary(name);
    const fresh = join(machine.dir, 'lists-are-fresh');
    const install = ['iptables', 'iptables-restore'].map(
      (name) => `cp ${machine.binaries}/ip ${machine.binaries}/${name}`,
    );
    machine.addProgram(
      'apt-get',
      `case "$*" in
        *--print-uris*) echo "'http://mirror/iptables.deb' iptables_1_amd64.deb 1048576 SHA256:0" ;;
        update*) touch ${fresh} ;;
        *) [ -e ${fresh} ] || { echo 'E: Failed to fetch iptables.deb  404 Not Found' >&2; exit 100; }; ${install.join('; ')} ;;
      esac`,
    );
    const candidate = 'printf "iptables:\\n  Installed: (none)\\n  Candidate: 1\\n"';
    machine.addProgram('apt-cache', knownAtFirst ? candidate : `[ -e ${fresh} ] && ${candidate} || true`);
    return machine;
  }
  const install = 'apt-get install --no-install-recommends --no-remove -qq -y -o DPkg::Lock::Timeout=300 iptables';

  it('refreshes the package lists when they do not know a package', () => {
    using machine = machineWithoutIptables(false);
    const { stdout, stderr, status } = machine.setUp('quickstart', {
      isRoot: true,
      missingCapabilities: [],
      packageManager: 'apt',
    });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toMatch(/installing iptables \(apt-get, 1\.0 MiB to fetch\)/);
    expect(machine.calls().filter((call) => !/policy|--print-uris/.test(call))).toEqual([
      'apt-get update -qq',
      install,
    ]);
  });

  it('refreshes them when they are old, and only then', () => {
    using machine = machineWithoutIptables(true);
    const { status } = machine.setUp('quickstart', { isRoot: true, missingCapabilities: [], packageManager: 'apt' });
    expect(status).toBe(0);
    const calls = machine.calls().filter((call) => !/policy|--print-uris/.test(call));
    expect(calls).toEqual([install, 'apt-get update -qq', install]);
  });

  it('goes through sudo where this is not root', () => {
    using machine = machineWithoutIptables(false);
    machine.addProgram('sudo', '"$@"');
    const { status } = machine.setUp('quickstart', { isRoot: false, sudo: 'free', packageManager: 'apt' });
    expect(status).toBe(0);
    expect(machine.calls()).toContain(
      `sudo env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 LC_ALL=C ${install}`,
    );
  });

  it('says which package cannot be had', () => {
    using machine = machineWithoutIptables(true);
    machine.addProgram('apt-cache', 'true');
    const { stderr, status } = machine.setUp('quickstart', {
      isRoot: true,
      missingCapabilities: [],
      packageManager: 'apt',
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(/The packages iptables are not known/);
    expect(stderr).toMatch(/package sources and the network/);
  });
});

describe('set-up with dnf', () => {
  it('installs the names of Amazon Linux, touches no service, and goes on without what there is no package for', () => {
    using machine = fakeMachine();
    const known = ['containerd', 'runc', 'iproute', 'iptables-nft', 'conntrack-tools', 'util-linux'];
    const brought = [
      ['containerd', 'containerd-shim-runc-v2', 'runc', 'ip'],
      ['iptables', 'iptables-restore', 'conntrack', 'nsenter'],
    ].flat();
    machine.addBinary('template');
    machine.addProgram(
      'dnf',
      `case "$*" in
        *repoquery*) printf '%s\\n' ${known.join(' ')} ;;
        *--assumeno*) echo 'Total download size: 41 M'; exit 1 ;;
        *install*) for name in ${brought.join(' ')}; do cp ${machine.binaries}/template ${machine.binaries}/$name; done ;;
      esac`,
    );
    machine.addProgram('systemctl', 'exit 1');
    const changes: FactChanges = { isRoot: true, missingCapabilities: [], packageManager: 'dnf' };
    const { stdout, stderr, status } = machine.setUp('quickstart', changes);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /installing containerd, runc, iproute, iptables-nft, conntrack-tools, util-linux \(dnf, 41 M to fetch\)/,
    );
    expect(stdout).toMatch(/going on without busybox.*must reach a public registry/);
    expect(machine.calls().at(-1)).toBe(
      'dnf -y -q install --setopt=install_weak_deps=False containerd runc iproute iptables-nft conntrack-tools util-linux',
    );
    expect(machine.calls().filter((call) => call.startsWith('systemctl'))).toEqual([]);
  });
});
