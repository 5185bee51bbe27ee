/**
 * Changes of a host's capacity item that take and give back nothing: whether it is heard, its status, its epochs, and that its desired set
 * is another. Apart from host-capacity.ts because placement needs none of them.
 */
import type { HostCapacity } from '../../core/model/host.ts';
import { grown } from './host-capacity.ts';
import { keys } from './keys.ts';
import type { Change } from './table.ts';

/** Says that the desired set of a host changed, with nothing taken or given back. */
export const bumpGeneration = (cluster: string, hostId: string): Change => ({
  kind: 'update',
  key: keys.hostCapacity(cluster, hostId),
  add: [{ path: ['generation'], by: 1 }],
  when: [{ item: 'exists' }],
});

/** The host's agent is heard again, or has fallen silent; refused where that was known already. */
export const setConnected = (seen: HostCapacity, connected: boolean, at: number): Change => ({
  kind: 'update',
  key: keys.hostCapacity(seen.cluster, seen.hostId),
  set: [{ path: ['connected'], value: connected }, { path: ['connectedChangedAt'], value: at }, grown],
  when: [
    { path: ['connected'], is: '=', value: !connected },
    { path: ['status'], is: '=', value: seen.status },
  ],
});

/** Placement leaves a DRAINING host alone, and may use one that is ACTIVE again. With `asSeen` refused where its tasks have changed. */
export const setStatus = (
  seen: HostCapacity,
  status: 'ACTIVE' | 'DRAINING',
  { asSeen = false }: { readonly asSeen?: boolean } = {},
): Change => ({
  kind: 'update',
  key: keys.hostCapacity(seen.cluster, seen.hostId),
  set: [{ path: ['status'], value: status }, grown],
  // Statuses come and go: with this the change has a number that only grows, for who is told of changes out of order.
  add: [{ path: ['generation'], by: 1 }],
  when: [
    { path: ['status'], is: '=', value: seen.status },
    ...(asSeen ? [{ path: ['generation'] as const, is: '=' as const, value: seen.generation }] : []),
  ],
});

/** The end of a host, under an epoch of its own: nothing is placed on it from here on. With `onlyIdle` refused while it has tasks. */
export const setInactive = (seen: HostCapacity, at: number, { onlyIdle }: { readonly onlyIdle: boolean }): Change => ({
  kind: 'update',
  key: keys.hostCapacity(seen.cluster, seen.hostId),
  set: [
    { path: ['status'], value: 'INACTIVE' },
    { path: ['connected'], value: false },
    { path: ['connectedChangedAt'], value: at },
    { path: ['epoch'], value: seen.epoch + 1 },
  ],
  add: [{ path: ['generation'], by: 1 }],
  when: [
    { path: ['epoch'], is: '=', value: seen.epoch },
    { path: ['status'], is: '=', value: seen.status },
    ...(onlyIdle ? [{ path: ['taskCount'] as const, is: '=' as const, value: 0 }] : []),
  ],
});

/** A host that is still not heard is given up: nothing is placed on it before it has reported everything under the new epoch. */
export const beginNextEpoch = (seen: HostCapacity): Change => ({
  kind: 'update',
  key: keys.hostCapacity(seen.cluster, seen.hostId),
  set: [{ path: ['epoch'], value: seen.epoch + 1 }],
  add: [{ path: ['generation'], by: 1 }],
  when: [
    { path: ['connected'], is: '=', value: false },
    { path: ['epoch'], is: '=', value: seen.epoch },
    { path: ['status'], is: '=', value: seen.status },
  ],
});

/** Holds while it is not heard under this epoch; its desired set changes. */
export const isStillLost = ({ cluster, hostId, epoch }: HostCapacity): Change => ({
  kind: 'update',
  key: keys.hostCapacity(cluster, hostId),
  add: [{ path: ['generation'], by: 1 }],
  when: [
    { path: ['connected'], is: '=', value: false },
    { path: ['epoch'], is: '=', value: epoch },
  ],
});

/** The host has reported everything it knows under this epoch, and so knows this store; refused where the epoch is over. */
export const setReportedEpoch = (seen: HostCapacity): Change => ({
  kind: 'update',
  key: keys.hostCapacity(seen.cluster, seen.hostId),
  set: [{ path: ['reportedEpoch'], value: seen.epoch }, grown],
  remove: [['unknownStore']],
  when: [{ path: ['epoch'], is: '=', value: seen.epoch }],
});
