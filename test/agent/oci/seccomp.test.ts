/**
 * The profile against the one that Debian's golang-github-containers-common carries, an independent list of what containers need.
 * Ours is the stricter: what that one allows and ours refuses is named here, so that a change on either side is noticed.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { boundingCapabilities } from '../../../agent/oci/capabilities.ts';
import { seccompProfile } from '../../../agent/oci/seccomp.ts';

const reference = readFileSync(new URL('containers-common-syscalls.txt', import.meta.url), 'utf8');
/** On `amd64` or `arm64`. */
const allowedThere = (architecture: string): string[] =>
  reference.split('\n').flatMap((line) => {
    const [where = '', ...names] = line.split(' ');
    return where === 'every:' || where === `${architecture}:` ? names : [];
  });

const refusedOnPurpose = {
  'makes or changes mounts':
    'fsconfig fsmount fsopen fspick mount mount_setattr move_mount open_tree pivot_root umount umount2',
  'makes or enters namespaces': 'setns unshare clone3',
  'shares memory policy or file descriptors with others': 'get_mempolicy mbind set_mempolicy pidfd_getfd',
  'reaches the kernel': 'keyctl reboot syslog',
  'left from old ABIs': 'readdir sigaction signal sigpending sigsuspend syscall timerfd',
};
const allowedBeyond = ['futex_waitv', 'io_pgetevents', 'io_pgetevents_time64', 'vmsplice'];

const profile = (architecture: string) =>
  seccompProfile({
    architecture,
    kernelRelease: '6.1.0-18-amd64',
    capabilities: boundingCapabilities({ kind: 'namespace' }),
  });
const allowed = (architecture: string) =>
  new Set(profile(architecture).syscalls.flatMap(({ action, names }) => (action === 'SCMP_ACT_ALLOW' ? names : [])));

describe('the seccomp profile', () => {
  it('lets programs start on x86-64, where the C library needs arch_prctl', () => {
    expect(allowed('x64')).toContain('arch_prctl');
    expect(allowed('arm64')).not.toContain('arch_prctl');
  });

  it('refuses ptrace on kernels where it could escape the filter', () => {
    const names = seccompProfile({ architecture: 'x64', kernelRelease: '4.7.9', capabilities: [] }).syscalls[0]?.names;
    expect(names).not.toContain('ptrace');
    expect(allowed('x64')).toContain('ptrace');
  });

  it('allows chroot only with its capability', () => {
    const without = seccompProfile({ architecture: 'x64', kernelRelease: '6.1.0', capabilities: [] });
    expect(without.syscalls[0]?.names).not.toContain('chroot');
    expect(allowed('x64')).toContain('chroot');
  });

  it('makes clone3 look missing, and clone refuse new namespaces', () => {
    const rules = profile('x64').syscalls;
    expect(rules.find(({ names }) => names.includes('clone3'))).toMatchObject({
      action: 'SCMP_ACT_ERRNO',
      errnoRet: 38,
    });
    expect(rules.find(({ names }) => names.includes('clone'))?.args).toEqual([
      { index: 0, value: 0x7e020000, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' },
    ]);
  });

  it('refuses an architecture that it does not know', () => {
    expect(() => profile('mips')).toThrow('mips');
  });
});

describe("the seccomp profile against the containers project's", () => {
  it.each([
    ['x64', 'amd64'],
    ['arm64', 'arm64'],
  ])('differs only where it means to, on %s', (architecture, referenceArchitecture) => {
    const theirs = new Set(allowedThere(referenceArchitecture));
    const ours = allowed(architecture);
    const onlyTheirs = [...theirs].filter((name) => !ours.has(name));
    const onlyOurs = [...ours].filter((name) => !theirs.has(name));
    expect(onlyTheirs.toSorted()).toEqual(Object.values(refusedOnPurpose).join(' ').split(' ').toSorted());
    expect(onlyOurs.toSorted()).toEqual(allowedBeyond);
  });
});
