/** An EC2 instance as a host: what its configuration leaves open, and what is wrong with one. */
import { mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Ec2AgentConfig, readAgentConfig } from '../../../agent/config.ts';
import { ec2Host } from '../../../agent/ec2/host.ts';

const instance = {
  instanceId: 'i-0123456789abcdef0',
  address: '10.1.2.3',
  instanceType: 'm7g.large',
  availabilityZone: 'eu-central-1b',
  region: 'eu-central-1',
  amiId: 'ami-0123456789abcdef0',
};
const machine = { cores: 2, memoryMib: 7800, architecture: 'arm64' } as const;
const least = { platform: 'ec2', controlPlaneUrl: 'https://api.example.com', cluster: 'prod' };

function read(content: object) {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'gantry-config-'));
  const path = join(directory.path, 'agent.json');
  writeFileSync(path, JSON.stringify(content));
  return readAgentConfig(path);
}

function ec2(content: object): Ec2AgentConfig {
  const config = read({ ...least, ...content });
  if (config.platform !== 'ec2') throw new Error('it was read as another platform');
  return config;
}

test('three members are enough', () => {
  expect(ec2Host(ec2({}), instance, machine)).toEqual({
    controlPlaneUrl: 'https://api.example.com',
    cluster: 'prod',
    hostName: 'i-0123456789abcdef0',
    address: '10.1.2.3',
    cpuUnits: 2048,
    memoryMib: 7800 - 390,
    attributes: {
      'ecs.instance-type': 'm7g.large',
      'ecs.availability-zone': 'eu-central-1b',
      'ecs.ami-id': 'ami-0123456789abcdef0',
      'ecs.cpu-architecture': 'arm64',
      'ecs.os-type': 'linux',
    },
    reservedPorts: ['tcp/22'],
    dataDirectory: '/var/lib/gantry/agent',
    logLevel: 'info',
    runtime: {
      socket: '/run/gantry/containerd/containerd.sock',
      namespace: 'gantry',
      runtimeRoot: '/run/gantry/runc',
      stateDirectory: '/var/lib/gantry/agent/runtime',
      cgroupParent: '/gantry',
      network: { bridge: 'gantry0', subnet: '172.17.0.0/16', chainPrefix: 'GANTRY', hostAddress: '10.1.2.3' },
      insecureRegistries: [],
      registryMirrors: {},
      registryCredentials: {},
      images: {
        pullBehavior: 'default',
        maxDownloads: 8,
        maxDownloadsPerRegistry: 6,
        keepUnusedHours: 168,
        diskHighPercent: 85,
        diskLowPercent: 80,
      },
    },
  });
});

test('what is given stands, and an instance says itself what it is', () => {
  const host = ec2Host(
    ec2({
      attributes: { team: 'ads', 'ecs.instance-type': 'x1.32xlarge' },
      reservedMemoryMib: 100,
      reservedPorts: [],
      runtime: { network: { subnet: '192.168.64.0/20' } },
    }),
    instance,
    machine,
  );
  expect(host.attributes).toMatchObject({ team: 'ads', 'ecs.instance-type': 'm7g.large' });
  expect(host.memoryMib).toBe(7700);
  expect(host.reservedPorts).toEqual([]);
  expect(host.runtime.network).toMatchObject({ bridge: 'gantry0', subnet: '192.168.64.0/20' });
});

test.each([
  [950, 950 - 256],
  [7800, 7800 - 390],
  [500_000, 500_000 - 1024],
])('of %i MiB tasks get %i', (memoryMib, left) => {
  expect(ec2Host(ec2({}), instance, { ...machine, memoryMib }).memoryMib).toBe(left);
});

test('a reserve that leaves nothing is refused', () => {
  expect(() => ec2Host(ec2({ reservedMemoryMib: 7800 }), instance, machine)).toThrow(
    "keeps 7800 MiB (reservedMemoryMib) of this machine's 7800: nothing is left for tasks",
  );
});

test.each([
  ['an unknown member', { ...least, joinToken: 'token' }, /Unrecognized key: "joinToken"/],
  ['another platform', { ...least, platform: 'gcp' }, /at platform/],
  ['no cluster', { ...least, cluster: undefined }, /at cluster/],
  [
    'a wrong mirror',
    { ...least, runtime: { registryMirrors: { 'docker.io': 'cache:5000' } } },
    /at runtime\.registryMirrors/,
  ],
  ['a machine that does not say everything', { controlPlaneUrl: 'http://127.0.0.1', cluster: 'c' }, /at hostName/],
])('%s is named', (_, content, complaint) => {
  expect(() => read(content)).toThrow(complaint);
});
