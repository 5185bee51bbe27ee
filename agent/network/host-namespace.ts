/**
 * A network namespace for a whole host, so that several hosts can live on one machine: the host's address is on a bridge of the
 * machine, and everything leaves through the machine. For whoever makes hosts (local/), not for the agent in one.
 */
import { hardwareAddress, overlaps, parseSubnet } from './addresses.ts';
import { removeFirewall } from './firewall.ts';
import { applyByFirstWorking, ipv4Backends } from './firewall-backend.ts';
import { machineBridgeRestore } from './firewall-rules.ts';
import { bridgeCommands, narrowestUplink, withoutLinkLocal } from './host-network.ts';
import { bridgeEnd, netnsPath } from './names.ts';
import { writeSysctl } from './sysctl.ts';
import { ipBatch } from './tool.ts';

export interface HostNamespace {
  /** As `ip netns` shows it; the path is `/run/netns/<name>`. */
  readonly name: string;
  /** The machine's bridge that the hosts are on. */
  readonly bridge: string;
  /** The host's address on it, for example `10.213.0.2`. */
  readonly address: string;
  /** The bridge's own address with its prefix, for example `10.213.0.1/24`. */
  readonly gateway: string;
}

/** Makes it, or completes it. Throws ToolError, or an Error when the network is in use on this machine. */
export async function createHostNamespace({ name, bridge, address, gateway }: HostNamespace): Promise<void> {
  const [gatewayAddress = '', prefixLength = ''] = gateway.split('/');
  if (!overlaps(address, gateway))
    throw new Error(`The host's address ${address} is not in the network of ${gateway}.`);
  const mtu = await makeMachineBridge(bridge, gateway);
  const outside = bridgeEnd(name);
  await ipBatch('making', [
    `netns add ${name}`,
    `link add ${outside} mtu ${mtu} type veth peer name eth0 address ${hardwareAddress(address)} mtu ${mtu} netns ${name}`,
    ...withoutLinkLocal(outside),
    `link set ${outside} master ${bridge} up`,
  ]);
  await ipBatch(
    'making',
    [
      'link set lo up',
      `addr add ${address}/${prefixLength} dev eth0`,
      'link set eth0 up',
      `route add default via ${gatewayAddress}`,
    ],
    netnsPath(name),
  );
}

/** Takes the namespace away with everything in it. Processes that are in it keep running, cut off. Fine if there is none. */
export async function removeHostNamespace(name: string): Promise<void> {
  // The veth pair goes by itself, later; a bridge that is removed next must not wait for it, nor a new host meet it.
  await ipBatch('removing', [`link del ${bridgeEnd(name)}`, `netns del ${name}`]);
}

/** Takes away the bridge that hosts were on, with its firewall rules. Fine if there is none. For when no host is left. */
export async function removeMachineBridge(bridge: string): Promise<void> {
  await removeFirewall(machineChainPrefix(bridge), undefined);
  await ipBatch('removing', [`link del ${bridge}`]);
}

async function makeMachineBridge(bridge: string, gateway: string): Promise<number> {
  const subnet = parseSubnet(gateway).cidr;
  const mtu = await narrowestUplink(subnet, bridge, undefined);
  await ipBatch('making', bridgeCommands(bridge, gateway, mtu));
  await writeSysctl('net/ipv4/ip_forward', '1', undefined);
  await applyByFirstWorking(ipv4Backends, undefined, (saved) =>
    machineBridgeRestore({ chainPrefix: machineChainPrefix(bridge), bridge, subnet }, saved),
  );
  return mtu;
}

/** The bridge's name tells these chains from those of a host in the machine's own namespace. */
const machineChainPrefix = (bridge: string): string => bridge.toUpperCase();
