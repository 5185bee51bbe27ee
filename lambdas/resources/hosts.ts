/**
 * `Custom::GantryHosts`: instances that may become hosts of a cluster. Those that leave are emptied before they end: nothing more is
 * placed on them, their tasks are asked to stop, and once they have, or cannot say so any more, the host is ended.
 */
import { z } from 'zod';
import type { ControlDeps } from '../../control/deps.ts';
import { drainHost } from '../../control/hosts/drain.ts';
import { admitInstances, dismissInstances } from '../../control/hosts/instances.ts';
import { retireInstance } from '../../control/hosts/retire.ts';
import { getHostCapacity } from '../../control/store/hosts.ts';
import { getInstance } from '../../control/store/instances.ts';
import { placeOf, type ResourceContext, type ResourceKind } from './kind.ts';

const propertiesSchema = z.object({ ClusterName: z.string(), InstanceIds: z.array(z.string().regex(/^i-[0-9a-f]+$/)) });
type Properties = z.infer<typeof propertiesSchema>;

const reason = 'The stack that the host is of no longer has it.';
const lookAgainMs = 2000;

export const hostsKind: ResourceKind<Properties> = {
  properties: propertiesSchema,
  async create(context, properties) {
    await admitInstances(context.deps, properties.ClusterName, properties.InstanceIds);
    return { id: idOf(context, properties) };
  },
  async update(context, properties, former) {
    const { ClusterName: cluster, InstanceIds } = properties;
    await admitInstances(context.deps, cluster, InstanceIds);
    // Where the cluster is another, the deletion of the former resource ends its hosts.
    const left = former?.ClusterName === cluster ? former.InstanceIds.filter((id) => !InstanceIds.includes(id)) : [];
    await endHosts(context, cluster, left);
    return { id: idOf(context, properties) };
  },
  delete: (context, { ClusterName, InstanceIds }) => endHosts(context, ClusterName, InstanceIds),
};

/** Of the place in the stack, and of the cluster: another cluster is another resource. */
const idOf = (context: ResourceContext, { ClusterName }: Properties): string => `${ClusterName}/${placeOf(context)}`;

/** Instances of other clusters, and those that are gone already, are left alone. */
async function endHosts(context: ResourceContext, cluster: string, instanceIds: readonly string[]): Promise<void> {
  const { deps, deadline } = context;
  await dismissInstances(deps, cluster, instanceIds);
  let left = new Set(instanceIds);
  for (;;) {
    const busy = new Set<string>();
    for (const instanceId of left) if (!(await hasEnded(deps, cluster, instanceId, deadline))) busy.add(instanceId);
    if (busy.size === 0) return;
    left = busy;
    await deps.sleep(lookAgainMs);
  }
}

/** One step: asks its tasks to stop, and ends the host once none is left or nobody is there to say so. */
async function hasEnded(deps: ControlDeps, cluster: string, instanceId: string, deadline: number): Promise<boolean> {
  const instance = await getInstance(deps.table, instanceId);
  if (instance?.hostId === undefined || instance.cluster !== cluster) return true;
  const { hostId } = instance;
  const now = deps.clock.now();
  const { remaining } = await drainHost(deps, { cluster, hostId }, { deadline: now, reason });
  const host = await getHostCapacity(deps.table, cluster, hostId);
  if (remaining > 0 && host?.connected === true && now < deadline) return false;
  await retireInstance(deps, instanceId, reason, 'UserInitiated');
  return true;
}
