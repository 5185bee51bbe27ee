/** `gantry clusters list`, `show`, `create`, `delete` and `settings`. */
import type { ClusterView } from '../../core/api/shapes.ts';
import { compact } from '../../core/compact.ts';
import { GantryError } from '../../core/errors.ts';
import { allPages } from '../all-pages.ts';
import { defineCommand, exitCodes } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { pairOf } from '../pair.ts';
import { contentsOf, printClusterPage, printClusterTable } from '../render/cluster-page.ts';

/** As many as one DescribeClusters answers. */
const mostDescribed = 100;

const oneCluster = {
  name: 'name',
  summary: 'a cluster, by name or ARN',
  required: true,
  completes: ['cluster'],
} as const;

const waiting = 'gantry:waitForCapacity=enabled lets tasks wait that name a launch type';

export const clustersListCommand = defineCommand({
  name: 'clusters list',
  summary: 'Show the clusters, and how much is in each',
  arguments: [],
  options: {},
  examples: ['gantry clusters list', "gantry clusters list --json | jq -r '.clusters[].clusterName'"],
  async run(context) {
    const { out } = context;
    const clusters = await allClusters(context);
    out.data({ clusters });
    if (clusters.length === 0) out.note('There are no clusters. `gantry clusters create NAME` makes one.');
    else printClusterTable(clusters, out);
    return exitCodes.ok;
  },
});

export const clustersShowCommand = defineCommand({
  name: 'clusters show',
  summary: 'Show one cluster: what it has, its settings, capacity providers and tags',
  arguments: [{ ...oneCluster, summary: 'a cluster, by name or ARN (default: the one of --cluster)', required: false }],
  options: {},
  examples: ['gantry clusters show', 'gantry clusters show web --json'],
  async run(context, { args: [name] }) {
    const { out } = context;
    const cluster = await describe(context, name ?? context.cluster);
    out.data({ cluster });
    if (!out.json) printClusterPage(cluster, out);
    return exitCodes.ok;
  },
});

export const clustersCreateCommand = defineCommand({
  name: 'clusters create',
  summary: 'Make a cluster; one that is there already stays as it is',
  arguments: [{ name: 'name', summary: 'letters, digits, hyphens and underscores', required: true }],
  options: {
    setting: { type: 'string', value: 'NAME=VALUE', multiple: true, summary: `A setting: ${waiting}` },
    'capacity-provider': {
      type: 'string',
      value: 'NAME',
      multiple: true,
      summary: 'A capacity provider that buys hosts for it',
    },
    tag: { type: 'string', value: 'KEY=VALUE', multiple: true, summary: 'Tag the cluster' },
  },
  examples: ['gantry clusters create web', 'gantry clusters create batch --tag team=data --capacity-provider spot'],
  async run({ client, out }, { args: [clusterName = ''], options }) {
    const { setting, 'capacity-provider': providers, tag } = options;
    const { cluster } = await client().call(
      'CreateCluster',
      compact({
        clusterName,
        settings: setting?.map((text) => pairOf(clustersCreateCommand, '--setting', text)),
        capacityProviders: providers && [...providers],
        tags: tag?.map((text) => {
          const { name: key, value } = pairOf(clustersCreateCommand, '--tag', text);
          return { key, value };
        }),
      }),
    );
    out.data({ cluster });
    out.line(`${cluster.clusterName} is ${cluster.status}: it has ${contentsOf(cluster)}`);
    return exitCodes.ok;
  },
});

export const clustersDeleteCommand = defineCommand({
  name: 'clusters delete',
  summary: 'Delete a cluster that has no hosts and no tasks any more',
  arguments: [oneCluster],
  options: {},
  examples: ['gantry clusters delete web'],
  async run({ client, out }, { args: [name = ''] }) {
    const { cluster } = await client().call('DeleteCluster', { cluster: name });
    out.data({ cluster });
    out.line(`${cluster.clusterName} is ${cluster.status}`);
    return exitCodes.ok;
  },
});

export const clustersSettingsCommand = defineCommand({
  name: 'clusters settings',
  summary: 'Change settings of a cluster; those that are not named stay',
  details: [
    `The settings are those of ECS and two more: ${waiting}, instead of refusing them at once; gantry:hostLostAfterSeconds says for how ` +
      'long a host is silent until its tasks are given up: 600 unless it is set, and 0 for never.',
  ],
  arguments: [oneCluster, { name: 'name=value', summary: 'settings', required: true, variadic: true }],
  options: {},
  examples: ['gantry clusters settings web gantry:waitForCapacity=enabled'],
  async run({ client, out }, { args: [name = '', ...given] }) {
    const { cluster } = await client().call('UpdateClusterSettings', {
      cluster: name,
      settings: given.map((text) => pairOf(clustersSettingsCommand, 'NAME=VALUE', text)),
    });
    out.data({ cluster });
    for (const setting of cluster.settings) out.line(`${setting.name}=${setting.value}`);
    return exitCodes.ok;
  },
});

async function allClusters({ client }: CommandContext): Promise<ClusterView[]> {
  const arns = await allPages(
    (nextToken) => client().call('ListClusters', compact({ nextToken })),
    (page) => page.clusterArns,
  );
  const clusters: ClusterView[] = [];
  for (let from = 0; from < arns.length; from += mostDescribed)
    clusters.push(
      ...(await client().call('DescribeClusters', { clusters: arns.slice(from, from + mostDescribed) })).clusters,
    );
  return clusters.sort((a, b) => a.clusterName.localeCompare(b.clusterName, 'en', { numeric: true }));
}

async function describe({ client }: CommandContext, name: string): Promise<ClusterView> {
  const { clusters } = await client().call('DescribeClusters', {
    clusters: [name],
    include: ['SETTINGS', 'TAGS', 'CONFIGURATIONS'],
  });
  const [cluster] = clusters;
  if (cluster !== undefined) return cluster;
  throw new GantryError('ClusterNotFoundException', `There is no cluster ${name}.`, {
    hint: '`gantry clusters list` shows those that there are; `gantry clusters create NAME` makes one.',
  });
}
