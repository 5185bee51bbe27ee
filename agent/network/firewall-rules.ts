/**
 * The firewall of a host's task network as text for iptables-restore. Pure. Gantry writes only chains of its own, which are
 * reached by jumps from the kernel's; whatever else is in the tables stays as it is.
 */
import { metadataAddress } from './metadata-ids.ts';

/** Where instances in EC2 answer with their role's credentials. Tasks must not reach it. */
const instanceMetadata = { ipv4: '169.254.169.254', ipv6: 'fd00:ec2::254' } as const;

export interface FirewallNames {
  readonly ports: string;
  readonly metadata: string;
  readonly hostMetadata: string;
  readonly masquerade: string;
  readonly forward: string;
  readonly input: string;
  readonly output: string;
}

const chainNames = (prefix: string): FirewallNames => ({
  ports: `${prefix}-PORTS`,
  metadata: `${prefix}-METADATA`,
  hostMetadata: `${prefix}-HOSTMETA`,
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
  /** Where the agent answers what tasks ask at the task metadata endpoint; absent while it does not. */
  readonly metadata?: { readonly address: string; readonly port: number };
}

/**
 * `everything`: the network namespace is the host's alone, so that all in it are tasks. `cgroup`: by path in cgroup version 2, by net_cls'
 * class in version 1, or by either.
 */
export type HostModeMatch =
  | { readonly kind: 'everything' }
  | { readonly kind: 'cgroup'; readonly path?: string; readonly classId?: number }
  | { readonly kind: 'impossible' };

/** Jumps from the kernel's chains into ours, by table, as iptables-save lists them. */
export function jumps(prefix: string): Readonly<Record<TableName, readonly string[]>> {
  const chain = chainNames(prefix);
  return {
    nat: [
      `PREROUTING -m addrtype --dst-type LOCAL -j ${chain.ports}`,
      `OUTPUT -m addrtype --dst-type LOCAL -j ${chain.ports}`,
      `PREROUTING -d ${metadataAddress}/32 -j ${chain.metadata}`,
      `OUTPUT -d ${metadataAddress}/32 -j ${chain.hostMetadata}`,
      `POSTROUTING -j ${chain.masquerade}`,
    ],
    filter: [`INPUT -j ${chain.input}`, `FORWARD -j ${chain.forward}`, `OUTPUT -j ${chain.output}`],
  };
}

/** The rules of our chains, by table and chain; those of published ports are not among them. */
type Chains = Readonly<Partial<Record<TableName, Readonly<Record<string, readonly string[]>>>>>;
type TableName = 'nat' | 'filter';

function chainsIPv4(shape: FirewallShape): Chains {
  const { chainPrefix, bridge, subnet, hostModeMatch } = shape;
  const chain = chainNames(chainPrefix);
  const metadata = metadataRules(shape);
  return {
    filter: {
      [chain.input]: [
        // route_localnet would let a container speak to what listens on the machine's loopback only.
        `-i ${bridge} -d 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED -j DROP`,
        // Where something on this very machine answers for instance metadata.
        `-i ${bridge} -d ${instanceMetadata.ipv4}/32 -j DROP`,
        ...metadata.input,
      ],
      [chain.forward]: [
        // Task metadata is this host's, or nobody's.
        `-i ${bridge} -d ${metadataAddress}/32 -j DROP`,
        `-i ${bridge} -d ${instanceMetadata.ipv4}/32 -j DROP`,
        // Also for machines where something else (Docker, a firewall) drops what nobody accepts.
        `-i ${bridge} -j ACCEPT`,
        `-o ${bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
        `-o ${bridge} -m conntrack --ctstate DNAT -j ACCEPT`,
        // Only published ports are reached from outside.
        `-o ${bridge} -j DROP`,
      ],
      [chain.output]: hostModeRules(hostModeMatch, `-d ${instanceMetadata.ipv4}/32`, 'DROP'),
    },
    nat: {
      [chain.ports]: [],
      [chain.metadata]: metadata.fromBridge,
      [chain.hostMetadata]: metadata.fromHost,
      [chain.masquerade]: [
        `-s ${subnet} ! -o ${bridge} -j MASQUERADE`,
        // A container that reaches another one, or itself, by a published port: the answer must come back this way.
        `-s ${subnet} -d ${subnet} -m conntrack --ctstate DNAT -j MASQUERADE`,
        // The machine itself, by 127.0.0.1: no answer could be sent there.
        `-s 127.0.0.0/8 -o ${bridge} -j MASQUERADE`,
      ],
    },
  };
}

/** What tasks ask at the task metadata endpoint goes to the agent; what others say to where it listens goes nowhere. */
function metadataRules({ bridge, hostModeMatch, metadata }: FirewallShape): {
  readonly [K in 'input' | 'fromBridge' | 'fromHost']: readonly string[];
} {
  if (metadata === undefined) return { input: [], fromBridge: [], fromHost: [] };
  const { address, port } = metadata;
  const listener = `-d ${address}/32 -p tcp -m tcp --dport ${port}`;
  const http = '-p tcp -m tcp --dport 80';
  const toAgent = `DNAT --to-destination ${address}:${port}`;
  return {
    input: [`-i ${bridge} ${listener} -j ACCEPT`, `-i lo ${listener} -j ACCEPT`, `${listener} -j DROP`],
    fromBridge: [`-i ${bridge} ${http} -j ${toAgent}`],
    fromHost: hostModeRules(hostModeMatch, http, toAgent),
  };
}

/** For IPv6, in which tasks have no addresses: all that there is to do is to keep metadata from them. */
function chainsIPv6({ chainPrefix, bridge, hostModeMatch }: FirewallShape): Chains {
  const chain = chainNames(chainPrefix);
  const metadata = `${instanceMetadata.ipv6}/128`;
  // Frames that a task makes itself, with an address of its choosing.
  const fromBridge = [`-d ${metadata} -i ${bridge} -j DROP`];
  return {
    filter: {
      [chain.input]: fromBridge,
      [chain.forward]: fromBridge,
      [chain.output]: hostModeRules(hostModeMatch, `-d ${metadata}`, 'DROP'),
    },
  };
}

const chainsOf = (shape: FirewallShape, family: Family): Chains =>
  family === 'IPv4' ? chainsIPv4(shape) : chainsIPv6(shape);

export type Family = 'IPv4' | 'IPv6';

/** Every chain with all its rules, made anew; and those jumps that are missing from what iptables-save listed. */
export function fullRestore(shape: FirewallShape, family: Family, published: readonly string[], saved: string): string {
  const { ports } = chainNames(shape.chainPrefix);
  const wanted = jumps(shape.chainPrefix);
  return inTables(chainsOf(shape, family), (name, chains) => {
    const filled = ports in chains ? { ...chains, [ports]: published } : chains;
    return table(name, filled, wanted[name], saved);
  });
}

/** How many published ports iptables-save listed. */
export function publishedIn(prefix: string, saved: string): number {
  const start = `-A ${chainNames(prefix).ports} `;
  return tableLines(saved, 'nat').filter((line) => line.startsWith(start)).length;
}

/** Changes nothing, and is refused by iptables-restore unless the jumps and all rules but those of published ports are there. */
export function checkRestore(shape: FirewallShape, family: Family): string {
  return inTables(chainsOf(shape, family), (name, chains) => {
    const rules = Object.entries(chains).flatMap(([chain, list]) => list.map((rule) => `${chain} ${rule}`));
    const all = [...jumps(shape.chainPrefix)[name], ...rules];
    return [`*${name}`, ...all.map((rule) => `-C ${rule}`), 'COMMIT\n'].join('\n');
  });
}

const inTables = (
  tables: Chains,
  textOf: (name: TableName, chains: Readonly<Record<string, readonly string[]>>) => string,
): string =>
  // nat is last: a change of published ports stands behind every check (changeRestore).
  (['filter', 'nat'] as const).map((name) => (tables[name] === undefined ? '' : textOf(name, tables[name]))).join('');

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

function hostModeRules(match: HostModeMatch, selector: string, target: string): string[] {
  switch (match.kind) {
    case 'everything':
      return [`${selector} -j ${target}`];
    case 'cgroup':
      return [
        ...(match.path === undefined ? [] : [`${selector} -m cgroup --path ${match.path} -j ${target}`]),
        ...(match.classId === undefined ? [] : [`${selector} -m cgroup --cgroup ${match.classId} -j ${target}`]),
      ];
    case 'impossible':
      return [];
  }
}

function table(
  name: TableName,
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

/**
 * Adds or deletes published ports without touching the rest of the chain. Nothing of it is done unless whatever of `checked` is checked
 * first is there.
 */
export function changeRestore(
  prefix: string,
  operation: 'add' | 'delete',
  rules: readonly string[],
  checked: FirewallShape | undefined,
): string {
  const { ports } = chainNames(prefix);
  const flag = operation === 'add' ? '-A' : '-D';
  const checks = checked === undefined ? '' : checkRestore(checked, 'IPv4');
  return checks + ['*nat', ...rules.map((rule) => `${flag} ${ports} ${rule}`), 'COMMIT\n'].join('\n');
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
