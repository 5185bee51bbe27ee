/** `gantry join`: makes this machine a host of a control plane elsewhere. */
import { parse, YAMLParseError } from 'yaml';
import { compact } from '../../core/compact.ts';
import { GantryError } from '../../core/errors.ts';
import type { HostSelf } from '../../core/host-protocol.ts';
import { plural } from '../../core/text.ts';
import { defineCommand, exitCodes, type OptionValues } from '../command.ts';
import type { CommandContext } from '../context.ts';
import type { Output } from '../output.ts';
import { usage } from '../parse.ts';
import { hostOptions, hostPlaces, mirrorsOf, pairs, placesOf } from './host-options.ts';

const command = { name: 'join' };

const joinOptions = {
  token: { type: 'string', value: 'TOKEN', summary: 'What admits it, once: `gantry join-token` makes one' },
  'token-file': {
    type: 'string',
    value: 'FILE',
    summary: 'The same in a file; - is standard input',
    completes: ['file'],
  },
  file: {
    type: 'string',
    value: 'FILE',
    summary: 'What is said of the host, as YAML or JSON (docs/hosts.md); options go before it',
    completes: ['file'],
  },
  ...hostOptions,
  'tls-ca': {
    type: 'string',
    value: 'FILE',
    summary: 'Trust the authority in this file (PEM); not needed with a token that has a pin',
    completes: ['file'],
  },
  install: { type: 'boolean', summary: 'Install the packages that are missing (containerd, runc, iproute2, iptables)' },
  upgrade: { type: 'boolean', summary: 'Bring the agent to this release; containers run on' },
  foreground: { type: 'boolean', summary: 'Without systemd units: stay, supervise, and end the agent on Ctrl-C' },
  ...hostPlaces,
} as const;

export const joinCommand = defineCommand({
  name: 'join',
  summary: 'Make this machine a host of a control plane elsewhere',
  details: [
    'It makes a key of its own, has it admitted by the token, and starts containerd and the agent by systemd units, which outlive ' +
      'reboots. A token with a pin says which control plane it is of: nothing else is trusted.',
    'Said again, it changes what is said and leaves the rest as it was: the host is the same, no token is needed, containers run on. ' +
      'With a newer version of Gantry that is the upgrade of its agent.',
  ],
  arguments: [
    { name: 'url', summary: 'the control plane, as this machine reaches it; once it has joined, the same as before' },
  ],
  options: joinOptions,
  examples: [
    'gantry join https://10.0.0.5:8080 --token gantry-join-0123456789abcdef --install',
    'gantry join https://10.0.0.5:8080 --token-file token --name rack3-7 --attribute rack=3 --reserved-memory 2048',
    'gantry join --upgrade',
    'gantry join --attribute rack=4',
  ],
  async run(context, { args: [url], options }) {
    const { out, local, signal, readFile } = context;
    const { install = false, foreground = false, 'tls-ca': ca } = options;
    const said = await saidOf(context, url, options);
    const wanted = {
      places: placesOf(context, options),
      said,
      token: await tokenOf(context, options),
      certificateAuthority: ca === undefined ? undefined : await readFile(ca),
      install,
      foreground,
    };
    const ready = (host: HostSelf) => tell(out, host, { foreground });
    await local.join(wanted, { say: (line) => out.note(line), ready }, signal);
    if (foreground) out.note('Ended the agent. Containers go on: `gantry join --foreground` takes them up again.');
    return exitCodes.ok;
  },
});

type Options = OptionValues<typeof joinOptions>;

async function tokenOf({ readFile }: CommandContext, options: Options): Promise<string | undefined> {
  const { token, 'token-file': file } = options;
  if (token !== undefined && file !== undefined) throw usage(command, '--token and --token-file each give a token');
  return token ?? (file === undefined ? undefined : (await readFile(file)).trim());
}

async function saidOf(
  { readFile, named }: CommandContext,
  url: string | undefined,
  options: Options,
): Promise<Record<string, unknown>> {
  const {
    file,
    name,
    address,
    subnet,
    'reserved-memory': reservedMemoryMib,
    'reserved-cpu': reservedCpuUnits,
    'image-pull-behavior': pullBehavior,
  } = options;
  const attributes = pairs(command, 'attribute', options.attribute);
  return {
    ...(file === undefined ? {} : fileContent(file, await readFile(file))),
    ...compact({
      url,
      cluster: named.cluster,
      name,
      address,
      subnet,
      reservedMemoryMib,
      reservedCpuUnits,
      reservedPorts: options['reserved-port']?.map((port) => (port.includes('/') ? port : `tcp/${port}`)),
      attributes: attributes && Object.fromEntries(attributes),
      registryMirrors: mirrorsOf(command, options['registry-mirror']),
      insecureRegistries: options['insecure-registry'],
      images: pullBehavior && { pullBehavior },
    }),
  };
}

function fileContent(file: string, text: string): object {
  let content: unknown;
  try {
    content = parse(text);
  } catch (error) {
    const why = error instanceof YAMLParseError ? error.message.split('\n')[0] : String(error);
    throw new GantryError('InvalidParameterException', `${file} is neither YAML nor JSON: ${why}.`, { field: 'file' });
  }
  if (typeof content === 'object' && content !== null && !Array.isArray(content)) return content;
  throw new GantryError('InvalidParameterException', `${file} is no list of members and values.`, {
    field: 'file',
    hint: 'For example `{"url": "https://10.0.0.5:8080", "attributes": {"rack": "3"}}`; docs/hosts.md has all of them.',
  });
}

function tell(out: Output, host: HostSelf, { foreground }: { readonly foreground: boolean }): void {
  out.data({ host });
  out.line(
    `${host.name} is a host of the cluster ${host.cluster}: ${host.status}, connected, ${plural(host.tasks, 'task')}`,
  );
  if (host.status === 'DRAINING')
    out.note(`It was drained: \`gantry activate ${host.name}\` lets tasks be placed on it again.`);
  out.note(
    foreground
      ? 'Ctrl-C ends the agent and leaves containers running; `gantry leave` takes the host out of its cluster.'
      : 'It comes back by itself after a reboot; `gantry leave` takes it out of its cluster.',
  );
}
