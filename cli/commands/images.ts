/** `gantry images`: which images hosts have and tasks use. */
import type { ContainerInstanceView } from '../../core/api/shapes.ts';
import { compact } from '../../core/compact.ts';
import { formatList } from '../../core/text.ts';
import { allHosts } from '../all-pages.ts';
import { defineCommand, exitCodes } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { askHosts, type Silence } from '../images/gather.ts';
import { usesOf } from '../images/uses.ts';
import { recentTasks } from '../recent-tasks.ts';
import { printImageTable } from '../render/image-table.ts';

export const imagesCommand = defineCommand({
  name: 'images',
  summary: 'Show the images that hosts have: what was pulled, how large it is, which tasks use it, and where',
  details: [
    'An image is what its digest says: where a tag was moved between two pulls, hosts run different ones under the same name, and each has ' +
      'its line. Hosts that are connected are asked what they have; of others, and where hosts cannot be asked (behind API Gateway), there ' +
      'is what tasks have reported.',
  ],
  arguments: [],
  options: {
    host: { type: 'string', value: 'HOST', summary: 'Only on this host (name, id or ARN)', completes: ['host'] },
    family: {
      type: 'string',
      value: 'FAMILY',
      summary: 'Only those that tasks of this family use',
      completes: ['family'],
    },
    all: {
      type: 'boolean',
      short: 'a',
      summary: 'Count also tasks that stopped more than an hour ago and are still known',
    },
  },
  examples: ['gantry images', 'gantry images --host host-1', "gantry images --json | jq '[.images[].sizeBytes] | add'"],
  async run(context, { options: { host, family, all = false } }) {
    const { out, cluster, now } = context;
    const [tasks, { held, silent }] = await Promise.all([
      recentTasks(context, compact({ cluster, host, family }), all),
      hostsMeant(context, host).then((hosts) => askHosts(context, hosts)),
    ]);
    const images = usesOf(tasks, held).filter((use) => family === undefined || use.families.includes(family));
    out.data({ images, silent });
    if (images.length > 0) printImageTable(images, out, now());
    else out.note(`No image is known of in the cluster ${cluster}.`);
    if (silent.length > 0) out.note(silenceText(silent));
    return exitCodes.ok;
  },
});

async function hostsMeant(context: CommandContext, host: string | undefined): Promise<ContainerInstanceView[]> {
  if (host === undefined) return allHosts(context);
  return [(await context.client().call('GetHost', { cluster: context.cluster, host })).host];
}

/** The reason is mostly one for all. */
function silenceText(silent: readonly Silence[]): string {
  const byReason = Map.groupBy(silent, ({ why }) => why);
  return [...byReason]
    .map(([why, hosts]) => `Of ${formatList(hosts.map(({ host }) => host))} only what tasks reported is shown: ${why}`)
    .join('\n');
}
