/** Options of the commands that make this machine a host, and their names on the other side of the border. */
import type { Command, OptionSpec } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { usage } from '../parse.ts';

/** How images come onto it. */
export const imageOptions = {
  'registry-mirror': {
    type: 'string',
    value: 'HOST=URL',
    multiple: true,
    summary: 'Where a registry is asked first; several of one in their order',
  },
  'image-pull-behavior': {
    type: 'string',
    value: 'WHEN',
    summary: 'Pull what is here already as ECS_IMAGE_PULL_BEHAVIOR has it: default, always, once or prefer-cached',
  },
} as const satisfies Record<string, OptionSpec>;

/** What is said of the host. */
export const hostOptions = {
  name: { type: 'string', value: 'NAME', summary: "What it is called in its cluster (default: the machine's name)" },
  address: {
    type: 'string',
    value: 'ADDRESS',
    summary: 'Where published ports are reached (default: by which it reaches the control plane)',
  },
  attribute: { type: 'string', value: 'NAME=VALUE', multiple: true, summary: 'What placement may ask of it' },
  'reserved-memory': {
    type: 'integer',
    value: 'MIB',
    min: 0,
    summary: 'Kept for the system (default: a twentieth, 256 to 1024)',
  },
  'reserved-cpu': { type: 'integer', value: 'UNITS', min: 0, summary: 'Kept likewise; 1024 are one vCPU (default: 0)' },
  'reserved-port': {
    type: 'string',
    value: 'PORT',
    multiple: true,
    summary: 'That tasks must not take, such as 9100 or udp/53 (default: 22)',
  },
  subnet: { type: 'string', value: 'CIDR', summary: 'Of tasks in bridge mode (default: 10.213.0.0/16)' },
  ...imageOptions,
  'insecure-registry': { type: 'string', value: 'HOST', multiple: true, summary: 'A registry that speaks plain HTTP' },
} as const satisfies Record<string, OptionSpec>;

/** Where a host without units has what it needs. */
export const hostPlaces = {
  data: { type: 'string', value: 'DIR', summary: 'With --foreground: where its data are (default: /var/lib/gantry)' },
  'run-dir': {
    type: 'string',
    value: 'DIR',
    summary: 'Likewise its runtime files (default: $GANTRY_RUN_DIR, or /run/gantry)',
  },
  prefix: {
    type: 'string',
    value: 'NAME',
    summary: 'Likewise the prefix of its bridge, cgroup and firewall chains (default: gantry)',
  },
} as const satisfies Record<string, OptionSpec>;

export const placesOf = (
  { runDir }: Pick<CommandContext, 'runDir'>,
  options: { readonly data?: string; readonly 'run-dir'?: string; readonly prefix?: string },
): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries({ dataDir: options.data, runDir: options['run-dir'] ?? runDir, prefix: options.prefix }).filter(
      ([, value]) => value !== undefined,
    ),
  );

/** The part before and after the first `=` of each. */
export function pairs(
  command: Pick<Command, 'name'>,
  option: string,
  values: readonly string[] | undefined,
): (readonly [name: string, value: string])[] | undefined {
  return values?.map((value) => {
    const [, name, rest] = /^([^=]+)=(.*)$/s.exec(value) ?? [];
    if (name === undefined || rest === undefined) throw usage(command, `--${option} takes NAME=VALUE, not '${value}'`);
    return [name, rest] as const;
  });
}

/** By registry, in the order in which they were given. */
export function mirrorsOf(
  command: Pick<Command, 'name'>,
  values: readonly string[] | undefined,
): Record<string, string[]> | undefined {
  const mirrors: Record<string, string[]> = {};
  for (const [registry, url] of pairs(command, 'registry-mirror', values) ?? [])
    mirrors[registry] = [...(mirrors[registry] ?? []), url];
  return values === undefined ? undefined : mirrors;
}
