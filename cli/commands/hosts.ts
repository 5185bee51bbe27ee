/** `gantry hosts`. */
import { allHosts } from '../all-pages.ts';
import { defineCommand, exitCodes } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { printHostTable } from '../render/host-table.ts';

export const hostsCommand = defineCommand({
  name: 'hosts',
  summary: 'Show the hosts of a cluster and what is free on each',
  details: [
    'What is free is what placement goes by: what tasks have reserved counts as used, whether they use it or not. A host that is not ' +
      'connected keeps its tasks, and takes no new ones.',
  ],
  arguments: [],
  options: {
    where: {
      type: 'string',
      value: 'EXPR',
      summary: 'Only those of which it is true: an expression of the cluster query language (docs/placement.md)',
    },
  },
  examples: [
    'gantry hosts',
    "gantry hosts --where 'attribute:stack == prod and runningTasksCount < 5'",
    "gantry hosts --json | jq '.hosts[].attributes'",
  ],
  async run(context, { options: { where } }) {
    const { out } = context;
    const hosts = await allHosts(context, where);
    out.data({ hosts });
    if (hosts.length === 0) out.note(where === undefined ? await whyNone(context) : `It is true of no host: ${where}`);
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
