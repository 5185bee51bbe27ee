/**
 * Names of network namespaces and interfaces, derived from the task, so that what an earlier agent made is found without memory.
 */
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Where `ip netns` keeps them. */
export const netnsDirectory = '/run/netns';

export const netnsPath = (name: string): string => join(netnsDirectory, name);

/** @param owner the host's containerd namespace: unique on this machine. */
export function containerNetns(owner: string, taskId: string, containerName: string): string {
  return `${owner}-${taskId}-${digest(containerName).slice(0, 8)}`;
}

/** The end of a container's veth pair that is on the bridge. Interface names have at most 15 bytes. */
export const bridgeEnd = (netns: string): string => `veth${digest(netns).slice(0, 11)}`;

/** The namespaces of a host's containers with their task, as they are on the machine now. */
export function listContainerNetns(owner: string): { readonly name: string; readonly taskId: string }[] {
  const prefix = `${owner}-`;
  return readNetnsDirectory().flatMap((name) => {
    if (!name.startsWith(prefix)) return [];
    const taskId = /^([0-9A-Za-z]+)-[0-9a-f]{8}$/.exec(name.slice(prefix.length))?.[1];
    return taskId === undefined ? [] : [{ name, taskId }];
  });
}

function readNetnsDirectory(): string[] {
  try {
    return readdirSync(netnsDirectory);
  } catch {
    return []; // The first `ip netns add` makes it.
  }
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
