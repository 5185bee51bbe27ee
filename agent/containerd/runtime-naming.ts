/** What things of ours are called in containerd, and how they are found again without memory. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Container } from './gen/containers_pb.ts';

const taskIdLabel = 'gantry.task-id';
const nameLabel = 'gantry.container-name';
const imageDigestLabel = 'gantry.image-digest';
const stopSignalLabel = 'gantry.stop-signal';
const attemptLabel = 'gantry.attempt';

/** Container records that are ours, in containerd's filter language. */
export const anyTask = [`labels."${taskIdLabel}"`];
export const ofTask = (taskId: string): string[] => [`labels."${taskIdLabel}"==${taskId}`];

/** What a container record says about the container. */
export interface ContainerIdentity {
  readonly taskId: string;
  readonly name: string;
  readonly imageDigest: string;
  /** As the image writes it, `SIGTERM` where it writes none. */
  readonly stopSignal: string;
  /** Which attempt to make it this is, from 0. */
  readonly attempt: number;
}

/**
 * The container's id in containerd, always the same for the same attempt to make it, so that creating it again meets what is there. A
 * further attempt never takes the id of one that broke off: containerd undoes a creation whose caller died unseen and by its id, and
 * would take what has the same id now for it. Not the name itself: names may have characters, and a length, that ids may not.
 */
export function runtimeIdOf(taskId: string, containerName: string, attempt = 0): string {
  const key = attempt === 0 ? `${taskId}/${containerName}` : `${taskId}/${containerName}/${attempt}`;
  return createHash('sha256').update(key).digest('hex');
}

/** Of the attempts before this one. */
export const earlierIds = (taskId: string, containerName: string, attempt: number): string[] =>
  Array.from({ length: attempt }, (_, number) => runtimeIdOf(taskId, containerName, number));

/**
 * The containers of a task share a shim; one that is made in a further attempt does not share that of the attempt that broke off, which
 * containerd may be about to end.
 */
export const shimGroupOf = (taskId: string, attempt: number): string =>
  attempt === 0 ? taskId : `${taskId}-${attempt}`;

export function labelsOf({
  taskId,
  name,
  imageDigest,
  stopSignal,
  attempt,
}: ContainerIdentity): Record<string, string> {
  return {
    [taskIdLabel]: taskId,
    [nameLabel]: name,
    [imageDigestLabel]: imageDigest,
    [stopSignalLabel]: stopSignal,
    ...(attempt > 0 && { [attemptLabel]: `${attempt}` }),
  };
}

/** Undefined for a record that is not ours. */
export function identityOf({ labels }: Pick<Container, 'labels'>): ContainerIdentity | undefined {
  const { [taskIdLabel]: taskId, [nameLabel]: name } = labels;
  if (taskId === undefined || name === undefined) return undefined;
  return {
    taskId,
    name,
    imageDigest: labels[imageDigestLabel] ?? '',
    stopSignal: labels[stopSignalLabel] ?? 'SIGTERM',
    attempt: Number(labels[attemptLabel] ?? 0),
  };
}

export const taskCgroup = (cgroupParent: string, taskId: string): string => join(cgroupParent, taskId);

/** By id, not by name: a container may be called `tasks`, which in version 1 is a file of its parent's group. */
export const containerCgroup = (cgroupParent: string, taskId: string, runtimeId: string): string =>
  join(taskCgroup(cgroupParent, taskId), runtimeId);
