import { describe, expect, it } from 'vitest';
import { toJson } from '../../../agent/oci/runtime-spec.ts';
import { type ContainerNetwork, type MachineFacts, makeSpec, type SpecInput } from '../../../agent/oci/spec.ts';
import { containerSpec, taskSpec } from './task-spec.ts';

const machine: MachineFacts = {
  architecture: 'x64',
  kernelRelease: '6.1.0',
  cgroupVersion: 1,
  swapLimits: true,
  ipv6: true,
  limitCeilings: {},
};

function spec(overrides: Partial<SpecInput> = {}) {
  return makeSpec({
    task: taskSpec(),
    container: containerSpec(),
    image: { Cmd: ['sh'] },
    user: { uid: 0, gid: 0, additionalGids: [] },
    hostname: 'box',
    network: { kind: 'isolated' },
    etc: { hosts: '/run/x/hosts', hostname: '/run/x/hostname', resolvConf: '/run/x/resolv.conf' },
    cgroupsPath: '/gantry/host-1/task/container',
    shimGroup: 'group',
    machine,
    ...overrides,
  });
}

const namespaceTypes = (made: ReturnType<typeof spec>) => made.linux.namespaces.map(({ type }) => type);

describe('the namespaces', () => {
  it("hold a network of its own, an existing one, or none in the host's", () => {
    expect(spec().linux.namespaces).toContainEqual({ type: 'network' });
    expect(spec({ network: { kind: 'namespace', path: '/run/netns/x' } }).linux.namespaces).toContainEqual({
      type: 'network',
      path: '/run/netns/x',
    });
    const host = spec({ network: { kind: 'host' } });
    expect(namespaceTypes(host)).not.toContain('network');
    expect(host.linux.sysctl, "a sysctl of the host's network must not be touched").toBeUndefined();
  });

  it("give no way around the firewall to what is in the host's", () => {
    const raw = expect.arrayContaining(['CAP_NET_RAW']);
    const capabilitiesIn = (network: ContainerNetwork) => spec({ network }).process.capabilities;
    expect(capabilitiesIn({ kind: 'isolated' })).toEqual({ bounding: raw, effective: raw, permitted: raw });
    for (const network of [{ kind: 'host' }, { kind: 'host', path: '/run/netns/x' }] as const) {
      const others = expect.not.arrayContaining(['CAP_NET_RAW']);
      expect(capabilitiesIn(network)).toEqual({ bounding: others, effective: others, permitted: others });
    }
  });

  it('hold a cgroup namespace with version 2 only', () => {
    expect(namespaceTypes(spec())).not.toContain('cgroup');
    expect(namespaceTypes(spec({ machine: { ...machine, cgroupVersion: 2 } }))).toContain('cgroup');
  });

  it('switch IPv6 off where the kernel knows it', () => {
    expect(spec().linux.sysctl).toHaveProperty(['net.ipv6.conf.all.disable_ipv6'], '1');
    expect(Object.keys(spec({ machine: { ...machine, ipv6: false } }).linux.sysctl ?? {}).join()).not.toContain('ipv6');
  });
});

describe('the resources', () => {
  it("say the lesser of the container's and the task's memory, and no swap beyond it", () => {
    const container = containerSpec({ memoryMib: 512, memoryReservationMib: 128 });
    const made = spec({ task: taskSpec({ memoryMib: 256 }), container });
    expect(made.linux.resources.memory).toEqual({
      limit: 256 * 1024 * 1024,
      reservation: 128 * 1024 * 1024,
      swap: 256 * 1024 * 1024,
    });
    const withoutSwapLimits = spec({ container, machine: { ...machine, swapLimits: false } });
    expect(withoutSwapLimits.linux.resources.memory).not.toHaveProperty('swap');
    expect(spec().linux.resources.memory).toEqual({});
  });

  it.each([
    [0, 2],
    [1, 2],
    [2, 2],
    [512, 512],
    [1_000_000, 262_144],
  ])('turn %i CPU units into %i shares', (cpuUnits, shares) => {
    expect(spec({ container: containerSpec({ cpuUnits }) }).linux.resources.cpu).toEqual({ shares });
  });

  it("repeat the task's CPU quota, so that a program sees it", () => {
    expect(spec({ task: taskSpec({ cpuUnits: 256 }) }).linux.resources.cpu).toEqual({
      shares: 2,
      quota: 25_000,
      period: 100_000,
    });
  });
});

describe('the process', () => {
  it("has Docker's capabilities as root and an empty effective set as anyone else", () => {
    expect(spec().process.capabilities.effective).toContain('CAP_CHOWN');
    const other = spec({ user: { uid: 1000, gid: 0, additionalGids: [] } });
    expect(other.process.capabilities).toEqual({ bounding: spec().process.capabilities.bounding });
  });

  it('has a read-only root when asked', () => {
    expect(spec().root.readonly).toBe(false);
    expect(spec({ container: containerSpec({ readonlyRootFilesystem: true }) }).root.readonly).toBe(true);
  });
});

describe('the JSON form', () => {
  it('writes "no limit" as the specification\'s number and leaves look-alikes in strings alone', () => {
    const container = containerSpec({
      ulimits: [{ name: 'core', softLimit: 0, hardLimit: -1 }],
      environment: [{ name: 'TRICK', value: '"hard":"unlimited"' }],
    });
    const text = Buffer.from(toJson(spec({ container }))).toString();
    expect(text).toContain('{"type":"RLIMIT_CORE","soft":0,"hard":18446744073709551615}');
    expect(JSON.parse(text).process.env).toContain('TRICK="hard":"unlimited"');
  });

  it('puts the containers of a group in one shim', () => {
    expect(spec().annotations).toEqual({ 'io.containerd.runc.v2.group': 'group' });
  });
});
