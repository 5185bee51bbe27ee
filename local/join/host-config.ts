/** The file of a joined host's agent, out of what was said of the host and what its machine is. */
import { hostname } from 'node:os';
import type { AgentConfigFile } from '../../agent/config.ts';
import { GantryError } from '../../core/errors.ts';
import { hostNamePattern } from '../../core/model/host.ts';
import { defaultReserveMib } from '../../core/model/host-reserve.ts';
import type { Machine } from '../machine.ts';
import type { HostOptions, JoinPaths, Places } from './options.ts';

export interface AboutHost {
  readonly options: HostOptions;
  readonly places: Places;
  readonly paths: JoinPaths;
  readonly machine: Machine;
  /** By which it reaches the control plane. */
  readonly address: string;
  readonly certificateAuthority: string | undefined;
  readonly socket: string;
}

/** Throws a GantryError that names what of it cannot be. */
export function agentConfigOf({ options, places, paths, machine, ...about }: AboutHost): AgentConfigFile {
  const address = options.address ?? about.address;
  return {
    platform: 'machine',
    controlPlaneUrl: options.url,
    ...(about.certificateAuthority !== undefined && { certificateAuthority: about.certificateAuthority }),
    cluster: options.cluster,
    hostName: hostNameOf(options),
    address,
    ...sizeOf(options, machine),
    attributes: {
      'ecs.os-type': 'linux',
      'ecs.cpu-architecture': machine.cpuArchitecture,
      ...options.attributes,
    },
    reservedPorts: options.reservedPorts,
    dataDirectory: paths.agentData,
    runtime: {
      socket: about.socket,
      namespace: places.prefix,
      runtimeRoot: `${paths.runDir}/runc`,
      stateDirectory: `${paths.agentData}/runtime`,
      cgroupParent: `/${places.prefix}`,
      network: {
        bridge: `${places.prefix}0`,
        subnet: options.subnet,
        chainPrefix: places.prefix.toUpperCase(),
        hostAddress: address,
      },
      registryMirrors: options.registryMirrors,
      insecureRegistries: options.insecureRegistries,
      images: options.images,
    },
  };
}

function hostNameOf({ name = hostname() }: HostOptions): string {
  if (hostNamePattern.test(name)) return name;
  throw new GantryError('InvalidParameterException', `This machine's name, '${name}', cannot be the name of a host.`, {
    field: 'name',
    hint: 'Say another one with --name.',
  });
}

function sizeOf(
  { reservedMemoryMib, reservedCpuUnits }: HostOptions,
  machine: Machine,
): { cpuUnits: number; memoryMib: number } {
  const memoryMib = machine.memoryMib - (reservedMemoryMib ?? defaultReserveMib(machine.memoryMib));
  const cpuUnits = machine.cpuUnits - reservedCpuUnits;
  if (memoryMib <= 0) throw nothingLeft('reserved-memory', `${machine.memoryMib} MiB of memory`);
  if (cpuUnits <= 0) throw nothingLeft('reserved-cpu', `${machine.cpuUnits} CPU units`);
  return { cpuUnits, memoryMib };
}

const nothingLeft = (flag: string, has: string): GantryError =>
  new GantryError('InvalidParameterException', `Nothing is left for tasks: this machine has ${has}.`, {
    field: flag,
    hint: `Keep less of it with --${flag}.`,
  });
