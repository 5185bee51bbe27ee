/**
 * The network that a host's tasks in bridge mode share: a bridge with a subnet, in the machine's own network namespace or in the
 * host's, and the firewall around it. Made when the agent starts, and left in place when it ends: containers run on.
 */
import { existsSync } from 'node:fs';
import { z } from 'zod';
import type { PortSpan } from '../../core/model/port-span.ts';
import type { NetworkConfig } from '../config.ts';
import { hardwareAddress, overlaps, parseSubnet } from './addresses.ts';
import { removeFirewall } from './firewall.ts';
import type { FirewallShape, HostModeMatch } from './firewall-rules.ts';
import { parsePortRange } from './ports.ts';
import { readSysctl, writeSysctl } from './sysctl.ts';
import { ipBatch, runTool } from './tool.ts';

/** Ethernet's usual size; larger frames gain little and break where a path is narrower. */
const largestMtu = 1500;

export interface HostNetwork {
  /** For the bridge and everything on it: no larger than what leaves the host. */
  readonly mtu: number;
  readonly dynamicPorts: PortSpan;
}

/** Makes the bridge, or completes it. Throws ToolError, or an Error when the subnet is in use on this machine. */
export async function makeHostNetwork({ bridge, subnet: cidr, netns }: NetworkConfig): Promise<HostNetwork> {
  const subnet = parseSubnet(cidr);
  const [mtu, portRange] = await Promise.all([
    narrowestUplink(subnet.cidr, bridge, netns),
    readSysctl('net/ipv4/ip_local_port_range', netns),
    writeSysctl('net/ipv4/ip_forward', '1', netns),
  ]);
  await ipBatch('making', bridgeCommands(bridge, `${subnet.gateway}/${subnet.prefixLength}`, mtu), netns);
  // Lets the machine itself reach published ports by 127.0.0.1; the firewall keeps containers from abusing it.
  await writeSysctl(`net/ipv4/conf/${bridge}/route_localnet`, '1', netns);
  return { mtu, dynamicPorts: parsePortRange(portRange) };
}

/** `ip` commands that make a bridge with an address. Its hardware address is fixed, or it would change with what is attached. */
export function bridgeCommands(bridge: string, addressWithPrefix: string, mtu: number): string[] {
  const [address = ''] = addressWithPrefix.split('/');
  return [
    'link set lo up',
    `link add ${bridge} address ${hardwareAddress(address)} mtu ${mtu} type bridge`,
    ...withoutLinkLocal(bridge),
    `addr add ${addressWithPrefix} dev ${bridge}`,
    `link set ${bridge} up`,
  ];
}

/** Keeps the kernel from giving the interface an IPv6 address by itself. */
export const withoutLinkLocal = (link: string): string[] =>
  existsSync('/proc/sys/net/ipv6') ? [`link set ${link} addrgenmode none`] : [];

/** Takes away what `makeHostNetwork` and the firewall made. Fine if there is nothing. For when no task is left. */
export async function removeHostNetwork({ bridge, chainPrefix, netns }: NetworkConfig): Promise<void> {
  if (netns !== undefined && !existsSync(netns)) return; // It went with its namespace.
  await removeFirewall(chainPrefix, netns);
  await ipBatch('removing', [`link del ${bridge}`], netns);
}

export const firewallShape = (network: NetworkConfig, match: HostModeMatch): FirewallShape => ({
  chainPrefix: network.chainPrefix,
  bridge: network.bridge,
  subnet: parseSubnet(network.subnet).cidr,
  hostModeMatch: match,
});

const routesSchema = z.array(z.object({ dst: z.string(), dev: z.string().optional() }));
const linksSchema = z.array(z.object({ ifname: z.string(), mtu: z.number() }));

/**
 * The frame size that fits every way out. Throws an Error when the subnet overlaps a network that is reached otherwise than by this
 * bridge.
 */
export async function narrowestUplink(cidr: string, bridge: string, netns: string | undefined): Promise<number> {
  const [routes, links] = await Promise.all([
    runTool('ip', ['-json', '-4', 'route', 'show'], { netns }).then((json) => routesSchema.parse(parseList(json))),
    runTool('ip', ['-json', 'link', 'show'], { netns }).then((json) => linksSchema.parse(parseList(json))),
  ]);
  const other = routes.find(({ dst, dev }) => dst !== 'default' && dev !== bridge && overlaps(dst, cidr));
  if (other !== undefined)
    throw new Error(
      `The subnet ${cidr} of the bridge ${bridge} overlaps the network ${other.dst} on ${other.dev ?? 'this host'}. ` +
        'Choose another network for Gantry.',
    );
  const uplinks = new Set(routes.flatMap(({ dst, dev }) => (dst === 'default' && dev !== undefined ? [dev] : [])));
  return Math.min(largestMtu, ...links.flatMap(({ ifname, mtu }) => (uplinks.has(ifname) ? [mtu] : [])));
}

/** `ip -json` writes nothing at all, or an empty object in it, for an empty list. */
function parseList(json: string): unknown {
  const parsed: unknown = json.trim() === '' ? [] : JSON.parse(json);
  return Array.isArray(parsed) ? parsed.filter((item) => item !== null && Object.keys(item).length > 0) : parsed;
}
