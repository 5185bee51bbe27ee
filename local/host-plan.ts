/** How one machine is cut into hosts: names, shares and networks. Pure, so that up and down agree on what belongs to a cloud. */
import type { Machine } from './machine.ts';
import type { CloudOptions } from './options.ts';

export interface HostPlan {
  readonly name: string;
  readonly cpuUnits: number;
  readonly memoryMib: number;
  /** Where published ports are reached. */
  readonly address: string;
  readonly availabilityZone: string;
  /** containerd namespace, also the host's folder below the runc root. */
  readonly containerdNamespace: string;
  readonly cgroupParent: string;
  /** The bridge that its tasks are on, inside the host's network namespace where it has one. */
  readonly taskBridge: string;
  readonly taskSubnet: string;
  readonly chainPrefix: string;
  /** Absent: the machine's own network namespace. */
  readonly networkNamespace?: { readonly name: string; readonly bridge: string; readonly gateway: string };
}

/** A tenth is kept for the machine itself, at least 256 MiB. CPU is shared by weight, so none is kept. */
export const memoryForTasks = ({ memoryMib }: Machine): number => memoryMib - Math.max(256, Math.ceil(memoryMib / 10));

/** The bridge in the machine's namespace: tasks are on it with one host, the hosts themselves with several. */
export const machineBridge = (name: string): string => `${name}0`;

export interface HostShare {
  readonly cpuUnits: number;
  readonly memoryMib: number;
}

/** What tasks may take of each of so many hosts. */
export const shareOf = (machine: Machine, count: number): HostShare => ({
  cpuUnits: Math.floor(machine.cpuUnits / count),
  memoryMib: Math.floor(memoryForTasks(machine) / count),
});

/** Zones are names only: so many of them as there are hosts, at most three. */
export const zonesOf = (region: string, count: number): string[] =>
  Array.from('abc'.slice(0, count), (letter) => `${region}${letter}`);

/** The hosts that are always there; none of a fleet. */
export function planHosts(options: CloudOptions, machine: Machine): HostPlan[] {
  if (options.fleet !== undefined) return [];
  const count = options.hosts ?? 1;
  const zones = zonesOf(options.region, 3);
  return Array.from({ length: count }, (_, index) => {
    const number = index + 1;
    const name = `host-${number}`;
    const place = {
      name,
      label: name,
      number,
      zone: zones[index % zones.length] ?? '',
      share: shareOf(machine, count),
    };
    if (options.hosts !== undefined) return separateHost(options, place);
    return { ...anyHost(options, place), address: machine.address, taskBridge: machineBridge(options.name) };
  });
}

export interface HostPlace {
  readonly name: string;
  /** Of what it has on the machine; one host at a time has it. */
  readonly label: string;
  /** From 1; says which addresses it has. */
  readonly number: number;
  readonly zone: string;
  readonly share: HostShare;
}

/** A host with a network namespace of its own. */
export const separateHost = (options: CloudOptions, place: HostPlace): HostPlan => ({
  ...anyHost(options, place),
  address: `${options.network}.0.${place.number + 1}`,
  taskBridge: `${options.name}-tasks`,
  networkNamespace: {
    name: `${options.name}-${place.label}`,
    bridge: machineBridge(options.name),
    gateway: `${options.network}.0.1/24`,
  },
});

const anyHost = (options: CloudOptions, { name, label, number, zone, share }: HostPlace) => ({
  ...share,
  name,
  availabilityZone: zone,
  containerdNamespace: `${options.name}-${label}`,
  cgroupParent: `/${options.name}/${label}`,
  taskSubnet: `${options.network}.${number}.0/24`,
  chainPrefix: options.name.toUpperCase(),
});
