/**
 * An instance of EC2 as a host: what its file leaves open, from instance metadata and the machine itself; its role, which admits it;
 * the registries that take its role; and what EC2 says of its end. Loaded only there: other machines need none of it.
 */
import { arch, availableParallelism, totalmem } from 'node:os';
import { defaultReserveMib } from '../../core/model/host-reserve.ts';
import type { Ec2AgentConfig, HostConfig } from '../config.ts';
import type { Platform } from '../platform.ts';
import { ecrCredentials } from './ecr.ts';
import { type AskingDeps, type Ec2Instance, readInstance } from './instance.ts';
import { openMetadata } from './metadata.ts';
import { watchInstance } from './notices.ts';
import { proveInstance } from './proof.ts';
import { openRole } from './role.ts';

export interface MachineSize {
  readonly cores: number;
  readonly memoryMib: number;
  readonly architecture: 'x86_64' | 'arm64';
}

export interface Ec2Endpoints {
  /** AWS_EC2_METADATA_SERVICE_ENDPOINT. */
  readonly metadata?: string | undefined;
  /** AWS_ENDPOINT_URL_ECR. */
  readonly ecr?: string | undefined;
}

/** Waits for instance metadata; undefined when the signal fired first. */
export async function openEc2(
  config: Ec2AgentConfig,
  endpoints: Ec2Endpoints,
  deps: AskingDeps,
  signal: AbortSignal,
): Promise<Platform | undefined> {
  const metadata = openMetadata(endpoints.metadata);
  const instance = await readInstance(metadata, deps, signal);
  if (instance === undefined) return undefined;
  const role = openRole(metadata, deps);
  return {
    host: ec2Host(config, instance, thisMachine()),
    entitlement: async (publicKey) => ({ instanceProof: await proveInstance(role, instance.region, publicKey) }),
    watchNotices: watchInstance(metadata, deps),
    registryCredentials: ecrCredentials(role, { endpoint: endpoints.ecr, clock: deps.clock }),
  };
}

export function ec2Host(config: Ec2AgentConfig, instance: Ec2Instance, machine: MachineSize): HostConfig {
  const { platform: _, reservedMemoryMib = defaultReserveMib(machine.memoryMib), runtime, ...rest } = config;
  const memoryMib = machine.memoryMib - reservedMemoryMib;
  if (memoryMib <= 0)
    throw new Error(
      `The agent's configuration keeps ${reservedMemoryMib} MiB (reservedMemoryMib) of this machine's ${machine.memoryMib}: ` +
        'nothing is left for tasks.',
    );
  return {
    ...rest,
    hostName: instance.instanceId,
    address: instance.address,
    cpuUnits: machine.cores * 1024,
    memoryMib,
    attributes: {
      ...config.attributes,
      'ecs.instance-type': instance.instanceType,
      'ecs.availability-zone': instance.availabilityZone,
      'ecs.ami-id': instance.amiId,
      'ecs.cpu-architecture': machine.architecture,
      'ecs.os-type': 'linux',
    },
    runtime: { ...runtime, network: { ...runtime.network, hostAddress: instance.address } },
  };
}

const thisMachine = (): MachineSize => ({
  cores: availableParallelism(),
  memoryMib: Math.floor(totalmem() / 1024 ** 2),
  architecture: arch() === 'arm64' ? 'arm64' : 'x86_64',
});
