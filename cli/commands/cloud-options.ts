/** Options of the commands that deal with the cloud on this machine, and their names on the other side of the border. */
import type { Command, OptionSpec, OptionValues } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { usage } from '../parse.ts';
import { imageOptions, mirrorsOf } from './host-options.ts';

/** Which cloud it is. */
export const whereOptions = {
  data: { type: 'string', value: 'DIR', summary: 'Where its data are (default: /var/lib/gantry)' },
  'run-dir': {
    type: 'string',
    value: 'DIR',
    summary: 'Where its runtime files are (default: $GANTRY_RUN_DIR, or /run/gantry)',
  },
} as const satisfies Record<string, OptionSpec>;

/** How it is to be. */
export const upOptions = {
  hosts: {
    type: 'integer',
    value: 'N',
    min: 1,
    max: 50,
    summary: 'Split this machine into N hosts, each with its own network',
  },
  port: { type: 'integer', value: 'N', min: 1, max: 65_535, summary: 'The port of the control plane (default: 8080)' },
  listen: { type: 'string', value: 'ADDRESS', summary: 'Its address (default: 127.0.0.1); another one needs --tls' },
  tls: { type: 'boolean', summary: 'Speak HTTPS, with a certificate that it makes itself, or one that is given' },
  'tls-name': {
    type: 'string',
    value: 'NAME',
    multiple: true,
    summary: 'With --tls: a further name or address that its own certificate is for',
  },
  'tls-certificate': {
    type: 'string',
    value: 'FILE',
    summary: 'With --tls: the chain to show (PEM); read again when it changes',
    completes: ['file'],
  },
  'tls-key': { type: 'string', value: 'FILE', summary: 'Its key (PEM)', completes: ['file'] },
  'plain-http': { type: 'boolean', summary: 'Listen beyond this machine without TLS all the same' },
  ...whereOptions,
  name: {
    type: 'string',
    value: 'NAME',
    summary: 'Prefix of its bridge, cgroup and firewall chains (default: gantry)',
  },
  network: { type: 'string', value: 'A.B', summary: 'First two octets of its networks (default: 10.213)' },
  store: { type: 'string', choices: ['sqlite', 'dynamodb'], summary: 'Where the control plane keeps everything' },
  'dynamodb-endpoint': { type: 'string', value: 'URL', summary: "With --store dynamodb: another endpoint than AWS'" },
  'dynamodb-table': { type: 'string', value: 'NAME', summary: 'With --store dynamodb: the table (default: gantry)' },
  auth: {
    type: 'string',
    choices: ['sigv4', 'none'],
    summary: 'Whether requests must be signed; none only on loopback',
  },
  'read-rate': {
    type: 'string',
    value: 'N/BURST',
    summary: 'How many reads an access key may make a second, and at once (default: 2000/4000)',
  },
  'mutation-rate': {
    type: 'string',
    value: 'N/BURST',
    summary: 'Likewise calls that change something (default: 1000/2000)',
  },
  'retention-days': {
    type: 'integer',
    value: 'N',
    min: 1,
    max: 3650,
    summary: 'For how long stopped tasks can be looked at (default: 7)',
  },
  'audit-days': {
    type: 'integer',
    value: 'N',
    min: 0,
    max: 3650,
    summary: 'For how long the audit log keeps calls (default: 90); 0: there is none',
  },
  metrics: {
    type: 'string',
    choices: ['local', 'open'],
    summary: 'Who reads /metrics without a signature: this machine (default), or whoever reaches the port',
  },
  'webhook-addresses': {
    type: 'string',
    choices: ['private', 'public'],
    summary: 'Where webhooks may be sent to: also to private networks (default), or only to HTTPS on public addresses',
  },
  account: { type: 'string', value: 'ID', summary: 'Twelve digits, for a new store (default: 000000000000)' },
  ...imageOptions,
} as const satisfies Record<string, OptionSpec>;

const mostHosts = upOptions.hosts.max;

export const fleetOptions = {
  fleet: {
    type: 'string',
    value: 'MIN..MAX',
    summary: 'Hosts that come and go with the tasks that wait, each 1/MAX of this machine',
  },
  'fleet-idle-seconds': {
    type: 'integer',
    value: 'N',
    min: 0,
    max: 86_400,
    summary: 'With --fleet: for how long a host stays without tasks (default: 10)',
  },
} as const satisfies Record<string, OptionSpec>;

/** What `--fleet` says, as `local` knows it; nothing where it is not given. Throws where it makes no sense. */
export function readFleet(
  command: Pick<Command, 'name'>,
  { fleet, hosts, ...options }: OptionValues<typeof fleetOptions & Pick<typeof upOptions, 'hosts'>>,
): { readonly fleet?: { readonly min: number; readonly max: number } } {
  if (fleet === undefined && options['fleet-idle-seconds'] !== undefined)
    throw usage(command, '--fleet-idle-seconds says something only with --fleet');
  if (fleet === undefined) return {};
  if (hosts !== undefined) throw usage(command, '--hosts and --fleet exclude each other: hosts stay, or come and go');
  const [, min, max] = (/^(\d{1,3})\.\.(\d{1,3})$/.exec(fleet) ?? []).map(Number);
  if (min === undefined || max === undefined || min > max || max > mostHosts)
    throw usage(command, `--fleet takes MIN..MAX, whole numbers from 0 to ${mostHosts} such as 0..5, not '${fleet}'`);
  return { fleet: { min, max } };
}

const localNames: Readonly<Record<string, string>> = {
  data: 'dataDir',
  'run-dir': 'runDir',
  'fleet-idle-seconds': 'fleetIdleSeconds',
  'dynamodb-endpoint': 'dynamodbEndpoint',
  'dynamodb-table': 'dynamodbTable',
  'read-rate': 'readRate',
  'mutation-rate': 'mutationRate',
  'retention-days': 'retentionDays',
  'audit-days': 'auditDays',
  'webhook-addresses': 'webhookAddresses',
  account: 'accountId',
  'tls-name': 'tlsNames',
  'tls-certificate': 'tlsCertificate',
  'tls-key': 'tlsKey',
  'plain-http': 'plainHttp',
  'image-pull-behavior': 'imagePullBehavior',
};

/** By the names that `local` knows; what was not given is left to its defaults. */
export function localOptions(
  { runDir, region }: Pick<CommandContext, 'runDir' | 'region'>,
  { 'registry-mirror': mirrors, ...options }: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  return {
    ...(Array.isArray(mirrors) && { registryMirrors: mirrorsOf({ name: 'up' }, mirrors.map(String)) }),
    ...(runDir !== undefined && { runDir }),
    ...(region !== undefined && { region }),
    ...Object.fromEntries(Object.entries(options).map(([name, value]) => [localNames[name] ?? name, value])),
  };
}
