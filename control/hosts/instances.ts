/**
 * Which EC2 instances may become hosts: of a role that a cluster registered, and admitted one by one by whoever launched them. Called by
 * the custom resources of a stack, by the fleet and by operators; every function may be repeated. Ends no host: that is retire.ts.
 */
import { compact } from '../../core/compact.ts';
import { GantryError } from '../../core/errors.ts';
import type { HostCapacity } from '../../core/model/host.ts';
import { attempt } from '../attempts.ts';
import type { ControlDeps } from '../deps.ts';
import { getHostCapacity, hostIdByName } from '../store/hosts.ts';
import {
  type AdmittedInstance,
  addHostRole,
  addInstance,
  getHostRole,
  getInstance,
  type HostRole,
  removeHostRole,
  removeInstance,
} from '../store/instances.ts';

type Deps = Pick<ControlDeps, 'table' | 'clock' | 'random' | 'sleep' | 'recent'>;

/** From now on the admitted instances of the role may become hosts of the cluster. Throws ConflictException where it is another's. */
export async function registerHostRole(deps: Deps, role: HostRole): Promise<void> {
  await attempt(deps, { most: 10, what: `the role ${role.roleId}` }, async () => {
    const known = await getHostRole(deps.table, role.roleId);
    if (known?.cluster === role.cluster) return 'known';
    if (known !== undefined) {
      const message = `The role ${role.roleId} is that of the hosts of the cluster ${known.cluster}.`;
      throw new GantryError('ConflictException', message, { hint: 'Give each cluster a role of its own.' });
    }
    const { outcome } = await deps.table.commit([addHostRole(role)]);
    return outcome === 'done' ? 'registered' : undefined;
  });
}

/** Hosts that are there stay; no new one comes by this role. */
export async function forgetHostRole(deps: Deps, role: HostRole): Promise<void> {
  await attempt(deps, { most: 10, what: `the role ${role.roleId}` }, async () => {
    const { outcome } = await deps.table.commit([removeHostRole(role)]);
    // Refused where the role is not this cluster's: then there is nothing to forget.
    return outcome === 'conflict' ? undefined : 'forgotten';
  });
}

/**
 * Lets the instances become hosts of the cluster, each once, of the capacity provider that bought them, if one did. One whose host was
 * deregistered may become a host again. Throws ConflictException where one is another cluster's, ClusterNotFoundException where the
 * cluster is not ACTIVE.
 */
export async function admitInstances(
  deps: Deps,
  cluster: string,
  instanceIds: readonly string[],
  provider?: string,
): Promise<AdmittedInstance[]> {
  if ((await deps.recent.activeCluster(cluster)) === undefined) {
    throw new GantryError('ClusterNotFoundException', 'Cluster not found.', { field: 'cluster' });
  }
  const admitted: AdmittedInstance[] = [];
  for (const instanceId of new Set(instanceIds)) {
    const what = `the instance ${instanceId}`;
    admitted.push(
      await attempt(deps, { most: 10, what }, () => admitInstance(deps, compact({ instanceId, cluster, provider }))),
    );
  }
  return admitted;
}

async function admitInstance(
  { table, clock }: Deps,
  wanted: Omit<AdmittedInstance, 'admittedAt' | 'hostId'>,
): Promise<AdmittedInstance | undefined> {
  const { instanceId, cluster } = wanted;
  const known = await getInstance(table, instanceId);
  if (known !== undefined && known.cluster !== cluster) {
    const message = `The instance ${instanceId} is admitted to the cluster ${known.cluster}.`;
    throw new GantryError('ConflictException', message, { field: 'instanceIds' });
  }
  if (known !== undefined && !(await isRetired(table, known))) return known;
  const instance: AdmittedInstance = { ...wanted, admittedAt: clock.now() };
  const { outcome } = await table.commit([addInstance(instance, known?.hostId)]);
  return outcome === 'done' ? instance : undefined;
}

async function isRetired(table: Deps['table'], { cluster, hostId }: AdmittedInstance): Promise<boolean> {
  if (hostId === undefined) return false;
  const capacity = await getHostCapacity(table, cluster, hostId);
  return capacity === undefined || capacity.status === 'INACTIVE';
}

/** Takes the admission of instances back that have not become hosts; those that have stay hosts until they are retired. */
export async function dismissInstances(deps: Deps, cluster: string, instanceIds: readonly string[]): Promise<void> {
  for (const instanceId of new Set(instanceIds)) {
    await attempt(deps, { most: 10, what: `the instance ${instanceId}` }, async () => {
      const known = await getInstance(deps.table, instanceId);
      if (known === undefined || known.cluster !== cluster || known.hostId !== undefined) return 'nothing to do';
      const { outcome } = await deps.table.commit([removeInstance(known)]);
      return outcome === 'done' ? 'dismissed' : undefined;
    });
  }
}

/** The host that an instance is, by its admission, or by its name where a token admitted it; undefined where it is none that lives. */
export async function livingHost(
  { table }: Pick<Deps, 'table'>,
  cluster: string,
  instanceId: string,
): Promise<HostCapacity | undefined> {
  const [instance, namesake] = await Promise.all([
    getInstance(table, instanceId),
    hostIdByName(table, cluster, instanceId),
  ]);
  for (const hostId of new Set([instance?.hostId, namesake])) {
    const host = hostId === undefined ? undefined : await getHostCapacity(table, cluster, hostId);
    if (host !== undefined && host.status !== 'INACTIVE') return host;
  }
  return undefined;
}
