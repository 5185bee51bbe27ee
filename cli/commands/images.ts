/** `gantry images`: which images the tasks of a cluster use, on which hosts, as their agents have reported it. */
import type { ContainerView, TaskView } from '../../core/api/shapes.ts';
import { compact } from '../../core/compact.ts';
import { defineCommand, exitCodes } from '../command.ts';
import { recentTasks } from '../recent-tasks.ts';
import { type ImageUse, printImageTable } from '../render/image-table.ts';
import { revisionOf } from '../render/task.ts';

export const imagesCommand = defineCommand({
  name: 'images',
  summary: 'Show the images that tasks use or used in the last hour, by what was pulled, and on which hosts',
  details: [
    'An image is what its digest says: where a tag was moved between two pulls, hosts run different ones under the same name, and each has ' +
      'its line. The control plane knows images from the reports of tasks. What a host has besides, and how large it is, only the host knows.',
  ],
  arguments: [],
  options: {
    host: { type: 'string', value: 'HOST', summary: 'Only on this host (name, id or ARN)', completes: ['host'] },
    family: { type: 'string', value: 'FAMILY', summary: 'Only of tasks of this family', completes: ['family'] },
    all: { type: 'boolean', short: 'a', summary: 'Also of tasks that stopped earlier and are still known' },
  },
  examples: ['gantry images', 'gantry images --host host-1', "gantry images --json | jq -r '.images[].imageDigest'"],
  async run(context, { options: { host, family, all = false } }) {
    const { out, cluster, now } = context;
    const tasks = await recentTasks(context, compact({ cluster, host, family }), all);
    const images = usesOf(tasks);
    out.data({ images });
    if (images.length > 0) printImageTable(images, out, now());
    else
      out.note(
        all
          ? `No task that the cluster ${cluster} knows has pulled an image.`
          : `No task has used an image in the cluster ${cluster} in the last hour. --all shows earlier ones.`,
      );
    return exitCodes.ok;
  },
});

/** Those in use first, then by name. */
function usesOf(tasks: readonly TaskView[]): ImageUse[] {
  const uses = new Map<string, ImageUse>();
  for (const task of tasks)
    for (const container of task.containers) {
      // Without a digest nothing was pulled for it.
      if (container.imageDigest === undefined || task.hostName === undefined) continue;
      const key = `${container.image} ${container.imageDigest}`;
      uses.set(key, withUse(uses.get(key), container, task));
    }
  return [...uses.values()].sort(
    (a, b) => Number(b.running > 0) - Number(a.running > 0) || a.image.localeCompare(b.image, 'en', { numeric: true }),
  );
}

function withUse(
  before: ImageUse | undefined,
  { image, imageDigest, lastStatus }: ContainerView,
  task: TaskView,
): ImageUse {
  const { hosts = [], families = [], running = 0, tasks = 0, lastUsedAt } = before ?? {};
  const family = revisionOf(task).replace(/:\d+$/, '');
  const usedAt = task.startedAt ?? task.createdAt;
  return {
    image,
    imageDigest: imageDigest ?? '',
    hosts: withOne(hosts, task.hostName ?? ''),
    families: withOne(families, family),
    running: running + Number(lastStatus === 'RUNNING'),
    tasks: tasks + 1,
    lastUsedAt: lastUsedAt === undefined || lastUsedAt < usedAt ? usedAt : lastUsedAt,
  };
}

const withOne = (names: readonly string[], name: string): string[] =>
  [...new Set([...names, name])].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
