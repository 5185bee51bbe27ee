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

/** What is kept for the machine itself: a tenth of its memory, at least 256 MiB. CPU is shared by weight, so none is kept. */
const reservedMemoryMib = (machine: Machine): number => Math.max(256, Math.ceil(machine.memoryMib / 10));

/** The bridge in the machine's namespace: tasks are on it with one host, the hosts themselves with several. */
const machineBridge = (name: string): string => `${name}0`;

export function planHosts(options: CloudOptions, machine: Machine): HostPlan[] {
  const count = options.hosts ?? 1;
  const memoryMib = Math.floor((machine.memoryMib - reservedMemoryMib(machine)) / count);
  const cpuUnits = Math.floor(machine.cpuUnits / count);
  return Array.from({ length: count }, (_, index) => {
    const number = index + 1;
    const name = `host-${number}`;
    const shared = {
      name,
      cpuUnits,
      memoryMib,
      availabilityZone: `${options.region}${'abc'.charAt(index % 3)}`,
      containerdNamespace: `${options.name}-${name}`,
      cgroupParent: `/${options.name}/${name}`,
      taskSubnet: `${options.network}.${number}.0/24`,
      chainPrefix: options.name.toUpperCase(),
    };
    if (options.hosts === undefined)
      return { ...shared, address: machine.address, taskBridge: machineBridge(options.name) };
    return {
      ...shared,
      address: `${options.network}.0.${number + 1}`,
      taskBridge: `${options.name}-tasks`,
      networkNamespace: {
        name: `${options.name}-${name}`,
        bridge: machineBridge(options.name),
        gateway: `${options.network}.0.1/24`,
      },
    };
  });
}
