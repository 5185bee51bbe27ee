/**
 * Hosts that are items alone: registered, connected and empty, and nobody plays them, because what is measured is placing. No container
 * starts. The first digits of an id choose its shard.
 */
import { addHostCapacity, addHostIdentity } from '../control/store/hosts.ts';
import type { Change, Item } from '../control/store/table.ts';
import type { HostCapacity } from '../core/model/host.ts';

export const hostIdOf = (n: number): string => n.toString(16).padStart(4, '0').padEnd(32, '0');

export interface HostRoom {
  readonly cpuUnits: number;
  readonly memoryMib: number;
}

/** An m7g.2xlarge, without what the host keeps for itself. */
export const usualRoom: HostRoom = { cpuUnits: 8192, memoryMib: 30_720 };

/** Two changes: who the host is, and what it has. `publicKey`: of whoever signs for it. */
export function hostChanges(n: number, publicKey: string, now: number, room = usualRoom): Change[] {
  const host = { hostId: hostIdOf(n), cluster: 'default', name: `i-${n.toString(16).padStart(17, '0')}` };
  const identity = { ...host, publicKey, address: '10.0.0.1', agentVersion: '0.1.0', registeredAt: now, version: 1 };
  return [addHostIdentity(identity), addHostCapacity({ ...host, ...capacityOf(room, now) })];
}

/** The same, for whoever writes items past the store. */
export const hostItems = (n: number, publicKey: string, now: number): Item[] =>
  hostChanges(n, publicKey, now).flatMap((change) => (change.kind === 'put' ? [change.item] : []));

const capacityOf = (
  { cpuUnits, memoryMib }: HostRoom,
  now: number,
): Omit<HostCapacity, 'hostId' | 'cluster' | 'name'> => ({
  status: 'ACTIVE',
  epoch: 1,
  reportedEpoch: 1,
  connected: true,
  connectedChangedAt: now,
  generation: 1,
  releases: 0,
  totalCpuUnits: cpuUnits,
  totalMemoryMib: memoryMib,
  freeCpuUnits: cpuUnits,
  freeMemoryMib: memoryMib,
  ports: {},
  groups: {},
  taskCount: 0,
  attributes: {
    'ecs.instance-type': 'm7g.2xlarge',
    'ecs.availability-zone': 'us-east-1a',
    'ecs.cpu-architecture': 'arm64',
    'ecs.os-type': 'linux',
    'ecs.ami-id': 'ami-0123456789abcdef0',
  },
});
