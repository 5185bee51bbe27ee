/** `gantry hosts`. */
import type { ContainerInstanceView } from '../../core/api/shapes.ts';
import { defineCommand, exitCodes } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { printHostTable } from '../render/host-table.ts';

export const hostsCommand = defineCommand({
  name: 'hosts',
  summary: 'Show the hosts of a cluster and what is free on each',
  arguments: [],
  options: {},
  examples: ['gantry hosts', "gantry hosts --json | jq '.hosts[].attributes'"],
  async run(context) {
    const { out } = context;
    const hosts = await allHosts(context);
    out.data({ hosts });
    if (hosts.length === 0) out.note(await whyNone(context));
    else printHostTable(hosts, out);
    return exitCodes.ok;
  },
});

async function whyNone({ client, cluster }: CommandContext): Promise<string> {
  const { clusters } = await client().call('DescribeClusters', { clusters: [cluster] });
  const providers = clusters[0]?.capacityProviders ?? [];
  return providers.length === 0
    ? `The cluster ${cluster} has no hosts. \`gantry up\` makes this machine one.`
    : `The cluster ${cluster} has no hosts now: they come when tasks wait (${providers.join(', ')}). \`gantry capacity\` says more.`;
}

async function allHosts({ client, cluster }: CommandContext): Promise<ContainerInstanceView[]> {
  const hosts: ContainerInstanceView[] = [];
  let nextToken: string | undefined;
  do {
    const page = await client().call('GetHosts', { cluster, ...(nextToken !== undefined && { nextToken }) });
    hosts.push(...page.hosts);
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  return hosts.sort((a, b) => a.hostName.localeCompare(b.hostName, 'en', { numeric: true }));
}
