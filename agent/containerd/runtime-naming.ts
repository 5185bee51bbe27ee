/** What things of ours are called in containerd, and how they are found again without memory. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Container } from './gen/containers_pb.ts';

const taskIdLabel = 'gantry.task-id';
const nameLabel = 'gantry.container-name';
const imageDigestLabel = 'gantry.image-digest';
const stopSignalLabel = 'gantry.stop-signal';

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
}

/**
 * The container's id in containerd, always the same for the same container, so that creating it again meets what is there. Not the
 * name itself: names may have characters, and a length, that ids may not.
 */
export function runtimeIdOf(taskId: string, containerName: string): string {
  return createHash('sha256').update(`${taskId}/${containerName}`).digest('hex');
}

export function labelsOf({ taskId, name, imageDigest, stopSignal }: ContainerIdentity): Record<string, string> {
  return {
    [taskIdLabel]: taskId,
    [nameLabel]: name,
    [imageDigestLabel]: imageDigest,
    [stopSignalLabel]: stopSignal,
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
  };
}

export const taskCgroup = (cgroupParent: string, taskId: string): string => join(cgroupParent, taskId);

/** By id, not by name: a container may be called `tasks`, which in version 1 is a file of its parent's group. */
export const containerCgroup = (cgroupParent: string, taskId: string, runtimeId: string): string =>
  join(taskCgroup(cgroupParent, taskId), runtimeId);
