/**
 * The firewall of a host's task network as text for iptables-restore. Pure. Gantry writes only chains of its own, which are
 * reached by jumps from the kernel's; whatever else is in the tables stays as it is.
 */
import type { NetworkBinding } from '../../core/model/task.ts';

/** Where instances in EC2 answer with their role's credentials. Tasks must not reach it. */
const instanceMetadata = { ipv4: '169.254.169.254', ipv6: 'fd00:ec2::254' } as const;

export interface FirewallNames {
  readonly ports: string;
  readonly masquerade: string;
  readonly forward: string;
  readonly input: string;
  readonly output: string;
}

const chainNames = (prefix: string): FirewallNames => ({
  ports: `${prefix}-PORTS`,
  masquerade: `${prefix}-MASQ`,
  forward: `${prefix}-FORWARD`,
  input: `${prefix}-INPUT`,
  output: `${prefix}-OUTPUT`,
});

export interface FirewallShape {
  readonly chainPrefix: string;
  readonly bridge: string;
  /** The tasks' addresses, for example `10.213.1.0/24`. */
  readonly subnet: string;
  /** How processes of tasks in host mode are told from the rest of the machine. */
  readonly hostModeMatch: HostModeMatch;
}

/**
 * `everything`: the network namespace is the host's alone, so that all in it are tasks. `cgroup`: by path in cgroup version 2, by net_cls'
 * class in version 1, or by either.
 */
export type HostModeMatch =
  | { readonly kind: 'everything' }
  | { readonly kind: 'cgroup'; readonly path?: string; readonly classId?: number }
  | { readonly kind: 'impossible' };

/** A rule of a chain of ours, without the chain: `-p tcp … -j DNAT …`, in the form in which iptables-save lists it. */
export function publishRules(address: string, bindings: readonly NetworkBinding[]): string[] {
  return bindings.map(
    ({ protocol, hostPort, containerPort }) =>
      `-p ${protocol} -m ${protocol} --dport ${hostPort} -j DNAT --to-destination ${address}:${containerPort}`,
  );
}

/** Jumps from the kernel's chains into ours, by table, as iptables-save lists them. */
export function jumps(prefix: string): Readonly<Record<'nat' | 'filter', readonly string[]>> {
  const chain = chainNames(prefix);
  return {
    nat: [
      `PREROUTING -m addrtype --dst-type LOCAL -j ${chain.ports}`,
      `OUTPUT -m addrtype --dst-type LOCAL -j ${chain.ports}`,
      `POSTROUTING -j ${chain.masquerade}`,
    ],
    filter: [`INPUT -j ${chain.input}`, `FORWARD -j ${chain.forward}`, `OUTPUT -j ${chain.output}`],
  };
}

