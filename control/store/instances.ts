/**
 * Access paths of what admits EC2 instances: the roles whose instances may become hosts, and the instances that may. An instance is
 * claimed by the first host key that proves to be on it.
 */
import { z } from 'zod';
import { itemOf, parseOptional } from './item.ts';
import { keys } from './keys.ts';
import type { Change, Table } from './table.ts';

const hostRoleSchema = z.object({ roleId: z.string(), cluster: z.string() });
export type HostRole = z.infer<typeof hostRoleSchema>;

const instanceSchema = z.object({
  instanceId: z.string(),
  /** Where it may become a host. */
  cluster: z.string(),
  admittedAt: z.number(),
  /** The capacity provider that bought it; absent where a stack or an operator launched it. */
  provider: z.string().optional(),
  /** The host that it has become. */
  hostId: z.string().optional(),
});
export type AdmittedInstance = z.infer<typeof instanceSchema>;

export const getHostRole = async (table: Table, roleId: string): Promise<HostRole | undefined> =>
  parseOptional(hostRoleSchema, await table.get(keys.hostRole(roleId)));

/** Refused where the role is registered already. */
export const addHostRole = (role: HostRole): Change => ({
  kind: 'put',
  item: itemOf(keys.hostRole(role.roleId), role),
  when: [{ item: 'absent' }],
});

/** Holds while the role is that cluster's. */
export const hostRoleIsStill = ({ roleId, cluster }: HostRole): Change => ({
  kind: 'check',
  key: keys.hostRole(roleId),
  when: [{ path: ['cluster'], is: '=', value: cluster }],
});

export const removeHostRole = ({ roleId, cluster }: HostRole): Change => ({
  kind: 'delete',
  key: keys.hostRole(roleId),
  when: [{ path: ['cluster'], is: '=', value: cluster }],
});

export const getInstance = async (table: Table, instanceId: string): Promise<AdmittedInstance | undefined> =>
  parseOptional(instanceSchema, await table.get(keys.instance(instanceId)));

/** Refused where the instance is admitted already, unless it is as the host `replacedHostId`. */
export const addInstance = (instance: AdmittedInstance, replacedHostId: string | undefined): Change => ({
  kind: 'put',
  item: itemOf(keys.instance(instance.instanceId), instance),
  when: [replacedHostId === undefined ? { item: 'absent' } : { path: ['hostId'], is: '=', value: replacedHostId }],
});

/** The instance becomes this host: refused where it is another one, or is not admitted to that cluster any more. */
export const claimInstance = ({ instanceId, cluster }: AdmittedInstance, hostId: string): Change => ({
  kind: 'update',
  key: keys.instance(instanceId),
  set: [{ path: ['hostId'], value: hostId }],
  when: [
    { path: ['cluster'], is: '=', value: cluster },
    { path: ['hostId'], is: 'absent' },
  ],
});

/** Takes the admission back as it was seen: refused where the instance has become a host meanwhile. */
export const removeInstance = ({ instanceId, hostId }: AdmittedInstance): Change => ({
  kind: 'delete',
  key: keys.instance(instanceId),
  when: [hostId === undefined ? { path: ['hostId'], is: 'absent' } : { path: ['hostId'], is: '=', value: hostId }],
});
