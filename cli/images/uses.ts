/** Images by digest, from what tasks have reported of theirs and what hosts say of those that they have. Pure. */
import type { ContainerView, TaskView } from '../../core/api/shapes.ts';
import { revisionOf } from '../render/task.ts';
import type { HeldByHost } from './gather.ts';

export interface ImageUse {
  /** As tasks name it; of one that no known task has used, as it was pulled. */
  readonly image: string;
  readonly imageDigest: string;
  /** Where hosts could be asked: how large it is, as downloaded. */
  readonly sizeBytes?: number;
  /** That have it, or had it when a task used it there. */
  readonly hosts: readonly string[];
  readonly families: readonly string[];
  /** Containers. */
  readonly running: number;
  readonly tasks: number;
  readonly lastUsedAt?: Date;
}

/** Those in use first, then by name. */
export function usesOf(tasks: readonly TaskView[], held: readonly HeldByHost[]): ImageUse[] {
  const uses = new Map<string, ImageUse>();
  for (const task of tasks)
    for (const container of task.containers) {
      // Without a digest nothing was pulled for it.
      if (container.imageDigest === undefined || task.hostName === undefined) continue;
      const key = `${container.image} ${container.imageDigest}`;
      uses.set(key, withTask(uses.get(key), container, task));
    }
  for (const { host, images } of held)
    for (const { names, digest, sizeBytes, lastUsedAt } of images) {
      const used = [...uses.values()].filter(({ imageDigest }) => imageDigest === digest);
      const known = used.length > 0 ? used : [unused(names[0] ?? digest, digest)];
      for (const use of known)
        uses.set(`${use.image} ${digest}`, {
          ...use,
          ...later(use.lastUsedAt, lastUsedAt),
          sizeBytes,
          hosts: withOne(use.hosts, host),
        });
    }
  return [...uses.values()].sort(
    (a, b) => Number(b.running > 0) - Number(a.running > 0) || a.image.localeCompare(b.image, 'en', { numeric: true }),
  );
}

const unused = (image: string, imageDigest: string): ImageUse => ({
  image,
  imageDigest,
  hosts: [],
  families: [],
  running: 0,
  tasks: 0,
});

function withTask(before: ImageUse | undefined, container: ContainerView, task: TaskView): ImageUse {
  const { image, imageDigest = '', lastStatus } = container;
  const { hosts, families, running, tasks, lastUsedAt } = before ?? unused(image, imageDigest);
  const usedAt = task.startedAt ?? task.createdAt;
  return {
    image,
    imageDigest,
    hosts: withOne(hosts, task.hostName ?? ''),
    families: withOne(families, revisionOf(task).replace(/:\d+$/, '')),
    running: running + Number(lastStatus === 'RUNNING'),
    tasks: tasks + 1,
    lastUsedAt: lastUsedAt === undefined || lastUsedAt < usedAt ? usedAt : lastUsedAt,
  };
}

/** What the host remembers is of tasks that nobody else knows any more. */
function later(one: Date | undefined, other: Date | undefined): Pick<ImageUse, 'lastUsedAt'> {
  if (other === undefined || (one !== undefined && one >= other)) return {};
  return { lastUsedAt: other };
}

const withOne = (names: readonly string[], name: string): string[] =>
  [...new Set([...names, name])].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
