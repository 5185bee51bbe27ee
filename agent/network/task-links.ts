/**
 * Network namespaces of containers in bridge mode, and the links that join them to the host's bridge. What is there already is completed,
 * so every function may be called again.
 */
import { allEnded } from '../all-ended.ts';
import type { NetworkConfig } from '../config.ts';
import { hardwareAddress, parseSubnet } from './addresses.ts';
import { withoutLinkLocal } from './host-network.ts';
import { bridgeEnd, netnsPath } from './names.ts';
import { ipBatch, ToolError } from './tool.ts';

export interface Place {
  /** Of the network namespace. */
  readonly name: string;
  readonly address: string;
}

type Bridge = Pick<NetworkConfig, 'bridge' | 'netns' | 'subnet'> & { readonly mtu: number };

export async function makeNamespaces(places: readonly Place[]): Promise<void> {
  await ipBatch(
    'making',
    places.map(({ name }) => `netns add ${name}`),
  );
}

/** Throws Error with a sentence. */
export async function connectPlaces(places: readonly Place[], { bridge, netns, subnet, mtu }: Bridge): Promise<void> {
  try {
    await ipBatch(
      'making',
      places.flatMap(({ name, address }) => [
        `link add ${bridgeEnd(name)} mtu ${mtu} type veth peer name eth0 address ${hardwareAddress(address)} mtu ${mtu} netns ${name}`,
        ...withoutLinkLocal(bridgeEnd(name)),
        `link set ${bridgeEnd(name)} master ${bridge} up`,
        // A container that uses its own published port: where iptables sees bridged frames, it is sent back by the same way.
        `link set ${bridgeEnd(name)} type bridge_slave hairpin on`,
      ]),
      netns,
    );
  } catch (error) {
    // The kernel's word for a bridge that has no port left.
    if (error instanceof ToolError && error.complaint.includes('Exchange full'))
      throw new Error(`the bridge ${bridge} has its 1,024 containers; run this task on another host`, { cause: error });
    throw error;
  }
  await allEnded(places.map((place) => configure(place, subnet)));
}

async function configure({ name, address }: Place, cidr: string): Promise<void> {
  const { prefixLength, gateway } = parseSubnet(cidr);
  await ipBatch(
    'making',
    [
      'link set lo up', // A new namespace has it down, and connections to 127.0.0.1 would hang.
      `addr add ${address}/${prefixLength} dev eth0`,
      'link set eth0 up',
      `route add default via ${gateway}`,
    ],
    netnsPath(name),
  );
}