/** Every chain with all its rules, made anew; and those jumps that are missing from what iptables-save listed. */
export function fullRestore(shape: FirewallShape, published: readonly string[], saved: string): string {
  const { chainPrefix: prefix, bridge, subnet } = shape;
  const chain = chainNames(prefix);
  const nat = {
    [chain.ports]: published,
    [chain.masquerade]: [
      `-s ${subnet} ! -o ${bridge} -j MASQUERADE`,
      // A container that reaches another one, or itself, by a published port: the answer must come back this way.
      `-s ${subnet} -d ${subnet} -m conntrack --ctstate DNAT -j MASQUERADE`,
      // The machine itself, by 127.0.0.1: no answer could be sent there.
      `-s 127.0.0.0/8 -o ${bridge} -j MASQUERADE`,
    ],
  };
  const filter = {
    [chain.input]: [
      // route_localnet would let a container speak to what listens on the machine's loopback only.
      `-i ${bridge} -d 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED -j DROP`,
      // Where something on this very machine answers for instance metadata.
      `-i ${bridge} -d ${instanceMetadata.ipv4}/32 -j DROP`,
    ],
    [chain.forward]: [
      `-i ${bridge} -d ${instanceMetadata.ipv4}/32 -j DROP`,
      // Also for machines where something else (Docker, a firewall) drops what nobody accepts.
      `-i ${bridge} -j ACCEPT`,
      `-o ${bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
      `-o ${bridge} -m conntrack --ctstate DNAT -j ACCEPT`,
      // Only published ports are reached from outside.
      `-o ${bridge} -j DROP`,
    ],
    [chain.output]: hostModeRules(shape.hostModeMatch, `${instanceMetadata.ipv4}/32`),
  };
  const wanted = jumps(prefix);
  return [table('nat', nat, wanted.nat, saved), table('filter', filter, wanted.filter, saved)].join('');
}

/** The same for IPv6, in which tasks have no addresses: all that there is to do is to keep metadata from them. */
export function fullRestoreIPv6({ chainPrefix, bridge, hostModeMatch }: FirewallShape, saved: string): string {
  const chain = chainNames(chainPrefix);
  const metadata = `${instanceMetadata.ipv6}/128`;
  // Frames that a task makes itself, with an address of its choosing.
  const fromBridge = [`-d ${metadata} -i ${bridge} -j DROP`];
  const filter = {
    [chain.input]: fromBridge,
    [chain.forward]: fromBridge,
    [chain.output]: hostModeRules(hostModeMatch, metadata),
  };
  return table('filter', filter, jumps(chainPrefix).filter, saved);
}

/** The rules around the bridge of the machine that whole hosts are on: they get out, and nothing gets in but answers. */
export function machineBridgeRestore(
  { chainPrefix, bridge, subnet }: Pick<FirewallShape, 'chainPrefix' | 'bridge' | 'subnet'>,
  saved: string,
): string {
  const chain = chainNames(chainPrefix);
  const nat = { [chain.masquerade]: [`-s ${subnet} ! -o ${bridge} -j MASQUERADE`] };
  // The hosts' own rules do this as well; frames that a task in host mode makes itself come past them.
  const noMetadata = `-i ${bridge} -d ${instanceMetadata.ipv4}/32 -j DROP`;
  const filter = {
    [chain.input]: [noMetadata],
    [chain.forward]: [
      noMetadata,
      `-i ${bridge} -j ACCEPT`,
      `-o ${bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
      `-o ${bridge} -j DROP`,
    ],
  };
  return [
    table('nat', nat, [`POSTROUTING -j ${chain.masquerade}`], saved),
    table('filter', filter, [`INPUT -j ${chain.input}`, `FORWARD -j ${chain.forward}`], saved),
  ].join('');
}

function hostModeRules(match: HostModeMatch, destination: string): string[] {
  switch (match.kind) {
    case 'everything':
      return [`-d ${destination} -j DROP`];
    case 'cgroup':
      return [
        ...(match.path === undefined ? [] : [`-d ${destination} -m cgroup --path ${match.path} -j DROP`]),
        ...(match.classId === undefined ? [] : [`-d ${destination} -m cgroup --cgroup ${match.classId} -j DROP`]),
      ];
    case 'impossible':
      return [];
  }
}

function table(
  name: 'nat' | 'filter',
  chains: Readonly<Record<string, readonly string[]>>,
  jumpRules: readonly string[],
  saved: string,
): string {
  const existing = new Set(tableLines(saved, name));
  return [
    `*${name}`,
    // With --noflush this makes a chain, or empties one that exists, and touches no other.
    ...Object.keys(chains).map((chain) => `:${chain} - [0:0]`),
    ...Object.entries(chains).flatMap(([chain, rules]) => rules.map((rule) => `-A ${chain} ${rule}`)),
    ...jumpRules.filter((jump) => !existing.has(`-A ${jump}`)).map((jump) => `-I ${jump}`),
    'COMMIT\n',
  ].join('\n');
}

/** Adds or deletes published ports without touching the rest of the chain. */
export function changeRestore(prefix: string, operation: 'add' | 'delete', rules: readonly string[]): string {
  const { ports } = chainNames(prefix);
  const flag = operation === 'add' ? '-A' : '-D';
  return ['*nat', ...rules.map((rule) => `${flag} ${ports} ${rule}`), 'COMMIT\n'].join('\n');
}

/** Takes away every chain of ours, and the jumps to them, that iptables-save listed; empty when there are none. */
export function removalRestore(prefix: string, saved: string): string {
  const names = new Set<string>(Object.values(chainNames(prefix)));
  const tables = ['nat', 'filter'].map((name) => {
    const lines = tableLines(saved, name);
    const chains = lines.flatMap((line) => {
      const chain = /^:(\S+) /.exec(line)?.[1];
      return chain !== undefined && names.has(chain) ? [chain] : [];
    });
    if (chains.length === 0) return '';
    const jumpsToThem = lines.filter((line) => {
      const [flag, from = '', ...rest] = line.split(' ');
      return flag === '-A' && !names.has(from) && names.has(rest.at(-1) ?? '');
    });
    return [
      `*${name}`,
      ...jumpsToThem.map((line) => line.replace(/^-A/, '-D')),
      ...chains.map((chain) => `-F ${chain}`),
      ...chains.map((chain) => `-X ${chain}`),
      'COMMIT\n',
    ].join('\n');
  });
  return tables.join('');
}

/** The lines of one table in the output of iptables-save. */
function tableLines(saved: string, name: string): string[] {
  const lines = saved.split('\n');
  const start = lines.indexOf(`*${name}`);
  if (start === -1) return [];
  const end = lines.indexOf('COMMIT', start);
  return lines.slice(start + 1, end === -1 ? lines.length : end);
}
